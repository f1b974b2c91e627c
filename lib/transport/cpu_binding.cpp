#include "transport/cpu_binding.hpp"

#include "base/cpu.hpp"
#include "base/imports.hpp"
#include "base/log.hpp"

#include <mutex>
#include <pthread.h>

namespace rf {
namespace {

using ring_policy::Pin;

thread_local const cpu_set_t* t_child_affinity = nullptr;

// In a forked child: what a handler starts must not be tied to the worker's CPU.
void restore_child_affinity()
{
    if (t_child_affinity)
        (void)set_affinity(*t_child_affinity);
}

void install_fork_hook()
{
    static std::once_flag once;
    std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, restore_child_affinity); });
}

} // namespace

Pin resolve_pin(Pin pin)
{
    if (pin != Pin::kAuto)
        return pin;
    // Threads, vfork() and posix_spawn() inherit the affinity and nothing can be hooked into them, so
    // handlers run unbound in a program that could use them.
    std::string_view found;
    if (!process_may_spawn(&found))
        return Pin::kAlways;
    log::debug("handlers run on any CPU: the program imports %.*s", static_cast<int>(found.size()),
               found.data());
    return Pin::kWait;
}

bool CpuBinding::settle(unsigned cpu) noexcept
{
    if (pin_ == Pin::kNone)
        return false;
    install_fork_hook();
    const int rc = pin_to_cpu(cpu);
    if (rc < 0) {
        log::debug("ring thread not bound: cpu=%u (%s), it runs anywhere", cpu, log::errno_name(rc));
        return false;
    }
    cpu_ = static_cast<int>(cpu);
    bound_ = true;
    t_child_affinity = &home_;
    return true;
}

void CpuBinding::loosen() noexcept
{
    if (!bound_ || pin_ != Pin::kWait)
        return;
    (void)set_affinity(home_);
    bound_ = false;
}

void CpuBinding::tighten() noexcept
{
    // The CPU may have gone offline meanwhile: then it waits where it is, and tries again next time.
    if (!bound_ && cpu_ >= 0)
        bound_ = pin_to_cpu(static_cast<unsigned>(cpu_)) == 0;
}

void CpuBinding::before_wait() noexcept
{
    if (bound_ || cpu_ < 0)
        return;
    // A CPU that cannot be told (-1) is not the right one.
    if (strays_.must_bind(::sched_getcpu() == cpu_))
        tighten();
}

void CpuBinding::after_wait() noexcept
{
    if (!bound_ && cpu_ >= 0)
        strays_.woke(::sched_getcpu() == cpu_);
}

void CpuBinding::leave() noexcept
{
    t_child_affinity = nullptr;
    if (cpu_ >= 0)
        (void)set_affinity(home_);
    cpu_ = -1;
    bound_ = false;
}

} // namespace rf
