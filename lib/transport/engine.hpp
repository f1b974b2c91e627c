// The session's one door to the transports: owns the device side and, if there is one, the ring; runs their
// threads.
#pragma once

#include "base/event.hpp"
#include "transport/device.hpp"
#include "transport/device_pool.hpp"
#include "transport/kick.hpp"
#include "transport/ring_options.hpp"

#include <memory>
#include <vector>

namespace rf {

class FuseUring;

/// Counters at one moment.
struct TransportStats {
    std::uint64_t ring_requests = 0;
    std::uint64_t device_requests = 0;
    unsigned nr_queues = 0;
    unsigned nr_workers = 0;
    std::uint64_t payload_bytes = 0; // mapped for the ring
};

class Engine {
public:
    Engine(RequestSink& sink, StopSignal& stop);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Where requests come from. `fd` is borrowed. REQUIRES: no loop runs.
    ///
    /// `companion_fd` (-1: none) is what tells a helper that this process has ended. The kernel frees the
    /// rings of a killed process, and with them the device, a little after its descriptors: the helper must
    /// not hear of the end while the mount still looks served, so the rings hold on to both.
    void attach(int fd, const DeviceIo& io, int companion_fd)
    {
        end_resting();
        device_.attach(fd, io);
        companion_fd_ = companion_fd;
    }
    /// Ends the ring threads that rest for another loop. REQUIRES: no loop runs.
    void end_resting() { end_resting(/* succeeded= */ false); }
    [[nodiscard]] DeviceTransport& device() noexcept { return device_; }
    [[nodiscard]] bool is_custom() const noexcept { return device_.custom(); }
    /// Within run(), not a loop of the application's own. The thread that handles INIT.
    [[nodiscard]] bool is_running() const noexcept { return running_; }
    /// Somebody else reads the device as well: it stays non-blocking after the loop. Any thread.
    void share_device() noexcept { device_shared_.store(true, std::memory_order_release); }
    /// Knows how to reach the mount from outside, where the ring needs that.
    [[nodiscard]] Kicker& kicker() noexcept { return kicker_; }

    /// Whether run() is to read the device through io_uring. Any application's own I/O goes before.
    void set_device_uring(bool on) noexcept { device_uring_ = on; }

    /// Serves until the stop signal; the calling thread waits, or (config.single) runs the handlers. 0, or
    /// -errno if it could not begin. `pin`: when the device's readers are bound to a CPU.
    [[nodiscard]] int run(const LoopConfig& config, std::size_t buffer_bytes, ring_policy::Pin pin);

    // The ring, from within the handler of INIT. Order: prepare_ring, the reply, start_ring (or
    // abandon_ring).

    /// Sets up everything the ring needs. 0, or -errno; -EUSERS: max_threads is too low for it. Only while
    /// run() is active: a loop of the application's own has no thread that could wait for the ring.
    [[nodiscard]] int prepare_ring(std::size_t payload_bytes, const ring_policy::Options& options);
    /// The kernel has the reply: requests come over the ring from here on. 0 or -errno; then the device
    /// serves.
    [[nodiscard]] int start_ring();
    void abandon_ring();

    /// Sends off answers that wait for the handler of the calling thread to return.
    void flush() noexcept;

    [[nodiscard]] const char* transport_name() const noexcept;
    [[nodiscard]] TransportStats stats() const noexcept;
    void count_device_request() noexcept { device_requests_.fetch_add(1, std::memory_order_relaxed); }

private:
    [[nodiscard]] int run_threads(std::size_t buffer_bytes);
    [[nodiscard]] int run_single(std::size_t buffer_bytes);
    [[nodiscard]] int resume_ring();
    void end_resting(bool succeeded);
    [[nodiscard]] bool is_device_gone() const;
    void look_again(unsigned nr_queues);
    void end_ring();

    RequestSink& sink_;
    StopSignal& stop_;
    DeviceTransport device_;
    DevUring uring_{device_};
    Kicker kicker_{device_};
    int companion_fd_ = -1;
    LoopConfig config_;
    ring_policy::Pin device_pin_ = ring_policy::Pin::kNone; // resolved
    ring_policy::Options ring_options_;
    bool device_uring_ = false;
    bool running_ = false;
    std::atomic<bool> device_shared_{false};

    // Set from the thread that handles INIT; read by the loop's thread after ring_active_, by others for
    // statistics.
    std::atomic<FuseUring*> ring_{nullptr};
    // All rings there were: requests a filesystem still holds point into their memory.
    std::vector<std::unique_ptr<FuseUring>> rings_;
    std::atomic<bool> ring_active_{false};
    bool ring_resting_ = false; // between two loops
    EventFd ring_started_;

    // A connection that once used the ring can use nothing else: a later loop has to set it up again.
    std::size_t ring_payload_bytes_ = 0;

    std::atomic<std::uint64_t> device_requests_{0};
};

} // namespace rf
