// INIT: what the kernel offers, what the filesystem's init() makes of it, what is answered, and whether the
// ring is used. Everything that can go wrong with the ring has to go wrong before the answer: once the kernel
// was promised one, ordinary requests wait until it is there.
#include "session/capabilities.hpp"
#include "session/conn_flags.hpp"
#include "session/session.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "family/layout.hpp"

#include <algorithm>
#include <cinttypes>
#include <string>

namespace rf {
namespace {

constexpr std::uint32_t kDefaultMaxWrite = 1u << 20;

// A NOTIFY_REPLY carries a 40-byte header before its data. Kernel: dev_uring.c (v6.18) copies both into a
// ring entry's payload without a look at the length, so a whole page is left for the header.
constexpr std::size_t kRetrieveHeadroom = 4096;

void log_background(unsigned background)
{
    log::debug("init: max_background=%u for the ring", background);
}

} // namespace

void Session::offer_to_filesystem(fuse_conn_info& conn, const Offer& offer) const
{
    conn.proto_major = kern::kMajor;
    conn.proto_minor = offer.minor;
    conn.max_write =
        std::min<std::uint64_t>(kDefaultMaxWrite, std::uint64_t{max_pages_limit()} * kern::kPageBytes);
    conn.max_read = mount_max_read_;
    conn.max_readahead = offer.max_readahead;
    conn.time_gran = 1;
    conn.capable_ext = capabilities_of(offer.flags);
    conn.capable = static_cast<std::uint32_t>(conn.capable_ext);
    set_default_want(conn, default_capabilities(ops_) & conn.capable_ext);
}

/// What init() left in `conn`: 0, or -EPROTO after a message.
int Session::check_wants(fuse_conn_info& conn) const
{
    if (reconcile_want(conn) < 0)
        return -EPROTO;
    if (const std::uint64_t beyond = conn.want_ext & ~conn.capable_ext; beyond != 0) {
        log::error("init() wants what the kernel does not offer: FUSE_CAP bits %#" PRIx64
                   " (EPROTO), the session ends",
                   beyond);
        return -EPROTO;
    }
    if (conn.max_read != mount_max_read_) {
        log::error(
            "init() and the mount disagree: conn->max_read=%u, -o max_read=%u (EPROTO), the session ends",
            conn.max_read, mount_max_read_);
        return -EPROTO;
    }
    return 0;
}

Wants Session::wants_of(const fuse_conn_info& conn) const
{
    Wants wants;
    wants.flags = init_flags_of(conn.want_ext) & ~kern::INIT_OVER_IO_URING;
    // The read buffers exist already, and they are sized for the kernel's own limit.
    const std::size_t largest = buffer_bytes_ - kern::kPageBytes;
    wants.max_write = static_cast<std::uint32_t>(std::min<std::size_t>(conn.max_write, largest));
    wants.max_pages_limit = max_pages_limit();
    wants.max_readahead = conn.max_readahead;
    wants.max_background =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(conn.max_background, UINT16_MAX));
    wants.congestion_threshold =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(conn.congestion_threshold, UINT16_MAX));
    wants.time_gran = conn.time_gran;
    wants.max_stack_depth = conn.max_backing_stack_depth;
    wants.request_timeout = conn.request_timeout;
    wants.default_permissions = default_permissions_;
    return wants;
}

/// Background requests the kernel may have in flight: its default of 12 would leave most entries idle.
unsigned Session::ring_background() const noexcept
{
    const int cpus = possible_cpus();
    constexpr std::uint64_t kKernelDefault = 12;
    const std::uint64_t scaled = static_cast<std::uint64_t>(std::max(cpus, 1)) * options_.ring.depth;
    return static_cast<unsigned>(std::clamp<std::uint64_t>(scaled, kKernelDefault, UINT16_MAX));
}

void Session::record_reason(std::string_view reason) noexcept
{
    {
        const MutexLock lock(why_mutex_);
        stat::set_text(transport_why_, reason);
    }
    recorder_.change([reason](stat::Facts& facts) { stat::set_text(facts.reason, reason); });
}

/// What INIT came to, for the statistics.
void Session::record_agreement(const Agreed& agreed) noexcept
{
    recorder_.change([&](stat::Facts& facts) {
        stat::set_text(facts.transport, engine_.transport_name());
        facts.nr_queues = agreed.ring ? engine_.stats().nr_queues : 0;
        facts.ring_depth = agreed.ring ? options_.ring.depth : 0;
        facts.payload_bytes = agreed.ring ? agreed.max_payload_bytes : 0;
        facts.protocol_minor = agreed.minor;
        facts.max_background = agreed.out.max_background;
        facts.congestion_threshold = agreed.out.congestion_threshold;
        facts.max_write = agreed.max_write;
        facts.max_readahead = agreed.out.max_readahead;
    });
    recorder_.set_state(stat::State::kServing);
}

/// Agrees on the ring and sets it up: 0; 1 if the device is to be used; -errno (after a message) if the ring
/// was asked for and cannot be had.
int Session::try_ring(const Offer& offer, bool ring_wanted, Wants& wants, Agreed& agreed)
{
    const bool demanded = options_.transport == Choice::kFuseUring;
    record_reason(demanded ? "asked for" : "the kernel offers it");
    if (options_.transport == Choice::kDevice || options_.transport == Choice::kDeviceUring ||
        device().custom()) {
        record_reason(device().custom() ? "the application moves the messages itself" : "asked for");
        return 1;
    }
    int rc = offer.flags & kern::INIT_OVER_IO_URING ? 0 : -EOPNOTSUPP;
    if (!demanded && rc == 0 && !ring_wanted) {
        record_reason("the filesystem's init() does not want the ring");
        return 1;
    }
    if (rc == 0) {
        const Wants without = wants;
        wants.ring = true;
        if (wants.max_background == 0) {
            wants.max_background = static_cast<std::uint16_t>(ring_background());
            log_background(wants.max_background);
        }
        agreed = negotiate(offer, wants);
        ring_policy::Options ring = options_.ring;
        ring.nonblocking |= handlers_never_block_;
        ring.timed |= wants.request_timeout != 0;
        rc = engine_.prepare_ring(agreed.max_payload_bytes, ring);
        if (rc == 0)
            return 0;
        wants = without;
        // The loop was told to end, and the ring's threads ended as well: no fault, and no reason to refuse
        // the mount.
        if (stopped())
            return 1;
    }
    const bool offered = (offer.flags & kern::INIT_OVER_IO_URING) != 0;
    const std::string why = offered && !engine_.is_running()
                                ? "the application's own loop reads the device, the ring needs the library's"
                                : explain_ring_error(rc);
    if (demanded) {
        log::error("transport=fuse_uring cannot run: %s; the session ends", why.c_str());
        return rc;
    }
    record_reason(why);
    recorder_.count_fallback();
    log::info("ringfuse: serving over /dev/fuse: %s", why.c_str());
    return 1;
}

int Session::agree(const Offer& offer, bool ring_wanted, Wants& wants, Agreed& agreed)
{
    const int rc = try_ring(offer, ring_wanted, wants, agreed);
    if (rc < 0)
        return rc;
    if (rc == 1)
        agreed = negotiate(offer, wants);
    peer_.minor = agreed.minor;
    peer_.setxattr_ext = (agreed.flags & kern::INIT_SETXATTR_EXT) != 0;
    wanted_ = capabilities_of(agreed.flags);
    retrieve_limit_ = agreed.max_payload_bytes - kRetrieveHeadroom;
    agreed_ = agreed;
    return 0;
}

void Session::fail_init(Request& request, int error)
{
    request.finish(error);
    stop(StopCause::kFailed, error);
}

void Session::handle_init(Request& request, const kern::fuse_init_in& in, std::size_t wire_bytes)
{
    Offer offer;
    if (const int rc = read_offer(in, wire_bytes, offer); rc < 0) {
        log::error("init refused: protocol %u.%u (%s), the session ends", in.major, in.minor,
                   log::errno_name(rc));
        return fail_init(request, rc);
    }
    if (offer.major_too_new) {
        // The kernel sends another INIT in our major.
        kern::fuse_init_out ours{};
        ours.major = kern::kMajor;
        ours.minor = kern::kMinor;
        request.finish(&ours, sizeof(ours));
        return;
    }

    fuse_conn_info conn{};
    offer_to_filesystem(conn, offer);
    const fuse_conn_info offered = conn;
    if (ops_.init)
        ops_.init(userdata_, &conn);
    family::take_conn(conn, offered);
    Wants wants;
    Agreed agreed;
    int rc = check_wants(conn);
    if (rc == 0) {
        wants = wants_of(conn);
        handlers_never_block_ = conn.io_uring_single_issuer != 0;
        rc = agree(offer, (conn.want_ext & FUSE_CAP_OVER_IO_URING) != 0, wants, agreed);
    }
    if (rc < 0) {
        // The filesystem's init() ran, so its destroy() has to.
        got_init_.store(true, std::memory_order_release);
        return fail_init(request, rc);
    }

    record_agreement(agreed);
    // Other threads may get requests the moment the kernel has the answer.
    got_init_.store(true, std::memory_order_release);
    rc = request.finish(&agreed.out, agreed.out_bytes);
    if (!agreed.ring) {
        announce(transport_name(), transport_reason().c_str());
        return;
    }
    if (rc < 0) {
        engine_.abandon_ring();
        return;
    }
    rc = engine_.start_ring();
    if (rc < 0) {
        if (!stopped())
            log::error("ring refused after INIT (%s), serving over /dev/fuse", log::errno_name(rc));
        recorder_.count_fallback();
        record_reason("the ring was refused after INIT");
        agreed.ring = false;
        record_agreement(agreed);
    }
    announce(transport_name(), transport_reason().c_str());
}

} // namespace rf
