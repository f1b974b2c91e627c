// The decoders, one per opcode shape, for the table in opcodes.cpp and for nobody else. Each reads a body and
// makes one call on the visitor, or returns false without a call.
#pragma once

#include "proto/opcodes.hpp"

namespace rf {
inline namespace proto {

using DecodeFn = bool(ArgReader&, const Peer&, Operations&);

/// Serves every opcode whose body is one structure that never changed.
template <class T, void (Operations::*Call)(const T&)>
bool decode_struct(ArgReader& args, const Peer&, Operations& ops)
{
    T in;
    if (!args.read_struct(in))
        return false;
    (ops.*Call)(in);
    return true;
}

/// Serves every opcode whose body is a name.
template <void (Operations::*Call)(const char*)>
bool decode_name(ArgReader& args, const Peer&, Operations& ops)
{
    const char* name = args.read_name();
    if (!name)
        return false;
    (ops.*Call)(name);
    return true;
}

/// Serves every opcode without a body.
template <void (Operations::*Call)()>
bool decode_empty(ArgReader&, const Peer&, Operations& ops)
{
    (ops.*Call)();
    return true;
}

/// Serves every opcode whose body is a structure and a name.
template <class T, void (Operations::*Call)(const T&, const char*)>
bool decode_struct_name(ArgReader& args, const Peer&, Operations& ops)
{
    T in;
    if (!args.read_struct(in))
        return false;
    const char* name = args.read_name();
    if (!name)
        return false;
    (ops.*Call)(in, name);
    return true;
}

// decode_lookup.cpp: names in a directory
DecodeFn decode_symlink, decode_mknod, decode_create, decode_rename, decode_rename2, decode_batch_forget;
// decode_attr.cpp
DecodeFn decode_getattr;
// decode_io.cpp
DecodeFn decode_read, decode_write, decode_ioctl, decode_copy_file_range, decode_copy_file_range_64;
// decode_dir.cpp
DecodeFn decode_readdir, decode_readdirplus;
// decode_xattr.cpp
DecodeFn decode_setxattr;
// decode_lock.cpp
DecodeFn decode_getlk, decode_setlk, decode_setlkw;
// decode_misc.cpp: the connection
DecodeFn decode_init, decode_notify_reply, decode_syncfs;

/// Size of a structure a kernel older than 7.9 sends short: today's kernels send it whole even to such a
/// peer, so what is there decides. REQUIRES: the structure is the whole body.
[[nodiscard]] inline size_t pre_7_9_bytes(const ArgReader& args, const Peer& peer, size_t whole,
                                          size_t old_bytes)
{
    return peer.minor < 9 && args.remaining() < whole ? old_bytes : whole;
}

} // namespace proto
} // namespace rf
