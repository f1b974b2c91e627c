#include "highlevel/parking.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace rf::hl {
namespace {

timespec deadline_in(unsigned ms) noexcept
{
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    const long nanoseconds = at.tv_nsec + static_cast<long>(ms % 1000) * 1000000;
    at.tv_sec += static_cast<time_t>(ms / 1000) + nanoseconds / 1000000000;
    at.tv_nsec = nanoseconds % 1000000000;
    return at;
}

} // namespace

Parking::Parking()
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (Place& place : places_)
        pthread_cond_init(&place.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

Parking::~Parking()
{
    for (Place& place : places_) {
        pthread_cond_destroy(&place.changed);
        pthread_mutex_destroy(&place.mutex);
    }
}

bool Parking::sleep(Node& node, bool writes, bool wants, unsigned timeout_ms)
{
    Place& place = place_of(node.slot());
    int rc = 0;
    pthread_mutex_lock(&place.mutex);
    // Who releases the lock after this sees the sleeper and needs the mutex to wake it.
    if (node.word.note_sleeper(writes, wants)) {
        if (timeout_ms == 0) {
            pthread_cond_wait(&place.changed, &place.mutex);
        } else {
            const timespec at = deadline_in(timeout_ms);
            rc = pthread_cond_timedwait(&place.changed, &place.mutex, &at);
        }
    }
    pthread_mutex_unlock(&place.mutex);
    return rc == ETIMEDOUT;
}

void Parking::wake(Slot slot)
{
    Place& place = place_of(slot);
    pthread_mutex_lock(&place.mutex);
    pthread_cond_broadcast(&place.changed);
    pthread_mutex_unlock(&place.mutex);
}

void Waiter::met(Node& node, bool writes) noexcept
{
    node_ = &node;
    writes_ = writes;
}

void Waiter::sleep(Parking& parking)
{
    if (!writes_) {
        (void)parking.sleep(*node_, /* writes= */ false, /* wants= */ false, /* timeout_ms= */ 0);
        return;
    }
    if (!parking.sleep(*node_, /* writes= */ true, insists_, insists_ ? window_ms_ : kPauseMs))
        return;
    if (insists_) {
        if (node_->word.withdraw())
            parking.wake(node_->slot());
        window_ms_ = std::min(window_ms_ * 2, kMostInsistentMs);
    }
    insists_ = !insists_;
}

Node* Waiter::settle(Parking& parking)
{
    // It may be somebody else's wish by now: that one wakes, finds the lock taken and wishes again.
    if (node_ && writes_ && node_->word.withdraw())
        parking.wake(node_->slot());
    Node* node = node_;
    node_ = nullptr;
    return node;
}

} // namespace rf::hl
