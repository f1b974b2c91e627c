// INIT negotiation: see init.hpp. The order of steps is the order of dependence: flags, then sizes, then
// reply.
#include "proto/init.hpp"

#include <algorithm>
#include <cerrno>

namespace rf {
inline namespace proto {

namespace {

// Minors at which the kernel starts to read a part of the reply.
constexpr uint32_t kMinorMaxWrite = 5;
constexpr uint32_t kMinorFlags = 6;
constexpr uint32_t kMinorExport = 9;
constexpr uint32_t kMinorBackground = 13;
constexpr uint32_t kMinorTimeGran = 23;
constexpr uint32_t kMinorRing = 42;

constexpr size_t kInitInFlagsBytes = 16; // of fuse_init_in, to have `flags`
constexpr size_t kInitInExtBytes = 20;   // to have `flags2`

constexpr uint32_t kMaxTimeGran = 1'000'000'000;

// A ring payload below 128 KiB can be overrun by the kernel: SETXATTR alone may bring 65 792 bytes, and
// nothing on the ring path compares a request with the buffer before copying (v6.18 fs/fuse/dev_uring.c).
constexpr uint32_t kRingMinPages = kern::kDefaultMaxPages;
constexpr uint32_t kRingMinMaxWrite = 8192;

constexpr uint64_t kHighFlags = 0xffffffffull << 32;

// Bits a filesystem may ask for. Missing: those negotiate() owns, DAX (no mapping window here), 7.46's pools.
constexpr uint64_t kAskable =
    kern::INIT_ASYNC_READ | kern::INIT_POSIX_LOCKS | kern::INIT_FILE_OPS | kern::INIT_ATOMIC_O_TRUNC |
    kern::INIT_EXPORT_SUPPORT | kern::INIT_DONT_MASK | kern::INIT_SPLICE_WRITE | kern::INIT_SPLICE_MOVE |
    kern::INIT_SPLICE_READ | kern::INIT_FLOCK_LOCKS | kern::INIT_HAS_IOCTL_DIR | kern::INIT_AUTO_INVAL_DATA |
    kern::INIT_DO_READDIRPLUS | kern::INIT_READDIRPLUS_AUTO | kern::INIT_ASYNC_DIO |
    kern::INIT_WRITEBACK_CACHE | kern::INIT_NO_OPEN_SUPPORT | kern::INIT_PARALLEL_DIROPS |
    kern::INIT_HANDLE_KILLPRIV | kern::INIT_POSIX_ACL | kern::INIT_ABORT_ERROR | kern::INIT_CACHE_SYMLINKS |
    kern::INIT_NO_OPENDIR_SUPPORT | kern::INIT_EXPLICIT_INVAL_DATA | kern::INIT_SUBMOUNTS |
    kern::INIT_HANDLE_KILLPRIV_V2 | kern::INIT_SETXATTR_EXT | kern::INIT_SECURITY_CTX |
    kern::INIT_CREATE_SUPP_GROUP | kern::INIT_HAS_EXPIRE_ONLY | kern::INIT_DIRECT_IO_ALLOW_MMAP |
    kern::INIT_PASSTHROUGH | kern::INIT_NO_EXPORT_SUPPORT | kern::INIT_HAS_RESEND | kern::INIT_ALLOW_IDMAP;

uint32_t agreed_stack_depth(const Wants& wants)
{
    return std::min(wants.max_stack_depth, kern::kMaxStackDepth);
}

/// Bits that can be had at all: by the kernel's offer and by its age.
uint64_t usable_offer(const Offer& offer)
{
    if (offer.minor < kMinorFlags)
        return 0;
    uint64_t flags = offer.flags & ~kern::INIT_RESERVED;
    if (!(flags & kern::INIT_EXT))
        flags &= ~kHighFlags;
    if (offer.minor < kMinorExport)
        flags &= ~kern::INIT_EXPORT_SUPPORT;
    if (offer.minor < kMinorRing)
        flags &= ~kern::INIT_OVER_IO_URING;
    return flags;
}

/// Removes bits that are meaningless, ignored or refused beside the others.
uint64_t drop_conflicts(uint64_t flags, const Wants& wants)
{
    if (!(flags & kern::INIT_DO_READDIRPLUS))
        flags &= ~kern::INIT_READDIRPLUS_AUTO;
    if (flags & kern::INIT_AUTO_INVAL_DATA)
        flags &= ~kern::INIT_EXPLICIT_INVAL_DATA;
    if ((flags & kern::INIT_WRITEBACK_CACHE) || agreed_stack_depth(wants) == 0)
        flags &= ~kern::INIT_PASSTHROUGH;
    // Kernel: a reply with ALLOW_IDMAP but without permission checks of its own is refused, and the mount
    // with it.
    if (!wants.default_permissions && !(flags & kern::INIT_POSIX_ACL))
        flags &= ~kern::INIT_ALLOW_IDMAP;
    return flags;
}

/// MAX_PAGES is not here: it depends on the sizes.
uint64_t agree_flags(const Offer& offer, const Wants& wants)
{
    const uint64_t usable = usable_offer(offer);
    uint64_t ours = kern::INIT_EXT | kern::INIT_BIG_WRITES;
    if (wants.ring)
        ours |= kern::INIT_OVER_IO_URING;
    if (wants.request_timeout)
        ours |= kern::INIT_REQUEST_TIMEOUT;
    return drop_conflicts(usable & ((wants.flags & kAskable) | ours), wants);
}

/// Rounded down to whole pages: a filesystem never sees more than it asked for, except at the two floors.
uint32_t page_multiple(uint32_t max_write, bool ring)
{
    const uint32_t whole = max_write / kern::kPageBytes * kern::kPageBytes;
    return std::max(whole, ring ? kRingMinMaxWrite : kern::kMinMaxWrite);
}

/// Fills max_write, max_pages, max_payload_bytes and MAX_PAGES in flags. REQUIRES: flags and ring are set.
void agree_sizes(const Offer& offer, const Wants& wants, Agreed& agreed)
{
    const uint32_t limit = std::clamp(wants.max_pages_limit, 1u, uint32_t{UINT16_MAX});
    const uint32_t max_write = page_multiple(wants.max_write, agreed.ring);
    uint32_t pages = max_write / kern::kPageBytes;
    bool send_pages = (usable_offer(offer) & kern::INIT_MAX_PAGES) != 0;
    if (agreed.ring) {
        pages = std::max(pages, kRingMinPages);
        send_pages =
            send_pages && limit >= kRingMinPages; // left alone the kernel keeps 32, whatever the limit
    }
    agreed.max_pages = send_pages ? std::min(pages, limit) : kern::kDefaultMaxPages;
    if (send_pages)
        agreed.flags |= kern::INIT_MAX_PAGES;
    agreed.max_write = std::min(max_write, agreed.max_pages * kern::kPageBytes);
    if (offer.minor < kMinorMaxWrite || !(agreed.flags & kern::INIT_BIG_WRITES))
        agreed.max_write = agreed.ring ? kRingMinMaxWrite : kern::kMinMaxWrite;
    agreed.max_payload_bytes = std::max(
        {static_cast<uint32_t>(kern::kMinReadBuffer), agreed.max_write, agreed.max_pages * kern::kPageBytes});
}

size_t reply_bytes(uint32_t minor)
{
    if (minor < kMinorMaxWrite)
        return kern::kCompatInitOutBytes;
    return minor < kMinorTimeGran ? kern::kCompat22InitOutBytes : sizeof(kern::fuse_init_out);
}

void fill_background(const Wants& wants, kern::fuse_init_out& out)
{
    out.max_background = wants.max_background;
    const auto three_quarters = static_cast<uint16_t>(uint32_t{wants.max_background} * 3 / 4);
    out.congestion_threshold = wants.congestion_threshold ? wants.congestion_threshold : three_quarters;
    if (wants.max_background)
        out.congestion_threshold = std::min(out.congestion_threshold, out.max_background);
}

/// REQUIRES: everything of `agreed` but `out` and `out_bytes` is decided.
void fill_reply(const Offer& offer, const Wants& wants, Agreed& agreed)
{
    kern::fuse_init_out& out = agreed.out;
    out.major = kern::kMajor;
    out.minor = agreed.minor;
    out.max_readahead = std::min(offer.max_readahead, wants.max_readahead);
    out.flags = static_cast<uint32_t>(agreed.flags);
    out.flags2 = static_cast<uint32_t>(agreed.flags >> 32);
    out.max_write = agreed.max_write;
    if (agreed.minor >= kMinorBackground)
        fill_background(wants, out);
    if (agreed.minor >= kMinorTimeGran && wants.time_gran <= kMaxTimeGran)
        out.time_gran = wants.time_gran;
    if (agreed.flags & kern::INIT_MAX_PAGES)
        out.max_pages = static_cast<uint16_t>(agreed.max_pages);
    if (agreed.flags & kern::INIT_PASSTHROUGH)
        out.max_stack_depth = agreed_stack_depth(wants);
    if (agreed.flags & kern::INIT_REQUEST_TIMEOUT)
        out.request_timeout = wants.request_timeout;
    agreed.out_bytes = reply_bytes(agreed.minor);
}

} // namespace

int read_offer(const kern::fuse_init_in& in, size_t wire_bytes, Offer& out) noexcept
{
    if (wire_bytes < 2 * sizeof(uint32_t))
        return -EINVAL;
    if (in.major < kern::kMajor)
        return -EPROTO;
    if (in.major > kern::kMajor) {
        out = {.minor = kern::kMinor, .kernel_minor = in.minor, .major_too_new = true};
        return 0;
    }
    Offer offer{.minor = std::min(in.minor, kern::kMinor), .kernel_minor = in.minor};
    if (wire_bytes >= kInitInFlagsBytes) {
        offer.max_readahead = in.max_readahead;
        offer.flags = in.flags & ~kern::INIT_RESERVED;
        if (wire_bytes >= kInitInExtBytes && (in.flags & kern::INIT_EXT))
            offer.flags |= uint64_t{in.flags2} << 32;
    }
    out = offer;
    return 0;
}

Agreed negotiate(const Offer& offer, const Wants& wants) noexcept
{
    Agreed agreed;
    if (offer.major_too_new) {
        agreed.minor = kern::kMinor;
        agreed.out.major = kern::kMajor;
        agreed.out.minor = kern::kMinor;
        agreed.out_bytes = kern::kCompatInitOutBytes;
        return agreed;
    }
    agreed.minor = std::min(offer.minor, kern::kMinor);
    agreed.flags = agree_flags(offer, wants);
    agreed.ring = (agreed.flags & kern::INIT_OVER_IO_URING) != 0;
    agree_sizes(offer, wants, agreed);
    fill_reply(offer, wants, agreed);
    return agreed;
}

} // namespace proto
} // namespace rf
