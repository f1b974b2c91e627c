// Decoders of file locks, POSIX and flock alike.
#include "proto/decoders.hpp"

namespace rf {
inline namespace proto {

namespace {

bool read_lock(ArgReader& args, const Peer& peer, kern::fuse_lk_in& in)
{
    return args.read_struct(in, pre_7_9_bytes(args, peer, sizeof(in), kern::kCompatLkInBytes));
}

} // namespace

bool decode_getlk(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_lk_in in;
    if (!read_lock(args, peer, in))
        return false;
    ops.getlk(in);
    return true;
}

bool decode_setlk(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_lk_in in;
    if (!read_lock(args, peer, in))
        return false;
    ops.setlk(in, /* sleep= */ false);
    return true;
}

bool decode_setlkw(ArgReader& args, const Peer& peer, Operations& ops)
{
    kern::fuse_lk_in in;
    if (!read_lock(args, peer, in))
        return false;
    ops.setlk(in, /* sleep= */ true);
    return true;
}

} // namespace proto
} // namespace rf
