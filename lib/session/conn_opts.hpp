// Connection options on the command line (max_write=, sync_read, no_splice_read, …): parsed before a session
// exists, applied by the filesystem inside its init(). Only programs that ask for them get them.
#pragma once

#include <fuse_common.h>
#include <fuse_opt.h>

/// The application sees only a pointer, and gives it back with free().
struct fuse_conn_info_opts {
    int atomic_o_trunc; // understood for old command lines; without effect
    int no_remote_posix_lock;
    int no_remote_flock;
    int splice_write, no_splice_write;
    int splice_move, no_splice_move;
    int splice_read, no_splice_read;
    int auto_inval_data, no_auto_inval_data;
    int async_dio, no_async_dio;
    int writeback_cache, no_writeback_cache;
    int async_read, sync_read;
    int readdirplus_no, readdirplus_yes, readdirplus_auto;
    unsigned max_write, max_readahead, max_background, congestion_threshold, time_gran;
    // A number counts only if it was given.
    int has_max_write, has_max_readahead, has_max_background, has_congestion_threshold, has_time_gran;
};

namespace rf {

/// Takes the options out of `args`. Malloc'ed, the caller's; nullptr after logging why.
[[nodiscard]] fuse_conn_info_opts* parse_conn_opts(fuse_args& args);

/// Puts them into `conn`. Abilities the kernel does not offer are passed over; of a pair, "no" has the last
/// word.
void apply_conn_opts(const fuse_conn_info_opts& opts, fuse_conn_info& conn) noexcept;

} // namespace rf
