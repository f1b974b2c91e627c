// Ends a process whose session was told to stop and does not.
#pragma once

#include "base/event.hpp"
#include "base/thread.hpp"

namespace rf {

class Session;

/// A thread that waits for the stop, then for its end, and after that no longer. start() and stop(): one
/// thread.
class Watchdog {
public:
    explicit Watchdog(Session& session) noexcept : session_(session) {}
    ~Watchdog() { stop(); }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// 0, -EALREADY, or -errno.
    [[nodiscard]] int start(unsigned timeout_seconds);
    void stop() noexcept;

private:
    void watch();

    Session& session_;
    unsigned timeout_seconds_ = 0;
    EventFd cancel_;
    Thread thread_;
};

/// Aborts the connection behind a /dev/fuse descriptor through /sys/fs/fuse/connections. 0 or -errno.
[[nodiscard]] int abort_connection(int fd);

} // namespace rf
