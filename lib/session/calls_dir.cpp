// Calls that work on directories and extended attributes.
#include "session/calls.hpp"

namespace rf {

void Calls::opendir(const kern::fuse_open_in& in)
{
    if (!ops_.opendir)
        return open_missing(FUSE_CAP_NO_OPENDIR_SUPPORT);
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    ops_.opendir(req_, node_, &fi);
}

void Calls::readdir(const kern::fuse_read_in& in)
{
    if (!ops_.readdir)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.readdir(req_, node_, in.size, static_cast<off_t>(in.offset), &fi);
}

void Calls::readdirplus(const kern::fuse_read_in& in)
{
    if (!ops_.readdirplus)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.readdirplus(req_, node_, in.size, static_cast<off_t>(in.offset), &fi);
}

void Calls::releasedir(const kern::fuse_release_in& in)
{
    if (!ops_.releasedir)
        return done();
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    fi.fh = in.fh;
    ops_.releasedir(req_, node_, &fi);
}

void Calls::fsyncdir(const kern::fuse_fsync_in& in)
{
    if (!ops_.fsyncdir)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.fsyncdir(req_, node_, static_cast<int>(in.fsync_flags & kern::FSYNC_FDATASYNC), &fi);
}

void Calls::setxattr(const kern::fuse_setxattr_in& in, const char* name, Bytes value)
{
    if (!ops_.setxattr)
        return missing();
    ops_.setxattr(req_, node_, name, reinterpret_cast<const char*>(value.data()), value.size(),
                  static_cast<int>(in.flags));
}

void Calls::getxattr(const kern::fuse_getxattr_in& in, const char* name)
{
    ops_.getxattr ? ops_.getxattr(req_, node_, name, in.size) : missing();
}

void Calls::listxattr(const kern::fuse_getxattr_in& in)
{
    ops_.listxattr ? ops_.listxattr(req_, node_, in.size) : missing();
}

void Calls::removexattr(const char* name)
{
    ops_.removexattr ? ops_.removexattr(req_, node_, name) : missing();
}

} // namespace rf
