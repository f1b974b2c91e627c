// Makes the kernel look into a queue again.
//
// Kernel: fuse_uring_do_register(), fs/fuse/dev_uring.c (v6.18): a newly registered entry does not pick up
// requests that wait in its queue already; only the commit of another request does. So after an entry was
// added to a queue that may have run dry, one request of ours is sent through it, and its commit fetches what
// waits.
#pragma once

#include "proto/kernel.hpp"
#include "transport/device.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>

namespace rf {

/// Two ways, in this order:
///  1. A retrieve notification for zero bytes of some regular file the kernel knows: its NOTIFY_REPLY comes
///  through the
///     queue of the CPU that wrote the notification. Costs one write(). (Kernels before 6.18.y accept the
///     root too.)
///  2. A statfs() of the mount point, from a short-lived thread on that CPU, answered by the library itself.
class Kicker {
public:
    explicit Kicker(DeviceTransport& device) noexcept : device_(device) {}

    /// Where 2. looks; empty: nowhere. One thread, before the loop.
    void set_mountpoint(std::string path) { mountpoint_ = std::move(path); }

    /// The filesystem told the kernel about regular file `ino`. Any thread; on the request path, so it only
    /// stores.
    void note_regular_file(std::uint64_t ino) noexcept
    {
        // Relaxed: a hint. A stale number makes 1. fail for that file, nothing else.
        files_[ino % files_.size()].store(ino, std::memory_order_relaxed);
    }

    /// Sends a request through the queue of `cpu`. REQUIRES: an entry of that queue was registered, and
    /// somebody serves it. `on_cpu`: the caller runs on that CPU and cannot leave it.
    void kick(unsigned cpu, bool on_cpu);

    /// Sends one by way 1. that the caller's queue gets and the caller leaves unanswered. 0, or -errno:
    /// nothing was sent. REQUIRES: the caller runs on the queue's CPU and cannot leave it.
    [[nodiscard]] int kick_to_withhold();
    /// True for such a request; is_kick() is true for it too.
    [[nodiscard]] static bool is_to_withhold(const kern::fuse_in_header& header) noexcept;

    /// True for a request that is a kick; `body` is what to answer with. Any thread.
    [[nodiscard]] bool is_kick(const kern::fuse_in_header& header,
                               std::span<const std::byte>& body) const noexcept;

    /// Tasks of way 2. that are under way; shared with them, since they may outlive the connection's threads.
    /// Room for one of each CPU of a large machine.
    static constexpr std::size_t kMaxTasks = 256;
    struct Tasks {
        std::array<std::atomic<int>, kMaxTasks> ids{}; // thread ids; 0: free, -1: about to start
    };

private:
    [[nodiscard]] int notify_retrieve(std::uint64_t nodeid, std::uint64_t base);
    [[nodiscard]] int kick_by_notification(std::uint64_t base);
    [[nodiscard]] int kick_by_statfs(unsigned cpu);

    DeviceTransport& device_;
    std::string mountpoint_;
    std::array<std::atomic<std::uint64_t>, 16> files_{};
    std::atomic<std::uint64_t> count_{0};
    std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
};

} // namespace rf
