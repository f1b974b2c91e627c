#include "transport/engine.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "transport/fuse_uring.hpp"

#include <array>
#include <poll.h>

namespace rf {
namespace {

/// Reads and handles what the device has, without waiting. 0, or -errno (with the stop signal given) at the
/// end.
int drain_device(DeviceReader& reader, StopSignal& stop)
{
    while (!stop.stopped()) {
        const ssize_t n = reader.receive();
        if (n == -EAGAIN)
            return 0;
        if (n == -EINTR)
            continue;
        if (n <= 0) {
            stop.stop(n == 0 ? StopCause::kUnmounted : StopCause::kFailed, static_cast<int>(n));
            return -ENODEV;
        }
        if (const int rc = reader.handle(static_cast<std::size_t>(n)); rc < 0)
            log::error("request answered without its handler (%s)", log::errno_name(rc));
    }
    return -ECANCELED;
}

} // namespace

Engine::Engine(RequestSink& sink, StopSignal& stop) : sink_(sink), stop_(stop) {}

Engine::~Engine()
{
    end_resting();
}

int Engine::run(const LoopConfig& config, std::size_t buffer_bytes, ring_policy::Pin pin)
{
    config_ = config;
    config_.device_uring = device_uring_ && !device_.custom();
    device_pin_ = resolve_pin(pin);
    if (ring_started_.fd() < 0) {
        if (const int rc = ring_started_.open(); rc < 0)
            return rc;
    }
    NonblockingDevice nonblocking(device_);
    running_ = true;
    int rc = ring_payload_bytes_ > 0 ? resume_ring() : 0;
    if (rc == 0)
        rc = config.single ? run_single(buffer_bytes) : run_threads(buffer_bytes);
    running_ = false;
    stop_.await_answers(); // of requests that came over the device
    if (device_shared_.load(std::memory_order_acquire))
        nonblocking.keep();
    return rc;
}

int Engine::run_threads(std::size_t buffer_bytes)
{
    DevicePool pool(device_, uring_, sink_, stop_);
    const int rc = pool.start(config_, buffer_bytes, device_pin_);
    if (rc == 0) {
        if (config_.device_uring)
            pool.watch_answers();
        std::array<pollfd, 2> watched{pollfd{stop_.stop_fd(), POLLIN, 0},
                                      pollfd{ring_started_.fd(), POLLIN, 0}};
        while (!stop_.stopped() && !ring_active_.load(std::memory_order_acquire))
            (void)::poll(watched.data(), watched.size(), -1);
        if (ring_active_.load(std::memory_order_acquire))
            ring_.load()->supervise();
    } else {
        stop_.stop(StopCause::kFailed, rc);
    }
    end_ring();
    pool.join();
    // INIT may have been in progress at the stop and brought up a ring meanwhile.
    end_ring();
    return rc;
}

int Engine::run_single(std::size_t buffer_bytes)
{
    ReaderPlace place;
    place.pin = device_pin_;
    DeviceReader reader(device_, sink_, stop_, place);
    // One thread, which nobody watches: answers leave at once.
    int rc = config_.device_uring ? reader.use_ring(uring_, nullptr) : 0;
    if (rc == 0)
        rc = reader.open(buffer_bytes, /* clone_fd= */ false);
    if (rc < 0) {
        end_ring();
        return rc;
    }
    while (!stop_.stopped() && !ring_active_.load(std::memory_order_acquire)) {
        rc = reader.wait();
        if (rc < 0) {
            stop_.stop(StopCause::kFailed, rc);
            break;
        }
        if (stop_.stopped())
            break;
        if (device_.custom()) {
            const ssize_t n = reader.receive();
            if (n > 0)
                (void)reader.handle(static_cast<std::size_t>(n));
            else if (n != -EINTR && n != -EAGAIN)
                stop_.stop(n == 0 ? StopCause::kUnmounted : StopCause::kFailed, static_cast<int>(n));
        } else if (drain_device(reader, stop_) < 0) {
            break;
        }
    }
    reader.close();
    if (!stop_.stopped()) {
        struct Context {
            DeviceReader& reader;
            StopSignal& stop;
        } context{reader, stop_};
        ring_.load()->serve_single(
            [](void* argument) {
                const Context& both = *static_cast<Context*>(argument);
                return drain_device(both.reader, both.stop);
            },
            &context, reader.fd());
    }
    end_ring();
    return 0;
}

int Engine::prepare_ring(std::size_t payload_bytes, const ring_policy::Options& options)
{
    if (!running_)
        return -EOPNOTSUPP;
    const int nr_queues = possible_cpus();
    if (nr_queues < 0)
        return nr_queues;
    std::unique_ptr<FuseUring> ring = std::make_unique<FuseUring>(device_, kicker_, sink_, stop_);
    if (const int rc =
            ring->prepare(config_, options, payload_bytes, static_cast<unsigned>(nr_queues), companion_fd_);
        rc < 0)
        return rc;
    ring_payload_bytes_ = payload_bytes;
    ring_options_ = options;
    rings_.push_back(std::move(ring));
    ring_.store(rings_.back().get());
    return 0;
}

int Engine::start_ring()
{
    const int rc = ring_.load()->start();
    if (rc < 0) {
        abandon_ring();
        return rc;
    }
    ring_active_.store(true, std::memory_order_release);
    ring_started_.signal();
    return 0;
}

void Engine::abandon_ring()
{
    ring_payload_bytes_ = 0;
    if (FuseUring* ring = ring_.exchange(nullptr))
        ring->abandon();
}

/// A second loop on a connection that uses the ring already.
int Engine::resume_ring()
{
    FuseUring* const before = ring_.load();
    if (ring_resting_ && !config_.single) {
        ring_resting_ = false;
        before->resume(config_);
        ring_active_.store(true, std::memory_order_release);
        ring_started_.signal();
        return 0;
    }
    end_resting(/* succeeded= */ true);
    const std::size_t payload_bytes = ring_payload_bytes_;
    int rc = prepare_ring(payload_bytes, ring_options_);
    if (rc == 0) {
        if (before)
            ring_.load()->inherit(*before);
        ring_.load()->outlive_loops();
        rc = start_ring();
    }
    if (rc == 0) {
        look_again(ring_.load()->nr_queues());
        return 0;
    }
    if (stop_.stopped()) { // the loop has ended before it began; another may try again, with what this one
                           // inherited
        ring_payload_bytes_ = payload_bytes;
        ring_.store(rings_.back().get());
        return 0;
    }
    log::error("ring not resumed (%s), the mount cannot be served any more", log::errno_name(rc));
    return rc;
}

void Engine::end_ring()
{
    if (!ring_active_.load(std::memory_order_acquire))
        return;
    FuseUring& ring = *ring_.load();
    const bool goes_on = stop_.may_go_on() && !is_device_gone();
    ring_resting_ = goes_on && ring.rest();
    stop_.await_answers();
    if (!ring_resting_)
        ring.finish(/* succeeded= */ goes_on);
    ring_active_.store(false, std::memory_order_release);
    ring_started_.drain();
}

void Engine::end_resting(bool succeeded)
{
    if (std::exchange(ring_resting_, false))
        ring_.load()->finish(succeeded);
}

bool Engine::is_device_gone() const
{
    // Kernel: fuse_dev_poll(), fs/fuse/dev.c: POLLERR as soon as the connection is no longer connected.
    pollfd device{device_.fd(), 0, 0};
    return ::poll(&device, 1, 0) > 0;
}

/// Requests that came between two loops wait in the kernel, and new entries do not pick them up.
void Engine::look_again(unsigned nr_queues)
{
    cpu_set_t before;
    if (get_affinity(before) < 0)
        return;
    for (unsigned qid = 0; qid < nr_queues; ++qid)
        kicker_.kick(qid, pin_to_cpu(qid) == 0);
    (void)set_affinity(before);
}

void Engine::flush() noexcept
{
    if (ring_active_.load(std::memory_order_acquire))
        ring_.load()->flush();
    uring_.flush();
}

const char* Engine::transport_name() const noexcept
{
    const FuseUring* ring = ring_.load();
    if (ring)
        return ring->name();
    return device_uring_ && !device_.custom() ? uring_.name() : device_.name();
}

TransportStats Engine::stats() const noexcept
{
    TransportStats stats;
    stats.device_requests = device_requests_.load(std::memory_order_relaxed);
    if (const FuseUring* ring = ring_.load()) {
        stats.ring_requests = ring->requests();
        stats.nr_queues = ring->nr_queues();
        stats.nr_workers = ring->nr_workers();
        stats.payload_bytes = ring->payload_bytes();
    }
    return stats;
}

} // namespace rf
