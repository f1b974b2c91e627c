// Decoders of reads from open directories. They carry READ's structure, with READ's history.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

bool decode_readdir(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_read_in in;
    if (!args.read_struct(in, pre_7_9_bytes(args, peer, sizeof(in), kern::kCompatReadInBytes)))
        return false;
    ops.readdir(in);
    return true;
}

bool decode_readdirplus(ArgReader& args, const Peer&, Operations& ops)
{
    kern::fuse_read_in in;
    if (!args.read_struct(in))
        return false;
    ops.readdirplus(in);
    return true;
}

} // namespace proto
} // namespace rf
