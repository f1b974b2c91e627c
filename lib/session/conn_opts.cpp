// Tables of the connection options and their effect.
#include "session/conn_opts.hpp"

#include "base/log.hpp"
#include "session/conn_flags.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fuse_opt.h>

namespace rf {
namespace {

using Opts = fuse_conn_info_opts;

#define RF_FLAG(name, field)                                                                                 \
    {                                                                                                        \
        name, offsetof(Opts, field), 1                                                                       \
    }
#define RF_NUMBER(field)                                                                                     \
    {#field "=%u", offsetof(Opts, field), 0},                                                                \
    {                                                                                                        \
#field "=", offsetof(Opts, has_##field), 1                                                           \
    }

constexpr fuse_opt kTable[] = {
    RF_NUMBER(max_write),
    RF_NUMBER(max_readahead),
    RF_NUMBER(max_background),
    RF_NUMBER(congestion_threshold),
    RF_NUMBER(time_gran),
    RF_FLAG("async_read", async_read),
    RF_FLAG("sync_read", sync_read),
    RF_FLAG("atomic_o_trunc", atomic_o_trunc),
    RF_FLAG("no_remote_lock", no_remote_posix_lock),
    RF_FLAG("no_remote_lock", no_remote_flock),
    RF_FLAG("no_remote_flock", no_remote_flock),
    RF_FLAG("no_remote_posix_lock", no_remote_posix_lock),
    RF_FLAG("splice_write", splice_write),
    RF_FLAG("no_splice_write", no_splice_write),
    RF_FLAG("splice_move", splice_move),
    RF_FLAG("no_splice_move", no_splice_move),
    RF_FLAG("splice_read", splice_read),
    RF_FLAG("no_splice_read", no_splice_read),
    RF_FLAG("auto_inval_data", auto_inval_data),
    RF_FLAG("no_auto_inval_data", no_auto_inval_data),
    RF_FLAG("readdirplus=no", readdirplus_no),
    RF_FLAG("readdirplus=yes", readdirplus_yes),
    RF_FLAG("readdirplus=auto", readdirplus_auto),
    RF_FLAG("async_dio", async_dio),
    RF_FLAG("no_async_dio", no_async_dio),
    RF_FLAG("writeback_cache", writeback_cache),
    RF_FLAG("no_writeback_cache", no_writeback_cache),
    FUSE_OPT_END,
};

#undef RF_FLAG
#undef RF_NUMBER

struct Pair {
    int Opts::*on;
    int Opts::*off;
    std::uint64_t flag;
};

// nullptr: there is no such option.
constexpr Pair kPairs[] = {
    {&Opts::splice_write, &Opts::no_splice_write, FUSE_CAP_SPLICE_WRITE},
    {&Opts::splice_move, &Opts::no_splice_move, FUSE_CAP_SPLICE_MOVE},
    {&Opts::splice_read, &Opts::no_splice_read, FUSE_CAP_SPLICE_READ},
    {&Opts::auto_inval_data, &Opts::no_auto_inval_data, FUSE_CAP_AUTO_INVAL_DATA},
    {&Opts::async_dio, &Opts::no_async_dio, FUSE_CAP_ASYNC_DIO},
    {&Opts::writeback_cache, &Opts::no_writeback_cache, FUSE_CAP_WRITEBACK_CACHE},
    {&Opts::async_read, &Opts::sync_read, FUSE_CAP_ASYNC_READ},
    {nullptr, &Opts::no_remote_posix_lock, FUSE_CAP_POSIX_LOCKS},
    {nullptr, &Opts::no_remote_flock, FUSE_CAP_FLOCK_LOCKS},
};

// Most cautious first: "no" beats "yes" beats "auto" if several were given.
void apply_readdirplus(const Opts& opts, fuse_conn_info& conn) noexcept
{
    if (opts.readdirplus_no) {
        unwant_flags(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    } else if (opts.readdirplus_yes) {
        want_flags(conn, FUSE_CAP_READDIRPLUS);
        unwant_flags(conn, FUSE_CAP_READDIRPLUS_AUTO);
    } else if (opts.readdirplus_auto) {
        want_flags(conn, FUSE_CAP_READDIRPLUS);
        want_flags(conn, FUSE_CAP_READDIRPLUS_AUTO);
    }
}

} // namespace

fuse_conn_info_opts* parse_conn_opts(fuse_args& args)
{
    auto* opts = static_cast<Opts*>(std::calloc(1, sizeof(Opts)));
    if (!opts) {
        log::error("fuse: parsing connection options failed (%s), giving up", log::errno_name(ENOMEM));
        return nullptr;
    }
    if (::fuse_opt_parse(&args, opts, kTable, nullptr) < 0) {
        std::free(opts);
        return nullptr;
    }
    return opts;
}

void apply_conn_opts(const fuse_conn_info_opts& opts, fuse_conn_info& conn) noexcept
{
    if (opts.has_max_write)
        conn.max_write = opts.max_write;
    if (opts.has_max_readahead)
        conn.max_readahead = opts.max_readahead;
    if (opts.has_max_background)
        conn.max_background = opts.max_background;
    if (opts.has_congestion_threshold)
        conn.congestion_threshold = opts.congestion_threshold;
    if (opts.has_time_gran)
        conn.time_gran = opts.time_gran;

    for (const Pair& pair : kPairs) {
        if (pair.on && opts.*pair.on)
            want_flags(conn, pair.flag);
        if (opts.*pair.off)
            unwant_flags(conn, pair.flag);
    }
    apply_readdirplus(opts, conn);
}

} // namespace rf
