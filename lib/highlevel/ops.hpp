// What the operations share: the request being served, the attributes that options change, lookups.
#pragma once

#include "highlevel/context.hpp"
#include "highlevel/fuse.hpp"
#include "highlevel/path_lock.hpp"

namespace rf::hl {

/// One request on its thread, from its arrival to its answer.
class Operation {
public:
    /// Says on this thread who asks.
    explicit Operation(fuse_req_t request);
    ~Operation() { thread_request() = outer_; }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    [[nodiscard]] ::fuse& core() const noexcept { return core_; }
    [[nodiscard]] fuse_fs& fs() const noexcept { return *core_.fs; }
    [[nodiscard]] NodeTable& nodes() const noexcept { return core_.nodes; }
    [[nodiscard]] const fuse_config& options() const noexcept { return core_.options(); }
    /// For questions about the request; it is not to be answered with this.
    [[nodiscard]] fuse_req_t request() const noexcept { return request_; }

    /// The request to be answered, once. Nobody interrupts this thread any more.
    [[nodiscard]] fuse_req_t answer()
    {
        interruptible_.reset();
        return request_;
    }
    /// Answers with 0 or -errno.
    void answer_status(int rc) { fuse_reply_err(answer(), rc < 0 ? -rc : 0); }

private:
    ::fuse& core_;
    const fuse_req_t request_;
    const fuse_req_t outer_;
    std::optional<Interruptible> interruptible_;
};

/// The path of an operation on a file that is open, or may be. On an open file nothing is held with
/// nullpath_ok, and text() is null then or if the file lost its name.
class OpenPath {
public:
    explicit OpenPath(const Operation& op, fuse_ino_t ino, bool open = true) noexcept
        : path_(op.nodes()), open_(open), needed_(!open || !op.options().nullpath_ok)
    {
        path_.aim_at(ino);
    }
    /// 0 or -errno.
    [[nodiscard]] int lock();
    [[nodiscard]] static int lock_both(OpenPath& first, OpenPath& second);
    void release() { path_.release(); }
    /// Valid until release().
    [[nodiscard]] const char* text() const noexcept { return text_; }

private:
    LockedPath path_;
    const bool open_;
    const bool needed_;
    const char* text_ = nullptr;
};

// ---- ops_attr.cpp

/// What -o uid=, umask= and the like make of the attributes of inode `ino`, and what is hidden from the user.
void adjust_attr(const ::fuse& f, fuse_ino_t ino, struct stat& st);
/// auto_cache: takes note of a file's size and mtime. Any thread.
void note_attr(::fuse& f, Node& node, const struct stat& st);
/// auto_cache: may what the kernel has cached of the file be kept? Called at each open.
[[nodiscard]] bool cache_is_valid(::fuse& f, Node& node, const char* path, fuse_file_info* fi);

// ---- ops_names.cpp

/// Gives the kernel one more lookup of `name`, whose attributes are in e.attr. 0 or -ENOMEM.
[[nodiscard]] int fill_entry(::fuse& f, Node& directory, std::string_view name, fuse_entry_param& e);
/// The same after asking the filesystem for the attributes. 0 or -errno.
[[nodiscard]] int look_up(::fuse& f, Node& directory, const char* name, const char* path, fuse_entry_param& e,
                          fuse_file_info* fi);

// ---- hidden.cpp

/// Before the name of `path`'s target is removed or replaced: if the file is open, renames it out of the way.
/// 0: the name is free now; 1: the file is not open (or hard_remove); -errno.
[[nodiscard]] int hide_if_open(::fuse& f, LockedPath& path);
/// After an open file was closed; `path` is that of the file, or null. Removes a hidden one with its last
/// close.
void note_close(::fuse& f, fuse_ino_t ino, const char* path);
/// At the end of the mount.
void remove_hidden(::fuse& f);

// ---- The operations, by file. fuse_lowlevel.h describes each.

// ops_misc.cpp
void op_init(void* userdata, fuse_conn_info* conn);
void op_destroy(void* userdata);
void op_statfs(fuse_req_t req, fuse_ino_t ino);
void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void* arg, fuse_file_info* fi, unsigned flags,
              const void* in_buf, size_t in_bytes, size_t out_bytes);
void op_poll(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, fuse_pollhandle* ph);
void op_bmap(fuse_req_t req, fuse_ino_t ino, size_t block_bytes, uint64_t index);
void op_syncfs(fuse_req_t req, fuse_ino_t ino);

// ops_attr.cpp
void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set, fuse_file_info* fi);
void op_statx(fuse_req_t req, fuse_ino_t ino, int flags, int mask, fuse_file_info* fi);
void op_access(fuse_req_t req, fuse_ino_t ino, int mask);

// ops_names.cpp
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup);
void op_forget_multi(fuse_req_t req, size_t count, fuse_forget_data* forgets);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode);
void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char* newname);

// ops_remove.cpp
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t newparent, const char* newname,
               unsigned flags);

// ops_file.cpp
void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi);
void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi);

// ops_data.cpp
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi);
void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* buf, off_t off, fuse_file_info* fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t length, fuse_file_info* fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in, fuse_file_info* fi_in,
                        fuse_ino_t ino_out, off_t off_out, fuse_file_info* fi_out, size_t len, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, fuse_file_info* fi);

// ops_dir.cpp
void op_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi);
/// An open directory's handle as the filesystem knows it.
[[nodiscard]] fuse_file_info directory_info(const fuse_file_info& ours) noexcept;

// ops_xattr.cpp
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size, int flags);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name);

// ops_lock.cpp
void op_getlk(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock);
void op_setlk(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock, int sleep);
void op_flock(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, int operation);
/// A descriptor was closed: the filesystem's flush, and the owner's record locks go. 0 or -errno.
[[nodiscard]] int flush_file(Operation& op, fuse_ino_t ino, const char* path, fuse_file_info* fi);

} // namespace rf::hl
