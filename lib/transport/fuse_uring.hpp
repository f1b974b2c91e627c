// FUSE over io_uring: one queue per possible CPU, each served by threads bound to that CPU. The device beside
// it (INIT, FORGET, INTERRUPT, notifications) is the caller's business.
#pragma once

#include "transport/ring_queue.hpp"
#include "transport/transport.hpp"

#include <memory>
#include <vector>

namespace rf {

class RingSingle;

/// Life: prepare() -> the INIT reply is sent -> start() -> supervise() or serve_single() until the stop ->
/// finish().
class FuseUring final : public Transport {
public:
    FuseUring(DeviceTransport& device, Kicker& kicker, RequestSink& sink, StopSignal& stop);
    ~FuseUring() override;

    /// Everything that can fail before the kernel is told: threads, rings, memory. 0 or -errno; then nothing
    /// is left. Calling thread: with config.single the one that will serve, else any.
    [[nodiscard]] int prepare(const LoopConfig& config, const ring_policy::Options& options,
                              std::size_t payload_bytes, unsigned nr_queues, int companion_fd);

    /// Registers an entry with every queue; afterwards requests come over the ring. Same thread as prepare().
    /// On failure the kernel has been told to use the device. 0 or -errno.
    [[nodiscard]] int start();

    /// Undoes prepare() when the ring is not to be used after all.
    void abandon();

    /// Watches over the queues until the stop, on the calling thread. With several threads.
    void supervise();
    /// Serves ring and device until the stop, on the calling thread. `read_device` takes and handles what the
    /// device has, without waiting: 0, or -errno when the session is to end.
    void serve_single(int (*read_device)(void* context), void* context, int device_fd);
    /// Stops and joins the threads; memory stays until the destructor. REQUIRES: the stop signal was given.
    void finish();

    [[nodiscard]] bool single() const noexcept { return single_ != nullptr; }
    [[nodiscard]] const char* name() const noexcept override { return "fuse_uring"; }
    int commit(Slot& slot, int error, std::span<const iovec> body) override;
    void recycle(Slot& slot) override { (void)commit(slot, 0, {}); }
    void flush() noexcept override;

    // Statistics, any thread.
    [[nodiscard]] std::uint64_t requests() const noexcept;
    [[nodiscard]] unsigned nr_queues() const noexcept { return static_cast<unsigned>(queues_.size()); }
    [[nodiscard]] unsigned nr_workers() const noexcept
    {
        return shared_.workers.load(std::memory_order_relaxed);
    }

private:
    [[nodiscard]] int start_queues();
    [[nodiscard]] int register_workers();
    void end_threads();
    [[nodiscard]] bool supervise_once();
    void give_up_ring();

    RingShared shared_;
    std::vector<std::unique_ptr<RingQueue>> queues_;
    HandlerLimit limit_{queues_};
    std::unique_ptr<RingSingle> single_;
};

} // namespace rf
