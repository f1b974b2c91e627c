// Decoders of requests on open files that carry data, or whose shape depends on the peer.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

bool decode_read(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_read_in in;
    if (!args.read_struct(in, pre_7_9_bytes(args, peer, sizeof(in), kern::kCompatReadInBytes)))
        return false;
    ops.read(in);
    return true;
}

bool decode_write(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_write_in in;
    if (!args.read_struct(in, peer.minor < 9 ? kern::kCompatWriteInBytes : sizeof(in)))
        return false;
    const std::span<const std::byte> data = args.read_bytes(in.size);
    if (!args.ok())
        return false;
    ops.write(in, data);
    return true;
}

bool decode_ioctl(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_ioctl_in in;
    if (!args.read_struct(in))
        return false;
    const std::span<const std::byte> data = args.read_bytes(in.in_size);
    if (!args.ok())
        return false;
    ops.ioctl(in, data);
    return true;
}

namespace {

bool copy_file_range(ArgReader& args, Operations& ops, bool wide)
{
    kern::fuse_copy_file_range_in in;
    if (!args.read_struct(in))
        return false;
    ops.copy_file_range(in, wide);
    return true;
}

} // namespace

bool decode_copy_file_range(ArgReader& args, const Peer&, Operations& ops)
{
    return copy_file_range(args, ops, /* wide= */ false);
}

bool decode_copy_file_range_64(ArgReader& args, const Peer&, Operations& ops)
{
    return copy_file_range(args, ops, /* wide= */ true);
}

} // namespace proto
} // namespace rf
