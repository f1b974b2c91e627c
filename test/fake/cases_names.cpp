// Requests about names, attributes and the filesystem as a whole.
#include "cases.hpp"

#include <sys/stat.h>

namespace rf::fake {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

kern::fuse_attr_out wire_attr_out()
{
    return {.attr_valid = 2, .attr_valid_nsec = 500'000'000, .dummy = 0, .attr = sample_wire_attr()};
}

void answer_statx(fuse_req_t req)
{
    struct statx stat {};
    stat.stx_mask = 61;
    stat.stx_blksize = 62;
    stat.stx_attributes = 63;
    stat.stx_nlink = 64;
    stat.stx_uid = 65;
    stat.stx_gid = 66;
    stat.stx_mode = 67;
    stat.stx_ino = 68;
    stat.stx_size = 69;
    stat.stx_blocks = 70;
    stat.stx_attributes_mask = 71;
    stat.stx_atime.tv_sec = 72;
    stat.stx_btime.tv_sec = 73;
    stat.stx_ctime.tv_sec = 74;
    stat.stx_mtime.tv_sec = 75;
    stat.stx_mtime.tv_nsec = 76;
    stat.stx_rdev_major = 77;
    stat.stx_rdev_minor = 78;
    stat.stx_dev_major = 79;
    stat.stx_dev_minor = 80;
    fuse_reply_statx(req, 5, &stat, 1.5);
}

kern::fuse_statx_out wire_statx()
{
    kern::fuse_statx_out out{};
    out.attr_valid = 1;
    out.attr_valid_nsec = 500'000'000;
    out.flags = 5;
    out.stat = {.mask = 61,
                .blksize = 62,
                .attributes = 63,
                .nlink = 64,
                .uid = 65,
                .gid = 66,
                .mode = 67,
                .spare0 = {},
                .ino = 68,
                .size = 69,
                .blocks = 70,
                .attributes_mask = 71,
                .atime = {72, 0, 0},
                .btime = {73, 0, 0},
                .ctime = {74, 0, 0},
                .mtime = {75, 76, 0},
                .rdev_major = 77,
                .rdev_minor = 78,
                .dev_major = 79,
                .dev_minor = 80,
                .spare2 = {}};
    return out;
}

kern::fuse_setattr_in setattr_in(std::uint32_t valid)
{
    kern::fuse_setattr_in in{};
    in.valid = valid;
    in.fh = 1;
    in.size = 2;
    in.lock_owner = 3;
    in.atime = 4;
    in.mtime = 5;
    in.ctime = 6;
    in.atimensec = 7;
    in.mtimensec = 8;
    in.ctimensec = 9;
    in.mode = 10;
    in.uid = 11;
    in.gid = 12;
    return in;
}

constexpr const char* kSetattrText = "setattr 7 mode 10 uid 11 gid 12 size 2 atime 4 7 mtime 5 8 ctime 6 9 ";

Bytes default_statfs()
{
    kern::fuse_statfs_out out{};
    out.st.bsize = 512;
    out.st.namelen = 255;
    return bytes_of(out);
}

void answer_link_target(fuse_req_t req)
{
    fuse_reply_readlink(req, "../target");
}

void answer_bmap(fuse_req_t req)
{
    fuse_reply_bmap(req, 81);
}

void answer_length(fuse_req_t req)
{
    fuse_reply_xattr(req, 82);
}

std::vector<Case> attribute_cases()
{
    using namespace kern;
    const Bytes attr = bytes_of(wire_attr_out());
    // FH (0x40) and LOCKOWNER (0x200) are for the library, the rest for the filesystem.
    return {
        {"getattr", OP_GETATTR, bytes_of(fuse_getattr_in{0, 0, 9}), "getattr 7 no-file", answer_attr, attr},
        {"getattr of an open file", OP_GETATTR, bytes_of(fuse_getattr_in{1, 0, 9}),
         "getattr 7 fh 9 flags 0 owner 0", answer_attr, attr},
        {"setattr", OP_SETATTR, bytes_of(setattr_in(0x5af)), kSetattrText + "1455 no-file"s, answer_attr,
         attr},
        {"setattr of an open file", OP_SETATTR, bytes_of(setattr_in(0xa48)),
         kSetattrText + "2056 fh 1 flags 0 owner 0"s, answer_attr, attr},
        {"statx", OP_STATX, bytes_of(fuse_statx_in{0, 0, 1, 2, 3}), "statx 7 2 3 no-file", answer_statx,
         bytes_of(wire_statx())},
        {"statx of an open file", OP_STATX, bytes_of(fuse_statx_in{1, 0, 1, 2, 3}),
         "statx 7 2 3 fh 1 flags 0 owner 0", answer_statx, bytes_of(wire_statx())},
        {"access", OP_ACCESS, bytes_of(fuse_access_in{4, 0}), "access 7 4", answer_ok},
        {"setxattr", OP_SETXATTR, bytes_of(fuse_setxattr_in{5, 1, 1, 0}) + text("user.a\0value"sv),
         "setxattr 7 user.a 'value' 1", answer_ok},
        {"getxattr", OP_GETXATTR, bytes_of(fuse_getxattr_in{100, 0}) + text("user.a\0"sv),
         "getxattr 7 user.a 100", answer_buffer, text("content")},
        {"getxattr for its length", OP_GETXATTR, bytes_of(fuse_getxattr_in{}) + text("user.a\0"sv),
         "getxattr 7 user.a 0", answer_length, bytes_of(fuse_getxattr_out{82, 0})},
        {"listxattr", OP_LISTXATTR, bytes_of(fuse_getxattr_in{100, 0}), "listxattr 7 100", answer_buffer,
         text("content")},
        {"listxattr for its length", OP_LISTXATTR, bytes_of(fuse_getxattr_in{}), "listxattr 7 0",
         answer_length, bytes_of(fuse_getxattr_out{82, 0})},
        {"removexattr", OP_REMOVEXATTR, text("user.a\0"sv), "removexattr 7 user.a", answer_ok},
        {"statfs",
         OP_STATFS,
         {},
         "statfs 7",
         answer_statfs,
         bytes_of(sample_wire_statfs()),
         0,
         default_statfs()},
        {"syncfs", OP_SYNCFS, bytes_of(fuse_syncfs_in{}), "syncfs 7", answer_ok},
        {"bmap", OP_BMAP, bytes_of(fuse_bmap_in{83, 512, 0}), "bmap 7 512 83", answer_bmap,
         bytes_of(fuse_bmap_out{81})},
    };
}

} // namespace

std::vector<Case> name_cases()
{
    using namespace kern;
    const Bytes entry = bytes_of(sample_wire_entry());
    const Bytes created = entry + bytes_of(sample_wire_open());
    std::vector<Case> cases = {
        {"lookup", OP_LOOKUP, text("name\0"sv), "lookup 7 name", answer_entry, entry},
        {"readlink", OP_READLINK, {}, "readlink 7", answer_link_target, text("../target")},
        {"symlink", OP_SYMLINK, text("name\0to/target\0"sv), "symlink to/target 7 name", answer_entry, entry},
        {"mknod", OP_MKNOD, bytes_of(fuse_mknod_in{1, 2, 3, 0}) + text("name\0"sv),
         "mknod 7 name 1 2 umask 3", answer_entry, entry},
        {"mkdir", OP_MKDIR, bytes_of(fuse_mkdir_in{1, 2}) + text("name\0"sv), "mkdir 7 name 1 umask 2",
         answer_entry, entry},
        {"unlink", OP_UNLINK, text("name\0"sv), "unlink 7 name", answer_ok},
        {"rmdir", OP_RMDIR, text("name\0"sv), "rmdir 7 name", answer_ok},
        {"rename", OP_RENAME, bytes_of(fuse_rename_in{8}) + text("old\0new\0"sv), "rename 7 old 8 new 0",
         answer_ok},
        {"rename with flags", OP_RENAME2, bytes_of(fuse_rename2_in{8, 2, 0}) + text("old\0new\0"sv),
         "rename 7 old 8 new 2", answer_ok},
        {"link", OP_LINK, bytes_of(fuse_link_in{8}) + text("name\0"sv), "link 8 7 name", answer_entry, entry},
        {"create", OP_CREATE, bytes_of(fuse_create_in{1, 2, 3, 0}) + text("name\0"sv),
         "create 7 name 2 fh 0 flags 1 owner 0 umask 3", answer_create, created},
        {"tmpfile", OP_TMPFILE, bytes_of(fuse_create_in{1, 2, 3, 0}) + text("#1\0"sv),
         "tmpfile 7 2 fh 0 flags 1 owner 0 umask 3", answer_create, created},
    };
    const std::vector<Case> more = attribute_cases();
    cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

} // namespace rf::fake
