// The opcode table and the way from a message to its decoder: see opcodes.hpp.
//
// A new opcode is one row here, one method in operations.hpp, and a decoder if none of the generic ones fits.
#include "proto/opcodes.hpp"

#include "proto/decoders.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace rf {
inline namespace proto {

namespace {

using O = Operations;

constexpr bool kNoReply = false;

constexpr size_t kDenseRows = 64;

// Rows in the order of the wire's numbers. fixed_bytes is the first argument of the kernel's list: what the
// ring delivers in op_in. NOTIFY_REPLY's structure is its second argument, hence 0.
constexpr OpRow kRows[] = {
    {kern::OP_LOOKUP, "LOOKUP", 0, true, decode_name<&O::lookup>},
    {kern::OP_FORGET, "FORGET", 8, kNoReply, decode_struct<kern::fuse_forget_in, &O::forget>},
    {kern::OP_GETATTR, "GETATTR", 16, true, decode_getattr},
    {kern::OP_SETATTR, "SETATTR", 88, true, decode_struct<kern::fuse_setattr_in, &O::setattr>},
    {kern::OP_READLINK, "READLINK", 0, true, decode_empty<&O::readlink>},
    {kern::OP_SYMLINK, "SYMLINK", 0, true, decode_symlink},
    {kern::OP_MKNOD, "MKNOD", 16, true, decode_mknod},
    {kern::OP_MKDIR, "MKDIR", 8, true, decode_struct_name<kern::fuse_mkdir_in, &O::mkdir>},
    {kern::OP_UNLINK, "UNLINK", 0, true, decode_name<&O::unlink>},
    {kern::OP_RMDIR, "RMDIR", 0, true, decode_name<&O::rmdir>},
    {kern::OP_RENAME, "RENAME", 8, true, decode_rename},
    {kern::OP_LINK, "LINK", 8, true, decode_struct_name<kern::fuse_link_in, &O::link>},
    {kern::OP_OPEN, "OPEN", 8, true, decode_struct<kern::fuse_open_in, &O::open>},
    {kern::OP_READ, "READ", 40, true, decode_read},
    {kern::OP_WRITE, "WRITE", 40, true, decode_write},
    {kern::OP_STATFS, "STATFS", 0, true, decode_empty<&O::statfs>},
    {kern::OP_RELEASE, "RELEASE", 24, true, decode_struct<kern::fuse_release_in, &O::release>},
    {kern::OP_FSYNC, "FSYNC", 16, true, decode_struct<kern::fuse_fsync_in, &O::fsync>},
    {kern::OP_SETXATTR, "SETXATTR", 16, true, decode_setxattr},
    {kern::OP_GETXATTR, "GETXATTR", 8, true, decode_struct_name<kern::fuse_getxattr_in, &O::getxattr>},
    {kern::OP_LISTXATTR, "LISTXATTR", 8, true, decode_struct<kern::fuse_getxattr_in, &O::listxattr>},
    {kern::OP_REMOVEXATTR, "REMOVEXATTR", 0, true, decode_name<&O::removexattr>},
    {kern::OP_FLUSH, "FLUSH", 24, true, decode_struct<kern::fuse_flush_in, &O::flush>},
    {kern::OP_INIT, "INIT", 64, true, decode_init},
    {kern::OP_OPENDIR, "OPENDIR", 8, true, decode_struct<kern::fuse_open_in, &O::opendir>},
    {kern::OP_READDIR, "READDIR", 40, true, decode_readdir},
    {kern::OP_RELEASEDIR, "RELEASEDIR", 24, true, decode_struct<kern::fuse_release_in, &O::releasedir>},
    {kern::OP_FSYNCDIR, "FSYNCDIR", 16, true, decode_struct<kern::fuse_fsync_in, &O::fsyncdir>},
    {kern::OP_GETLK, "GETLK", 48, true, decode_getlk},
    {kern::OP_SETLK, "SETLK", 48, true, decode_setlk},
    {kern::OP_SETLKW, "SETLKW", 48, true, decode_setlkw},
    {kern::OP_ACCESS, "ACCESS", 8, true, decode_struct<kern::fuse_access_in, &O::access>},
    {kern::OP_CREATE, "CREATE", 16, true, decode_create},
    {kern::OP_INTERRUPT, "INTERRUPT", 8, kNoReply, decode_struct<kern::fuse_interrupt_in, &O::interrupt>},
    {kern::OP_BMAP, "BMAP", 16, true, decode_struct<kern::fuse_bmap_in, &O::bmap>},
    {kern::OP_DESTROY, "DESTROY", 0, true, decode_empty<&O::destroy>},
    {kern::OP_IOCTL, "IOCTL", 32, true, decode_ioctl},
    {kern::OP_POLL, "POLL", 24, true, decode_struct<kern::fuse_poll_in, &O::poll>},
    {kern::OP_NOTIFY_REPLY, "NOTIFY_REPLY", 0, kNoReply, decode_notify_reply},
    {kern::OP_BATCH_FORGET, "BATCH_FORGET", 8, kNoReply, decode_batch_forget},
    {kern::OP_FALLOCATE, "FALLOCATE", 32, true, decode_struct<kern::fuse_fallocate_in, &O::fallocate>},
    {kern::OP_READDIRPLUS, "READDIRPLUS", 40, true, decode_readdirplus},
    {kern::OP_RENAME2, "RENAME2", 16, true, decode_rename2},
    {kern::OP_LSEEK, "LSEEK", 24, true, decode_struct<kern::fuse_lseek_in, &O::lseek>},
    {kern::OP_COPY_FILE_RANGE, "COPY_FILE_RANGE", 56, true, decode_copy_file_range},
    {kern::OP_SYNCFS, "SYNCFS", 8, true, decode_syncfs},
    {kern::OP_TMPFILE, "TMPFILE", 16, true, decode_struct_name<kern::fuse_create_in, &O::tmpfile>},
    {kern::OP_STATX, "STATX", 24, true, decode_struct<kern::fuse_statx_in, &O::statx>},
    {kern::OP_COPY_FILE_RANGE_64, "COPY_FILE_RANGE_64", 56, true, decode_copy_file_range_64},
};

constexpr OpRow kCuseInitRow{kern::OP_CUSE_INIT, "CUSE_INIT", 16, true,
                             decode_struct<kern::cuse_init_in, &O::cuse_init>};

/// Opcode -> 1 + its place in kRows, 0 for none.
constexpr std::array<uint8_t, kDenseRows> kPlace = [] {
    std::array<uint8_t, kDenseRows> place{};
    for (uint8_t i = 0; i < std::size(kRows); ++i)
        place[kRows[i].opcode] = i + 1; // an opcode out of range does not compile
    return place;
}();

static_assert(std::ranges::all_of(kRows,
                                  [](const OpRow& row) { return row.fixed_bytes <= kern::kRingAreaBytes; }));
} // namespace

const OpRow* find_op(uint32_t opcode) noexcept
{
    if (opcode < kDenseRows)
        return kPlace[opcode] ? &kRows[kPlace[opcode] - 1] : nullptr;
    return opcode == kern::OP_CUSE_INIT ? &kCuseInitRow : nullptr;
}

const char* op_name(uint32_t opcode) noexcept
{
    const OpRow* row = find_op(opcode);
    return row ? row->name.data() : "?";
}

size_t fixed_bytes_for(const OpRow& row, const Peer& peer) noexcept
{
    switch (row.opcode) {
    case kern::OP_WRITE:
        return peer.minor < 9 ? kern::kCompatWriteInBytes : row.fixed_bytes;
    case kern::OP_MKNOD:
        return peer.minor < 12 ? kern::kCompatMknodInBytes : row.fixed_bytes;
    case kern::OP_CREATE:
        return peer.minor < 12 ? kern::kCompatCreateInBytes : row.fixed_bytes;
    case kern::OP_SETXATTR:
        return peer.setxattr_ext ? row.fixed_bytes : kern::kCompatSetxattrInBytes;
    default:
        return row.fixed_bytes;
    }
}

int decode(const OpRow& row, const Incoming& message, const Peer& peer, Operations& ops)
{
    const bool ring = message.rest.data() != nullptr;
    const size_t ext_bytes = extensions(message).size();
    if (ext_bytes != size_t{message.header.total_extlen} * 8)
        return -EINVAL;

    std::span<const std::byte> fixed = message.fixed;
    std::span<const std::byte> rest = message.rest;
    if (ring) {
        // Behind the structure, and everywhere if there is none, op_in holds bytes of an earlier request.
        fixed = fixed.first(std::min(fixed.size(), fixed_bytes_for(row, peer)));
        rest = rest.first(rest.size() - ext_bytes);
    } else {
        fixed = fixed.first(fixed.size() - ext_bytes);
    }
    ArgReader args(fixed, rest);
    return row.decode(args, peer, ops) ? 0 : -EINVAL;
}

} // namespace proto
} // namespace rf
