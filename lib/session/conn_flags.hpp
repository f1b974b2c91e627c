// What a filesystem asks of the connection: fuse_conn_info.want (32 bits, old programs) and want_ext (64
// bits).
//
// A program may change either field, raw or through the functions here; the two become one in
// reconcile_want(). To tell "changed" from "as we set it", the library's own choice has to be known. It rides
// in the last eight of the structure's reserved bytes, so it is found from the pointer alone, wherever the
// structure lives; the structure is 128 bytes in every family and programs do not write to `reserved`.
// Threads: the one inside init().
#pragma once

#include <cstdint>
#include <fuse_common.h>

namespace rf {

/// Sets want, want_ext and the remembered default to `default_want_ext`. Before init(); never the last word.
void set_default_want(fuse_conn_info& conn, std::uint64_t default_want_ext) noexcept;

/// The default remembered by set_default_want(), moved along by the set and unset functions below.
[[nodiscard]] std::uint64_t default_want(const fuse_conn_info& conn) noexcept;

/// After init(): makes want_ext the one truth and want its low half. 0; -EINVAL, after logging, if both
/// fields were changed from the default and do not agree. Safe to call again.
[[nodiscard]] int reconcile_want(fuse_conn_info& conn, std::uint64_t default_want_ext) noexcept;

/// The same with the remembered default.
[[nodiscard]] int reconcile_want(fuse_conn_info& conn) noexcept;

/// True if the kernel offers all of `flags`.
[[nodiscard]] bool is_capable(const fuse_conn_info& conn, std::uint64_t flags) noexcept;

/// Asks for `flags` if all of them are offered. Goes together with raw changes of either field before or
/// after.
bool want_flags(fuse_conn_info& conn, std::uint64_t flags) noexcept;

/// Stops asking for `flags`; as composable as want_flags().
void unwant_flags(fuse_conn_info& conn, std::uint64_t flags) noexcept;

/// Sets the bit field of one FUSE_CONN_FLAG_*, or of several. False, and nothing set, if one is unknown.
bool set_conn_flag(fuse_conn_info& conn, std::uint64_t flags) noexcept;

} // namespace rf
