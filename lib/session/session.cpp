#include "session/session.hpp"

#include "base/log.hpp"
#include "transport/device.hpp"

#include <algorithm>
#include <cstring>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace rf {

Session::Session(const fuse_lowlevel_ops* ops, std::size_t op_size, void* userdata,
                 const SessionOptions& options)
    : userdata_(userdata), options_(options), owner_(::getuid()), debug_(options.debug), engine_(*this, *this)
{
    if (op_size > sizeof(ops_)) {
        log::error(
            "operations newer than the library: op_size=%zu known=%zu, the further ones are never called",
            op_size, sizeof(ops_));
    }
    if (ops)
        std::memcpy(&ops_, ops, std::min(op_size, sizeof(ops_)));
    // Large enough for whatever INIT will agree on; untouched pages cost nothing.
    buffer_bytes_ = device_buffer_bytes(std::size_t{max_pages_limit()} * kern::kPageBytes);
}

void Session::close()
{
    if (got_init_.load(std::memory_order_acquire) && !got_destroy_.exchange(true) && ops_.destroy)
        ops_.destroy(userdata_);
}

Session::~Session()
{
    if (const std::size_t unanswered = pool_.unanswered(); unanswered > 0)
        log::error(
            "session ends with requests=%zu unanswered, the handles of these must not be used any more",
            unanswered);
}

int Session::open()
{
    if (options_.debug)
        set_debug(true);
    return stop_event_.open();
}

void Session::attach(int fd, bool owned, const DeviceIo& io, int companion_fd)
{
    fd_ = fd;
    owned_fd_ = UniqueFd(owned ? fd : -1);
    engine_.attach(fd, io, companion_fd);
    if (const int rc = recorder_.open(); rc < 0)
        log::debug("statistics not kept (%s), the ringfuse command does not see this mount",
                   log::errno_name(rc));
}

void Session::detach()
{
    fd_ = -1;
    owned_fd_.reset();
    engine_.attach(-1, {}, -1);
}

void Session::set_mount_facts(std::string mountpoint, std::uint32_t max_read, bool default_permissions)
{
    engine_.kicker().set_mountpoint(std::move(mountpoint));
    mount_max_read_ = max_read;
    default_permissions_ = default_permissions;
}

void Session::set_debug(bool on) noexcept
{
    debug_.store(on, std::memory_order_relaxed);
    // The library's own remarks as well; they are not tied to a session.
    log::set_debug(on);
}

int Session::check_transport() const
{
    if (options_.transport != Choice::kFuseUring)
        return 0;
    std::string why;
    const int rc = probe_ring(why);
    if (rc < 0)
        log::error("transport=fuse_uring cannot run: %s", why.c_str());
    return rc;
}

int Session::run(const LoopConfig& config)
{
    if (fd_ < 0)
        return -ENOTCONN;
    recorder_.change(
        [&config](stat::Facts& facts) { facts.max_threads = config.single ? 1 : config.max_threads; });
    recorder_.set_state(stat::State::kServing);
    int result = stopped() ? 0 : engine_.run(config, buffer_bytes_, options_.ring.pin);
    recorder_.set_state(stat::State::kEnded);
    const std::uint64_t ending = ending_.load(std::memory_order_acquire);
    switch (static_cast<StopCause>(ending >> 32)) {
    case StopCause::kNone:
    case StopCause::kExit:
    case StopCause::kUnmounted:
        break;
    case StopCause::kSignal:
    case StopCause::kFailed:
        result = static_cast<int>(static_cast<std::uint32_t>(ending));
        break;
    }
    // Whoever stopped the loop may not have signalled yet; left for later, that would wake the next loop all
    // the time.
    if (stopped()) {
        pollfd signalled{stop_event_.fd(), POLLIN, 0};
        (void)::poll(&signalled, 1, -1);
    }
    reset();
    return result;
}

void Session::process_message(std::span<const std::byte> message)
{
    Incoming in;
    if (const int rc = parse_device_message(message, in); rc < 0) {
        log::error("request refused: header does not fit the message bytes=%zu (%s), skipped", message.size(),
                   log::errno_name(rc));
        return;
    }
    Slot* slot = acquire_slot();
    if (!slot) {
        device().refuse(in, device().main_channel(), -ENOMEM);
        return;
    }
    slot->transport = &device();
    slot->in = in;
    slot->payload = {};
    slot->channel = &device().main_channel();
    slot->entry = nullptr;
    slot->add_references(2);
    deliver(*slot);
    if (slot->drop_reference())
        release_slot(*slot);
}

void Session::stop(StopCause cause, int error) noexcept
{
    const std::uint64_t ending =
        (static_cast<std::uint64_t>(cause) << 32) | static_cast<std::uint32_t>(error);
    std::uint64_t expected = kRunning;
    if (ending_.compare_exchange_strong(expected, ending, std::memory_order_acq_rel))
        stop_event_.signal();
}

void Session::reset() noexcept
{
    stop_event_.drain();
    ending_.store(kRunning, std::memory_order_release);
}

Slot* Session::acquire_slot()
{
    return pool_.acquire();
}

void Session::release_slot(Slot& slot)
{
    pool_.release(static_cast<Request&>(slot));
}

void Session::announce(const char*, const char*) {}

const char* Session::transport_name() const noexcept
{
    return got_init_.load(std::memory_order_acquire) ? engine_.transport_name() : "none";
}

SessionStats Session::stats() const noexcept
{
    SessionStats stats;
    stats.transport = engine_.stats();
    stats.forgets = forgets_.load(std::memory_order_relaxed);
    stats.interrupts = interrupts_.load(std::memory_order_relaxed);
    return stats;
}

} // namespace rf
