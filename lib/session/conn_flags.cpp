// The arithmetic of want and want_ext.
#include "session/conn_flags.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstring>

namespace rf {
namespace {

// The last eight bytes of the structure; see the header.
constexpr std::size_t kDefaultAt = sizeof(fuse_conn_info) - sizeof(std::uint64_t);
static_assert(sizeof(fuse_conn_info) == 128);
static_assert(kDefaultAt >= offsetof(fuse_conn_info, reserved));

constexpr std::uint64_t kHighHalf = 0xffffffff00000000;

void remember_default(fuse_conn_info& conn, std::uint64_t value) noexcept
{
    std::memcpy(reinterpret_cast<char*>(&conn) + kDefaultAt, &value, sizeof(value));
}

// Changes some bits in both fields and in the default alike: what was untouched stays untouched, what the
// program changed raw stays a change.
void assign_flags(fuse_conn_info& conn, std::uint64_t flags, bool on) noexcept
{
    const auto apply = [&](std::uint64_t word) { return on ? word | flags : word & ~flags; };
    conn.want_ext = apply(conn.want_ext);
    conn.want = static_cast<std::uint32_t>(apply(conn.want));
    remember_default(conn, apply(default_want(conn)));
}

} // namespace

void set_default_want(fuse_conn_info& conn, std::uint64_t default_want_ext) noexcept
{
    conn.want_ext = default_want_ext;
    conn.want = static_cast<std::uint32_t>(default_want_ext);
    remember_default(conn, default_want_ext);
}

std::uint64_t default_want(const fuse_conn_info& conn) noexcept
{
    std::uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const char*>(&conn) + kDefaultAt, sizeof(value));
    return value;
}

int reconcile_want(fuse_conn_info& conn, std::uint64_t default_want_ext) noexcept
{
    const bool want_changed = conn.want != static_cast<std::uint32_t>(default_want_ext);
    const bool same_low_half = conn.want == static_cast<std::uint32_t>(conn.want_ext);
    if (want_changed && !same_low_half) {
        if (conn.want_ext != default_want_ext) {
            log::error("fuse: init() changed both want and want_ext: want=%#" PRIx32 " want_ext=%#" PRIx64
                       " default=%#" PRIx64 " (%s), refusing the connection",
                       conn.want, conn.want_ext, default_want_ext, log::errno_name(EINVAL));
            return -EINVAL;
        }
        conn.want_ext = (conn.want_ext & kHighHalf) | conn.want;
    }
    conn.want = static_cast<std::uint32_t>(conn.want_ext);
    return 0;
}

int reconcile_want(fuse_conn_info& conn) noexcept
{
    return reconcile_want(conn, default_want(conn));
}

bool is_capable(const fuse_conn_info& conn, std::uint64_t flags) noexcept
{
    return ((conn.capable_ext | conn.capable) & flags) == flags;
}

bool want_flags(fuse_conn_info& conn, std::uint64_t flags) noexcept
{
    if (!is_capable(conn, flags))
        return false;
    assign_flags(conn, flags, true);
    return true;
}

void unwant_flags(fuse_conn_info& conn, std::uint64_t flags) noexcept
{
    assign_flags(conn, flags, false);
}

bool set_conn_flag(fuse_conn_info& conn, std::uint64_t flags) noexcept
{
    constexpr std::uint64_t kKnown = FUSE_CONN_FLAG_SINGLE_ISSUER | FUSE_CONN_FLAG_NO_INTERRUPT;
    if ((static_cast<std::uint32_t>(flags) & ~kKnown) != 0)
        return false;
    if (flags & FUSE_CONN_FLAG_SINGLE_ISSUER)
        conn.io_uring_single_issuer = 1;
    if (flags & FUSE_CONN_FLAG_NO_INTERRUPT)
        conn.no_interrupt = 1;
    return true;
}

} // namespace rf
