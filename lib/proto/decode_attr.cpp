// Decoder of GETATTR. SETATTR, STATX and ACCESS never changed their structure and need none of their own.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

bool decode_getattr(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_getattr_in in;
    if (!args.read_struct(in, pre_7_9_bytes(args, peer, sizeof(in), /* old_bytes= */ 0)))
        return false;
    ops.getattr(in);
    return true;
}

} // namespace proto
} // namespace rf
