// Where threads sleep that could not lock a node. They hold no path lock meanwhile (path_lock.hpp), only a
// reference, so that the node stays.
#pragma once

#include "highlevel/node.hpp"

#include <array>
#include <pthread.h>

namespace rf::hl {

/// Any thread.
class Parking {
public:
    Parking();
    ~Parking();
    Parking(const Parking&) = delete;
    Parking& operator=(const Parking&) = delete;

    /// Sleeps while the node's lock is taken, at most until it may have changed. `wants`: keep new readers
    /// out meanwhile. timeout_ms 0: none. True if the time ran out. REQUIRES: a reference, no path lock.
    [[nodiscard]] bool sleep(Node& node, bool writes, bool wants, unsigned timeout_ms);

    /// Wakes whoever sleeps for the node in `slot`. The node itself may be gone.
    void wake(Slot slot);

private:
    struct alignas(64) Place {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t changed;
    };
    [[nodiscard]] Place& place_of(Slot slot) noexcept { return places_[slot % kPlaces]; }

    static constexpr std::size_t kPlaces = 64;
    std::array<Place, kPlaces> places_;
};

/// The patience of one thread that wants one set of locks. A writer keeps readers out for a while, lets them
/// in for a while, and becomes more insistent each time; see doc/highlevel.md for why it must not insist for
/// ever. Owner thread only.
class Waiter {
public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Remembers what was in the way. Takes over a reference to `node`.
    void met(Node& node, bool writes) noexcept;
    [[nodiscard]] Node* node() const noexcept { return node_; }
    [[nodiscard]] bool writes() const noexcept { return writes_; }
    /// Sleeps until it is worth trying again.
    void sleep(Parking& parking);
    /// Takes the wish to write back. Afterwards node() is the caller's again, or null.
    [[nodiscard]] Node* settle(Parking& parking);

private:
    static constexpr unsigned kPauseMs = 20;
    static constexpr unsigned kMostInsistentMs = 320;

    Node* node_ = nullptr;
    bool writes_ = false;
    bool insists_ = true;
    unsigned window_ms_ = kPauseMs;
};

} // namespace rf::hl
