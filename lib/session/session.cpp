#include "session/session.hpp"

#include "base/log.hpp"
#include "session/cuse.hpp"
#include "transport/device.hpp"

#include <algorithm>
#include <cstring>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace rf {

Session::Session(const fuse_lowlevel_ops* ops, std::size_t op_size, void* userdata,
                 const SessionOptions& options)
    : userdata_(userdata), owner_(::getuid()), options_(options), debug_(options.debug), engine_(*this, *this)
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
    engine_.end_resting();
    if (got_init_.load(std::memory_order_acquire) && !got_destroy_.exchange(true) && ops_.destroy)
        ops_.destroy(userdata_);
}

Session::~Session()
{
    if (const std::size_t unanswered = pool_.unanswered(); unanswered > 0)
        log::error(
            "session ends with requests=%zu unanswered, the handles of these must not be used any more",
            unanswered);
    // Descriptors they were read from and must be answered on: nobody else knows of these.
    pool_.find([](Request& request) {
        if (DeviceChannel* channel = std::exchange(request.channel, nullptr))
            channel->release();
        return false;
    });
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
    engine_.attach(-1, {}, -1);
    owned_fd_.reset();
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

int Session::choose_transport(Choice choice)
{
    if (got_init_.load(std::memory_order_acquire))
        return -EBUSY;
    Choice said = choice;
    const int rc = choice_from_environment(said);
    if (rc == 0)
        options_.transport = choice;
    return rc;
}

int Session::bound_payload_memory(std::size_t bytes)
{
    if (got_init_.load(std::memory_order_acquire))
        return -EBUSY;
    const char* said = ::secure_getenv("RINGFUSE_PAYLOAD_MEMORY");
    if (said && *said)
        return 1;
    options_.ring.memory_bytes = bytes;
    return 0;
}

void Session::set_device(std::unique_ptr<const CuseDevice> device) noexcept
{
    cuse_ = std::move(device);
}

int Session::check_transport() const
{
    std::string why;
    if (options_.transport == Choice::kDeviceUring) {
        if (cuse_)
            return 0; // read and written plainly, see run()
        const int rc = probe_device_uring(why);
        if (rc < 0)
            log::error("transport=dev_uring cannot run: %s", why.c_str());
        return rc;
    }
    if (options_.transport != Choice::kFuseUring)
        return 0;
    if (cuse_) {
        log::error("transport=fuse_uring cannot run: the kernel has it for filesystems, not for devices");
        return -EOPNOTSUPP;
    }
    const int rc = probe_ring(why);
    if (rc < 0)
        log::error("transport=fuse_uring cannot run: %s", why.c_str());
    return rc;
}

int Session::run(const LoopConfig& asked)
{
    if (fd_ < 0)
        return -ENOTCONN;
    LoopConfig config = asked;
    // Kernel: a clone belongs to the file that was opened, and every open of /dev/cuse is another device.
    const bool device_uring = options_.transport == Choice::kDeviceUring && !cuse_;
    config.clone_fd = (config.clone_fd || device_uring) && !cuse_;
    engine_.set_device_uring(device_uring);
    recorder_.change(
        [&config](stat::Facts& facts) { facts.max_threads = config.single ? 1 : config.max_threads; });
    recorder_.set_state(stat::State::kServing);
    int result = stopped() ? 0 : engine_.run(config, buffer_bytes_, options_.ring.pin);
    recorder_.set_state(stat::State::kEnded);
    const std::uint64_t ending = ending_.load(std::memory_order_acquire);
    switch (static_cast<StopCause>(ending >> 32)) {
    case StopCause::kNone:
    case StopCause::kExit:
        break;
    case StopCause::kUnmounted:
        if (cuse_)
            result = report_lost_device();
        break;
    case StopCause::kShutdown:
        result = shutdown_result();
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
        while (from_libc(::poll(&signalled, 1, -1)) == -EINTR)
            continue;
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
    else if (cause != StopCause::kShutdown)
        hurry_.store(true, std::memory_order_release); // a shutdown may be waiting for answers
}

void Session::reset() noexcept
{
    stop_event_.drain();
    hurry_.store(false, std::memory_order_relaxed);
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

std::string Session::transport_reason()
{
    const MutexLock lock(why_mutex_);
    return got_init_.load(std::memory_order_acquire) ? std::string(transport_why_.data()) : std::string();
}

SessionStats Session::stats() const noexcept
{
    SessionStats stats;
    stats.transport = engine_.stats();
    stats.forgets = forgets_.load(std::memory_order_relaxed);
    stats.interrupts = interrupts_.load(std::memory_order_relaxed);
    stats.totals = recorder_.totals();
    stats.payload_limit = options_.ring.memory_bytes;
    return stats;
}

} // namespace rf
