// Where a ring thread runs: on its queue's CPU while it waits, so that it is woken next to the client that
// waits for it; inside handlers only where nothing a handler may start can inherit that.
#pragma once

#include "transport/ring_policy.hpp"
#include "transport/stray_policy.hpp"

#include <sched.h>

namespace rf {

/// What `pin` comes to in this process: kAlways, kWait or kNone. Takes the dynamic linker's lock.
[[nodiscard]] ring_policy::Pin resolve_pin(ring_policy::Pin pin);

/// The binding of one thread; its own thread only. Children made by fork() get `home` back, whatever holds.
class CpuBinding {
public:
    /// `home`: the affinity of whoever runs the loop; outlives this. `pin`: resolved.
    CpuBinding(const cpu_set_t& home, ring_policy::Pin pin) noexcept : home_(home), pin_(pin) {}
    CpuBinding(const CpuBinding&) = delete;
    CpuBinding& operator=(const CpuBinding&) = delete;

    /// From now on this thread waits on `cpu`. False if that CPU cannot be had (offline, or outside the
    /// cpuset): then it runs anywhere.
    bool settle(unsigned cpu) noexcept;
    /// Before a handler, and before a wait. Cheap where there is nothing to change.
    void loosen() noexcept;
    void tighten() noexcept;
    /// Instead of tighten(), around a wait: the thread is bound only if it would not stay where it is by
    /// itself, which it mostly does.
    void before_wait() noexcept;
    void after_wait() noexcept;
    /// Bound to its CPU at this moment.
    [[nodiscard]] bool bound() const noexcept { return bound_; }
    [[nodiscard]] int cpu() const noexcept { return cpu_; }
    /// The thread lives on and has `home` back.
    void leave() noexcept;

private:
    const cpu_set_t& home_;
    const ring_policy::Pin pin_;
    int cpu_ = -1;
    bool bound_ = false;
    StrayPolicy strays_;
};

} // namespace rf
