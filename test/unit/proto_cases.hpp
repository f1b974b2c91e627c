// One well-formed request per opcode and peer, with the call it must produce. Shared by the decoder tests.
#pragma once

#include "proto_recorder.hpp"

namespace rf::test {

struct Case {
    const char* title;
    Message message;
    Peer peer;
    std::string expected;
    bool on_ring = true; ///< false: a shape only kernels older than 7.9 send, and only through the device
};

constexpr Peer kModern{.minor = 45, .setxattr_ext = true};

/// A structure whose bytes all differ, so that a field read from the wrong place shows.
template <class T>
T patterned(uint8_t start = 1)
{
    T out;
    auto* bytes = reinterpret_cast<uint8_t*>(&out);
    for (size_t i = 0; i < sizeof(T); ++i)
        bytes[i] = static_cast<uint8_t>(start + i);
    return out;
}

/// As patterned(), but only the first `count` bytes; the rest is zero, as an old peer's message must arrive.
template <class T>
T patterned_head(size_t count)
{
    T out = patterned<T>();
    std::memset(reinterpret_cast<uint8_t*>(&out) + count, 0, sizeof(T) - count);
    return out;
}

inline Bytes text(std::string_view content)
{
    return bytes_of(content);
}

using namespace std::string_view_literals;

template <class T>
Case struct_case(uint32_t opcode, const char* method)
{
    const T in = patterned<T>();
    return {method, {opcode, bytes_of_struct(in), {}, {}}, kModern, call(method, in)};
}

template <class T>
Case struct_name_case(uint32_t opcode, const char* method)
{
    const T in = patterned<T>();
    return {
        method, {opcode, bytes_of_struct(in), text("a name\0"sv), {}}, kModern, call(method, in, "a name")};
}

inline Case name_case(uint32_t opcode, const char* method)
{
    return {method, {opcode, {}, text("a name\0"sv), {}}, kModern, call(method, "a name")};
}

inline Case empty_case(uint32_t opcode, const char* method)
{
    return {method, {opcode, {}, {}, {}}, kModern, call(method)};
}

/// `wire` bytes of the structure instead of all, and the fields behind them zero.
template <class T>
Case short_case(uint32_t opcode, const char* method, const char* title, uint32_t minor, size_t wire)
{
    const T in = patterned_head<T>(wire);
    return {title, {opcode, bytes_of_struct(in, wire), {}, {}}, {.minor = minor}, call(method, in), false};
}

inline std::vector<Case> simple_cases()
{
    using namespace kern;
    return {
        name_case(OP_LOOKUP, "lookup"),
        struct_case<fuse_forget_in>(OP_FORGET, "forget"),
        struct_case<fuse_getattr_in>(OP_GETATTR, "getattr"),
        struct_case<fuse_setattr_in>(OP_SETATTR, "setattr"),
        empty_case(OP_READLINK, "readlink"),
        struct_name_case<fuse_mknod_in>(OP_MKNOD, "mknod"),
        struct_name_case<fuse_mkdir_in>(OP_MKDIR, "mkdir"),
        name_case(OP_UNLINK, "unlink"),
        name_case(OP_RMDIR, "rmdir"),
        struct_name_case<fuse_link_in>(OP_LINK, "link"),
        struct_case<fuse_open_in>(OP_OPEN, "open"),
        struct_case<fuse_read_in>(OP_READ, "read"),
        empty_case(OP_STATFS, "statfs"),
        struct_case<fuse_release_in>(OP_RELEASE, "release"),
        struct_case<fuse_fsync_in>(OP_FSYNC, "fsync"),
        struct_name_case<fuse_getxattr_in>(OP_GETXATTR, "getxattr"),
        struct_case<fuse_getxattr_in>(OP_LISTXATTR, "listxattr"),
        name_case(OP_REMOVEXATTR, "removexattr"),
        struct_case<fuse_flush_in>(OP_FLUSH, "flush"),
        struct_case<fuse_open_in>(OP_OPENDIR, "opendir"),
        struct_case<fuse_read_in>(OP_READDIR, "readdir"),
        struct_case<fuse_release_in>(OP_RELEASEDIR, "releasedir"),
        struct_case<fuse_fsync_in>(OP_FSYNCDIR, "fsyncdir"),
        struct_case<fuse_lk_in>(OP_GETLK, "getlk"),
        struct_case<fuse_access_in>(OP_ACCESS, "access"),
        struct_name_case<fuse_create_in>(OP_CREATE, "create"),
        struct_case<fuse_interrupt_in>(OP_INTERRUPT, "interrupt"),
        struct_case<fuse_bmap_in>(OP_BMAP, "bmap"),
        empty_case(OP_DESTROY, "destroy"),
        struct_case<fuse_poll_in>(OP_POLL, "poll"),
        struct_case<fuse_fallocate_in>(OP_FALLOCATE, "fallocate"),
        struct_case<fuse_read_in>(OP_READDIRPLUS, "readdirplus"),
        struct_case<fuse_lseek_in>(OP_LSEEK, "lseek"),
        struct_name_case<fuse_create_in>(OP_TMPFILE, "tmpfile"),
        struct_case<fuse_statx_in>(OP_STATX, "statx"),
        struct_case<cuse_init_in>(OP_CUSE_INIT, "cuse_init"),
    };
}

/// Opcodes with data, with more than one name, or with an argument that is no structure.
inline std::vector<Case> special_cases()
{
    using namespace kern;
    std::vector<Case> cases;
    const auto add = [&cases](const char* title, uint32_t opcode, Bytes fixed, Bytes payload,
                              std::string expected) {
        cases.push_back(
            {title, {opcode, std::move(fixed), std::move(payload), {}}, kModern, std::move(expected)});
    };
    const Bytes data = text("data\0\xff"sv);
    const std::span<const std::byte> data_span(data);

    add("symlink", OP_SYMLINK, {}, text("name\0target\0"sv), call("symlink", "name", "target"));
    add("rename", OP_RENAME, bytes_of_struct(fuse_rename_in{77}), text("old\0new\0"sv),
        call("rename", 77, 0, "old", "new"));
    add("rename2", OP_RENAME2, bytes_of_struct(fuse_rename2_in{77, 5, 0}), text("old\0new\0"sv),
        call("rename", 77, 5, "old", "new"));

    auto write = patterned<fuse_write_in>();
    write.size = 6;
    add("write", OP_WRITE, bytes_of_struct(write), data, call("write", write, data_span));
    write.size = 0;
    add("write of nothing", OP_WRITE, bytes_of_struct(write), {}, call("write", write, data_span.first(0)));

    auto setxattr = patterned<fuse_setxattr_in>();
    setxattr.size = 6;
    Bytes named = text("user.a\0"sv);
    append(named, data);
    add("setxattr", OP_SETXATTR, bytes_of_struct(setxattr), named,
        call("setxattr", setxattr, "user.a", data_span));

    auto ioctl = patterned<fuse_ioctl_in>();
    ioctl.in_size = 6;
    add("ioctl", OP_IOCTL, bytes_of_struct(ioctl), data, call("ioctl", ioctl, data_span));
    ioctl.in_size = 0;
    add("ioctl without data", OP_IOCTL, bytes_of_struct(ioctl), {}, call("ioctl", ioctl, data_span.first(0)));

    auto retrieved = patterned<fuse_notify_retrieve_in>();
    retrieved.size = 6;
    Bytes reply = bytes_of_struct(retrieved);
    append(reply, data);
    add("notify_reply", OP_NOTIFY_REPLY, {}, reply, call("notify_reply", retrieved, data_span));

    Bytes records = bytes_of_struct(fuse_forget_one{3, 1});
    append(records, bytes_of_struct(fuse_forget_one{4, 2}));
    add("batch_forget", OP_BATCH_FORGET, bytes_of_struct(fuse_batch_forget_in{2, 0}), records,
        call("batch_forget", std::span<const std::byte>(records), 2));
    add("empty batch_forget", OP_BATCH_FORGET, bytes_of_struct(fuse_batch_forget_in{0, 0}), {},
        call("batch_forget", data_span.first(0), 0));

    add("syncfs", OP_SYNCFS, bytes_of_struct(patterned<fuse_syncfs_in>()), {}, call("syncfs"));
    const auto lock = patterned<fuse_lk_in>();
    add("setlk", OP_SETLK, bytes_of_struct(lock), {}, call("setlk", lock, false));
    add("setlkw", OP_SETLKW, bytes_of_struct(lock), {}, call("setlk", lock, true));
    const auto range = patterned<fuse_copy_file_range_in>();
    add("copy_file_range", OP_COPY_FILE_RANGE, bytes_of_struct(range), {},
        call("copy_file_range", range, false));
    add("copy_file_range_64", OP_COPY_FILE_RANGE_64, bytes_of_struct(range), {},
        call("copy_file_range", range, true));
    return cases;
}

inline Case setxattr_without_ext(uint32_t minor)
{
    auto in = patterned_head<kern::fuse_setxattr_in>(8);
    in.size = 1;
    const Bytes value = text("v"sv);
    return {"setxattr without SETXATTR_EXT",
            {kern::OP_SETXATTR, bytes_of_struct(in, 8), text("user.a\0v"sv), {}},
            {.minor = minor, .setxattr_ext = false},
            call("setxattr", in, "user.a", std::span<const std::byte>(value))};
}

/// Sizes of old minors.
inline std::vector<Case> compat_cases()
{
    using namespace kern;
    std::vector<Case> cases = {setxattr_without_ext(45), setxattr_without_ext(8)};

    auto write = patterned_head<fuse_write_in>(24);
    write.size = 4;
    const Bytes data = text("data"sv);
    cases.push_back({"write below 7.9",
                     {OP_WRITE, bytes_of_struct(write, 24), data, {}},
                     {.minor = 8},
                     call("write", write, std::span<const std::byte>(data))});
    const auto mknod = patterned_head<fuse_mknod_in>(8);
    cases.push_back({"mknod below 7.12",
                     {OP_MKNOD, bytes_of_struct(mknod, 8), text("n\0"sv), {}},
                     {.minor = 11},
                     call("mknod", mknod, "n")});
    const auto create = patterned_head<fuse_create_in>(8);
    cases.push_back({"create below 7.12",
                     {OP_CREATE, bytes_of_struct(create, 8), text("n\0"sv), {}},
                     {.minor = 11},
                     call("create", create, "n")});
    cases.push_back(short_case<fuse_getattr_in>(OP_GETATTR, "getattr", "getattr below 7.9", 8, 0));
    cases.push_back(short_case<fuse_read_in>(OP_READ, "read", "read below 7.9", 8, 24));
    cases.push_back(short_case<fuse_read_in>(OP_READDIR, "readdir", "readdir below 7.9", 8, 24));
    cases.push_back(short_case<fuse_lk_in>(OP_GETLK, "getlk", "getlk below 7.9", 8, 40));
    // A current kernel that was told 7.8 sends these whole all the same.
    cases.push_back({"whole read below 7.9",
                     {OP_READ, bytes_of_struct(patterned<fuse_read_in>()), {}, {}},
                     {.minor = 8},
                     call("read", patterned<fuse_read_in>())});
    return cases;
}

inline std::vector<Case> all_cases()
{
    std::vector<Case> cases = simple_cases();
    for (const std::vector<Case>& more : {special_cases(), compat_cases()})
        cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

} // namespace rf::test
