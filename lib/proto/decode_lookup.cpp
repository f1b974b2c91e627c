// Decoders of requests about names in a directory, and of BATCH_FORGET.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

bool decode_symlink(ArgReader& args, const Peer&, Operations& ops)
{
    const char* name = args.read_name();
    const char* target = args.read_name();
    if (!args.ok())
        return false;
    ops.symlink(name, target);
    return true;
}

bool decode_mknod(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_mknod_in in;
    if (!args.read_struct(in, peer.minor < 12 ? kern::kCompatMknodInBytes : sizeof(in)))
        return false;
    const char* name = args.read_name();
    if (!name)
        return false;
    ops.mknod(in, name);
    return true;
}

bool decode_create(ArgReader& args, const Peer& peer, Operations& ops)
{
    // Peers before 7.12 send open's old structure: flags and mode, which is how this one begins too.
    kern::fuse_create_in in;
    if (!args.read_struct(in, peer.minor < 12 ? kern::kCompatCreateInBytes : sizeof(in)))
        return false;
    const char* name = args.read_name();
    if (!name)
        return false;
    ops.create(in, name);
    return true;
}

namespace {

bool finish_rename(ArgReader& args, Operations& ops, uint64_t newdir, uint32_t flags)
{
    const char* oldname = args.read_name();
    const char* newname = args.read_name();
    if (!args.ok())
        return false;
    ops.rename(newdir, flags, oldname, newname);
    return true;
}

} // namespace

bool decode_rename(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_rename_in in;
    return args.read_struct(in) && finish_rename(args, ops, in.newdir, /* flags= */ 0);
}

bool decode_rename2(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_rename2_in in;
    return args.read_struct(in) && finish_rename(args, ops, in.newdir, in.flags);
}

bool decode_batch_forget(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_batch_forget_in in;
    if (!args.read_struct(in))
        return false;
    // 32-bit count times 16: no overflow in size_t.
    const std::span<const std::byte> records =
        args.read_bytes(size_t{in.count} * sizeof(kern::fuse_forget_one));
    if (!args.ok())
        return false;
    ops.batch_forget(records, in.count);
    return true;
}

} // namespace proto
} // namespace rf
