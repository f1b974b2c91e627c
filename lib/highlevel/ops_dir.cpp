// Directories: opendir, readdir and readdirplus, releasedir, fsyncdir.
//
// A filesystem lists in one of two ways, and shows which by the offset it gives the filler: 0 means it always
// gives all entries, which are kept and handed out by position; anything else means it can go on from there,
// and every request asks it again.
#include "highlevel/ops.hpp"

#include "highlevel/answer_buffer.hpp"
#include "highlevel/dir_buffer.hpp"

#include <cerrno>
#include <cstring>
#include <new>

namespace rf::hl {
namespace {

constexpr ino_t kUnknownInode = 0xffffffff; // what readdir shows if nothing better is known

/// An open directory.
struct DirHandle {
    std::uint64_t fh = 0; // the filesystem's own handle. Constant after opendir

    Mutex mutex; // one request of an open directory at a time

    // Guarded by mutex; the filler runs with it.
    DirBuffer entries;
    bool complete = false; // entries holds the whole directory
};

DirHandle& handle_of(const fuse_file_info& fi) noexcept
{
    return *reinterpret_cast<DirHandle*>(fi.fh);
}

bool is_dots(const char* name) noexcept
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/// One readdir request: what is being written for the kernel, and where the filler puts things.
struct Listing {
    Operation& op;
    const fuse_ino_t ino;
    DirHandle& handle;
    const bool plus;
    char* const out;
    const size_t room;
    size_t used = 0;
    int error = 0;
    bool with_offsets = false; // the filler was called with one
    bool any = false;          // the filler was called at all
};

/// The inode number to show for a name.
ino_t shown_inode(Operation& op, fuse_ino_t directory, const char* name, const struct stat* given)
{
    if (op.options().use_ino)
        return given ? given->st_ino : kUnknownInode;
    ino_t shown = kUnknownInode;
    Node* parent = op.options().readdir_ino ? op.nodes().find(directory) : nullptr;
    if (!parent)
        return shown;
    if (Node* node = op.nodes().pin_known(*parent, name)) {
        shown = node->number();
        op.nodes().unpin(*node);
    }
    return shown;
}

/// Writes one entry for readdirplus; `attr` is complete, or only number and type. False: does not fit, or an
/// error.
bool write_plus(Listing& listing, const char* name, const struct stat& attr, bool complete, off_t next)
{
    fuse_req_t req = listing.op.request();
    const size_t bytes = fuse_add_direntry_plus(req, nullptr, 0, name, nullptr, 0);
    if (bytes > listing.room - listing.used)
        return false;
    fuse_entry_param e{}; // inode 0: the kernel looks the name up when it needs it
    e.attr = attr;
    // Only what fits counts as looked up.
    if (complete && !is_dots(name)) {
        Node* directory = listing.op.nodes().find(listing.ino);
        const int rc = directory ? fill_entry(listing.op.core(), *directory, name, e) : -ESTALE;
        if (rc < 0) {
            listing.error = rc;
            return false;
        }
    }
    listing.used +=
        fuse_add_direntry_plus(req, listing.out + listing.used, listing.room - listing.used, name, &e, next);
    return true;
}

bool write_plain(Listing& listing, const char* name, const struct stat& attr, off_t next)
{
    const size_t left = listing.room - listing.used;
    const size_t bytes =
        fuse_add_direntry(listing.op.request(), listing.out + listing.used, left, name, &attr, next);
    if (bytes > left)
        return false;
    listing.used += bytes;
    return true;
}

/// What the filesystem calls for each entry. 1: stop.
int fill(void* buf, const char* name, const struct stat* given, off_t off, fuse_fill_dir_flags flags)
{
    Listing& listing = *static_cast<Listing*>(buf);
    DirHandle& handle = listing.handle;
    if ((flags & ~FUSE_FILL_DIR_PLUS) != 0 || (listing.any && listing.with_offsets != (off != 0))) {
        listing.error = -EIO; // an unknown flag, or both ways mixed
        return 1;
    }
    listing.any = true;
    listing.with_offsets = off != 0;
    const bool complete = listing.plus && given && (flags & FUSE_FILL_DIR_PLUS);
    struct stat attr {};
    if (complete)
        attr = *given;
    else if (given)
        attr.st_mode = given->st_mode;
    attr.st_ino = shown_inode(listing.op, listing.ino, name, given);
    if (off != 0) {
        const bool fits = listing.plus ? write_plus(listing, name, attr, complete, off)
                                       : write_plain(listing, name, attr, off);
        return fits ? 0 : 1;
    }
    listing.error = handle.entries.add(name, attr, complete);
    return listing.error < 0 ? 1 : 0;
}

/// The filler is called from here, on this thread, with the directory's mutex.
int ask_filesystem(Listing& listing, off_t off, const fuse_file_info& ours)
{
    OpenPath path(listing.op, listing.ino);
    int rc = path.lock();
    if (rc < 0)
        return rc;
    listing.handle.entries.clear();
    listing.handle.complete = false;
    fuse_file_info fi = directory_info(ours);
    rc = fs_readdir(listing.op.fs(), path.text(), &listing, fill, off, &fi,
                    listing.plus ? FUSE_READDIR_PLUS : FUSE_READDIR_DEFAULTS);
    path.release();
    if (rc >= 0)
        rc = listing.error;
    // Nothing at all beyond an offset says only that this is the end.
    listing.handle.complete = rc >= 0 && (listing.any ? !listing.with_offsets : off == 0);
    return rc;
}

/// Writes what fits from position `off` on. With the directory's mutex.
int write_kept(Listing& listing, off_t off)
{
    const DirBuffer& entries = listing.handle.entries;
    for (size_t i = static_cast<size_t>(off); i < entries.size(); ++i) {
        const DirBuffer::Entry entry = entries.at(i);
        const off_t next = static_cast<off_t>(i + 1);
        const bool fits = listing.plus ? write_plus(listing, entry.name, entry.attr, entry.complete, next)
                                       : write_plain(listing, entry.name, entry.attr, next);
        if (!fits)
            break;
    }
    return listing.error;
}

void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, const fuse_file_info& fi, bool plus)
{
    Operation op(req);
    AnswerBuffer out(req, size);
    if (!out.data())
        return op.answer_status(-ENOMEM);
    DirHandle& handle = handle_of(fi);
    Listing listing{op, ino, handle, plus, out.data(), size};
    int rc = 0;
    {
        const MutexLock lock(handle.mutex);
        // POSIX: rewinddir() shows the directory as it is then.
        if (off == 0)
            handle.complete = false;
        if (!handle.complete)
            rc = ask_filesystem(listing, off, fi);
        if (rc >= 0 && handle.complete)
            rc = write_kept(listing, off);
    }
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_buf(op.answer(), out.data(), listing.used);
}

} // namespace

fuse_file_info directory_info(const fuse_file_info& ours) noexcept
{
    fuse_file_info theirs{};
    theirs.flags = ours.flags;
    theirs.lock_owner = ours.lock_owner;
    theirs.fh = handle_of(ours).fh;
    return theirs;
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    DirHandle* handle = new (std::nothrow) DirHandle;
    if (!handle)
        return op.answer_status(-ENOMEM);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    fuse_file_info theirs{};
    theirs.flags = fi->flags;
    int rc = path.lock();
    if (rc == 0)
        rc = fs_opendir(op.fs(), path.c_str(), &theirs);
    if (rc < 0) {
        path.release();
        delete handle;
        return op.answer_status(rc);
    }
    handle->fh = theirs.fh;
    *fi = theirs;
    fi->fh = reinterpret_cast<std::uint64_t>(handle);
    if (fuse_reply_open(op.answer(), fi) == -ENOENT) {
        // Nobody waits any more, so nobody will close it.
        fs_releasedir(op.fs(), path.c_str(), &theirs);
        delete handle;
    }
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi)
{
    list(req, ino, size, off, *fi, /* plus= */ false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi)
{
    list(req, ino, size, off, *fi, /* plus= */ true);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    // Without a path it has to be released all the same: it will not be asked again.
    (void)path.lock();
    fuse_file_info theirs = directory_info(*fi);
    fs_releasedir(op.fs(), path.text(), &theirs);
    path.release();
    delete &handle_of(*fi);
    op.answer_status(0);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    fuse_file_info theirs = directory_info(*fi);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_fsyncdir(op.fs(), path.text(), datasync, &theirs);
    path.release();
    op.answer_status(rc);
}

} // namespace rf::hl
