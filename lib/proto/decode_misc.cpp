// Decoders of requests about the connection as a whole.
#include "proto/decoders.hpp"

#include <algorithm>

namespace rf {
inline namespace proto {

bool decode_init(ArgReader& args, const Peer&, Operations& ops)
{
    // Nothing is negotiated yet, so the length itself tells the kernel's age: two words, 16 bytes, or 64. A
    // later kernel may send more.
    constexpr size_t kVersionBytes = 2 * sizeof(uint32_t);
    kern::fuse_init_in in;
    const size_t wire_bytes = std::min(args.remaining(), sizeof(in));
    if (wire_bytes < kVersionBytes || !args.read_struct(in, wire_bytes))
        return false;
    ops.init(in, wire_bytes);
    return true;
}

bool decode_notify_reply(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_notify_retrieve_in in;
    if (!args.read_struct(in))
        return false;
    const std::span<const std::byte> data = args.read_bytes(in.size);
    if (!args.ok())
        return false;
    ops.notify_reply(in, data);
    return true;
}

bool decode_syncfs(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_syncfs_in in; // carries padding only
    if (!args.read_struct(in))
        return false;
    ops.syncfs();
    return true;
}

} // namespace proto
} // namespace rf
