// Decoder of SETXATTR, whose structure has two sizes whatever the minor.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

bool decode_setxattr(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_setxattr_in in;
    if (!args.read_struct(in, peer.setxattr_ext ? sizeof(in) : kern::kCompatSetxattrInBytes))
        return false;
    const char* name = args.read_name();
    const std::span<const std::byte> value = args.read_bytes(in.size);
    if (!args.ok())
        return false;
    ops.setxattr(in, name, value);
    return true;
}

} // namespace proto
} // namespace rf
