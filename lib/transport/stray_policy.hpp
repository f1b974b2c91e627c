// When a thread that wants to be woken on a certain CPU has to be bound for it. The scheduler mostly wakes a
// thread where it went to sleep; binding it for each wait and letting it go for each handler costs more than
// a third of a short request. But some machines, and some moments, have every wake-up go to an idle CPU.
#pragma once

#include <algorithm>

namespace rf {

/// The decisions, without a kernel. Not thread-safe.
class StrayPolicy {
public:
    /// Before a wait. `here`: on the right CPU now.
    [[nodiscard]] bool must_bind(bool here) noexcept
    {
        if (bound_waits_ > 0) {
            --bound_waits_;
            return true;
        }
        return !here; // bound, it moves there
    }

    /// After a wait without being bound. `here`: woken on the right CPU.
    void woke(bool here) noexcept
    {
        if (here) {
            good_ = std::min(good_ + 1, kRareAfter);
            return;
        }
        next_bound_waits_ =
            good_ < kRareAfter ? std::min(2 * next_bound_waits_, kMostBoundWaits) : kFewestBoundWaits;
        bound_waits_ = next_bound_waits_;
        good_ = 0;
    }

    // A wake-up on the wrong CPU costs as much as some 40 bound waits. Few follow one that went astray by
    // chance; ever more where the next goes astray soon.
    static constexpr unsigned kFewestBoundWaits = 16;
    static constexpr unsigned kMostBoundWaits = 2048;
    static constexpr unsigned kRareAfter = 64; // good wake-ups

private:
    unsigned bound_waits_ = 0; // still to come
    unsigned next_bound_waits_ = kFewestBoundWaits;
    unsigned good_ = kRareAfter; // since the last that went astray
};

} // namespace rf
