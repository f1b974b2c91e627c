// Calls that work on names and inodes.
#include "session/calls.hpp"

#include "proto/encode.hpp"

#include <cstring>
#include <new>
#include <sys/statvfs.h>
#include <vector>

namespace rf {
namespace {

// The bits of fuse_setattr_in.valid that filesystems know as FUSE_SET_ATTR_*; FH and LOCKOWNER are for us.
constexpr std::uint32_t kSetattrBits = kern::FATTR_MODE | kern::FATTR_UID | kern::FATTR_GID |
                                       kern::FATTR_SIZE | kern::FATTR_ATIME | kern::FATTR_MTIME |
                                       kern::FATTR_ATIME_NOW | kern::FATTR_MTIME_NOW | kern::FATTR_CTIME |
                                       kern::FATTR_KILL_SUIDGID;
static_assert(kern::FATTR_SIZE == FUSE_SET_ATTR_SIZE && kern::FATTR_MTIME_NOW == FUSE_SET_ATTR_MTIME_NOW &&
              kern::FATTR_CTIME == FUSE_SET_ATTR_CTIME &&
              kern::FATTR_KILL_SUIDGID == FUSE_SET_ATTR_KILL_SUID);

} // namespace

void Calls::lookup(const char* name)
{
    ops_.lookup ? ops_.lookup(req_, node_, name) : missing();
}

void Calls::forget(const kern::fuse_forget_in& in)
{
    session_.count_forgets(1);
    ops_.forget ? ops_.forget(req_, node_, in.nlookup) : request_.finish_unanswered();
}

void Calls::batch_forget(Bytes records, uint32_t count)
{
    session_.count_forgets(count);
    std::vector<fuse_forget_data> forgets(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        kern::fuse_forget_one one;
        std::memcpy(&one, records.data() + i * sizeof(one), sizeof(one));
        forgets[i] = {one.nodeid, one.nlookup};
    }
    if (ops_.forget_multi) {
        ops_.forget_multi(req_, forgets.size(), forgets.data());
        return;
    }
    if (ops_.forget) {
        for (const fuse_forget_data& one : forgets)
            session_.forget(one.ino, one.nlookup);
    }
    request_.finish_unanswered();
}

void Calls::getattr(const kern::fuse_getattr_in& in)
{
    if (!ops_.getattr)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.getattr(req_, node_, in.getattr_flags & kern::GETATTR_FH ? &fi : nullptr);
}

void Calls::setattr(const kern::fuse_setattr_in& in)
{
    if (!ops_.setattr)
        return missing();
    struct stat attr {};
    decode_setattr(in, attr);
    fuse_file_info fi{};
    fi.fh = in.fh;
    fuse_file_info* open_file = in.valid & kern::FATTR_FH ? &fi : nullptr;
    ops_.setattr(req_, node_, &attr, static_cast<int>(in.valid & kSetattrBits), open_file);
}

void Calls::statx(const kern::fuse_statx_in& in)
{
    if (!ops_.statx)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.statx(req_, node_, static_cast<int>(in.sx_flags), static_cast<int>(in.sx_mask),
               in.getattr_flags & kern::GETATTR_FH ? &fi : nullptr);
}

void Calls::access(const kern::fuse_access_in& in)
{
    ops_.access ? ops_.access(req_, node_, static_cast<int>(in.mask)) : missing();
}

void Calls::readlink()
{
    ops_.readlink ? ops_.readlink(req_, node_) : missing();
}

void Calls::statfs()
{
    if (ops_.statfs)
        return ops_.statfs(req_, node_);
    struct statvfs nothing {};
    nothing.f_namemax = 255;
    nothing.f_bsize = 512;
    fuse_reply_statfs(req_, &nothing);
}

void Calls::syncfs()
{
    ops_.syncfs ? ops_.syncfs(req_, node_) : missing();
}

void Calls::bmap(const kern::fuse_bmap_in& in)
{
    ops_.bmap ? ops_.bmap(req_, node_, in.blocksize, in.block) : missing();
}

void Calls::symlink(const char* name, const char* target)
{
    ops_.symlink ? ops_.symlink(req_, target, node_, name) : missing();
}

void Calls::mknod(const kern::fuse_mknod_in& in, const char* name)
{
    take_umask(in.umask);
    ops_.mknod ? ops_.mknod(req_, node_, name, in.mode, in.rdev) : missing();
}

void Calls::mkdir(const kern::fuse_mkdir_in& in, const char* name)
{
    take_umask(in.umask);
    ops_.mkdir ? ops_.mkdir(req_, node_, name, in.mode) : missing();
}

void Calls::unlink(const char* name)
{
    ops_.unlink ? ops_.unlink(req_, node_, name) : missing();
}

void Calls::rmdir(const char* name)
{
    ops_.rmdir ? ops_.rmdir(req_, node_, name) : missing();
}

void Calls::rename(uint64_t newdir, uint32_t flags, const char* oldname, const char* newname)
{
    ops_.rename ? ops_.rename(req_, node_, oldname, newdir, newname, flags) : missing();
}

void Calls::link(const kern::fuse_link_in& in, const char* newname)
{
    ops_.link ? ops_.link(req_, in.oldnodeid, node_, newname) : missing();
}

void Calls::create(const kern::fuse_create_in& in, const char* name)
{
    take_umask(in.umask);
    if (!ops_.create)
        return missing();
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    ops_.create(req_, node_, name, in.mode, &fi);
}

void Calls::tmpfile(const kern::fuse_create_in& in, const char*)
{
    take_umask(in.umask);
    if (!ops_.tmpfile)
        return missing();
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    ops_.tmpfile(req_, node_, in.mode, &fi);
}

} // namespace rf
