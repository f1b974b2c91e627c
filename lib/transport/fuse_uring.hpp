// FUSE over io_uring: one queue per possible CPU, each served by threads bound to that CPU. The device beside
// it (INIT, FORGET, INTERRUPT, notifications) is the caller's business.
#pragma once

#include "transport/ring_queue.hpp"
#include "transport/transport.hpp"

#include <memory>
#include <vector>

namespace rf {

class RingDispatcher;
class RingSingle;

/// Life: prepare() -> the INIT reply is sent -> start() -> supervise() or serve_single() until the stop ->
/// finish(), or, if another loop is to come, rest() -> resume() and so on.
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

    /// Before start(), on a connection whose ring is in use already: a shutdown that comes meanwhile makes
    /// the workers rest instead of ending, since entries that are with the kernel must not go.
    void outlive_loops() noexcept
    {
        if (!single_)
            shared_.outlives.store(true, std::memory_order_release);
    }

    /// Undoes prepare() when the ring is not to be used after all.
    void abandon();

    /// Watches over the queues until the stop, on the calling thread. With several threads.
    void supervise();
    /// Serves ring and device until the stop, on the calling thread. `read_device` takes and handles what the
    /// device has, without waiting: 0, or -errno when the session is to end.
    void serve_single(int (*read_device)(void* context), void* context, int device_fd);
    /// After the stop: waits for the handlers in progress; answers go on to be sent. True: no handler is
    /// started before resume(), and the requests that come are kept for it. False: finish() must follow (with
    /// one thread, which cannot be kept, or after a failure).
    [[nodiscard]] bool rest();
    /// Another loop after rest(); what it returned true for.
    void resume(const LoopConfig& config);
    /// Stops and joins the threads; memory stays until the destructor. `succeeded`: another ring is to
    /// inherit(), so no request may be lost.
    void finish(bool succeeded);
    /// Runs what `old`, after its finish(), had taken from the kernel and not run. Before start().
    void inherit(FuseUring& old);

    [[nodiscard]] bool single() const noexcept { return single_ != nullptr; }
    [[nodiscard]] const char* name() const noexcept override { return "fuse_uring"; }
    int commit(Slot& slot, int error, std::span<const iovec> body) override;
    void recycle(Slot& slot) override { (void)commit(slot, 0, {}); }
    void flush() noexcept override;

    // Statistics, any thread.
    [[nodiscard]] std::uint64_t requests() const noexcept;
    [[nodiscard]] std::size_t payload_bytes() const noexcept
    {
        return shared_.payload_total.load(std::memory_order_relaxed);
    }
    [[nodiscard]] unsigned nr_queues() const noexcept { return static_cast<unsigned>(queues_.size()); }
    [[nodiscard]] unsigned nr_workers() const noexcept
    {
        return shared_.workers.load(std::memory_order_relaxed);
    }

private:
    [[nodiscard]] int make_plan(unsigned nr_queues, bool single);
    void set_limits(const LoopConfig& config, unsigned nr_queues);
    [[nodiscard]] int start_queues();
    [[nodiscard]] int register_entries();
    [[nodiscard]] int register_entries_of(RingQueue& queue, bool last);
    void end_threads();
    [[nodiscard]] bool supervise_once();
    void give_up_ring();

    RingShared shared_;
    placement::Plan plan_;
    std::vector<std::unique_ptr<RingQueue>> queues_;
    HandlerLimit limit_{queues_};
    std::unique_ptr<RingDispatcher> dispatcher_;
    std::unique_ptr<RingSingle> single_;
};

} // namespace rf
