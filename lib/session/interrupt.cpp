// INTERRUPT: finds the request it means and tells the filesystem.
//
// It comes over the device, on another thread than the request, so it may also come first: then it waits for
// the request in a small memory. Kernel: dev_uring.c (v6.18) takes no answer to an INTERRUPT of a ring
// request, so "ask again" (EAGAIN), which the device path would offer, is no way out; the memory serves both.
#include "session/session.hpp"

#include <algorithm>
#include <ctime>

namespace rf {
namespace {

// How long an interrupt waits for its request. The request was handed to one of our threads before the kernel
// sent the interrupt, so it is late by a scheduling delay, or by the time it waits for a worker while as many
// handlers as allowed block. Most of what waits longer was for a request that is answered.
constexpr std::int64_t kPatienceMs = 120 * 1000;

std::int64_t now_ms() noexcept
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

} // namespace

void Session::interrupt(Request& request)
{
    const MutexLock lock(request.interrupt_mutex);
    // It may have been answered since it was found; then its data is the filesystem's again.
    if (request.state.load(std::memory_order_acquire) != RequestState::kLive)
        return;
    // release: who sees the flag sees why.
    request.interrupted.store(true, std::memory_order_release);
    if (request.interrupt_function)
        request.interrupt_function(handle_of(request), request.interrupt_data);
}

/// The live request with this unique, held; nullptr if there is none.
Request* Session::hold_live(std::uint64_t unique)
{
    Request* found = nullptr;
    pool_.find([&](Request& request) {
        if (request.unique.load(std::memory_order_relaxed) != unique || !request.try_hold())
            return false;
        // The object may just be becoming another request: its unique is stored before it goes live, so a
        // live one shows its own.
        if (request.state.load(std::memory_order_seq_cst) == RequestState::kLive &&
            request.unique.load(std::memory_order_relaxed) == unique) {
            found = &request;
            return true;
        }
        request.let_go();
        return false;
    });
    return found;
}

void Session::handle_interrupt(std::uint64_t unique)
{
    interrupts_.fetch_add(1, std::memory_order_relaxed);
    recorder_.count_interrupt();
    Request* request = hold_live(unique);
    if (!request) {
        {
            const MutexLock lock(pending_mutex_);
            pending_.push_back({unique, now_ms() + kPatienceMs});
            pending_count(unique).fetch_add(1, std::memory_order_seq_cst);
        }
        // The request may have gone live between the search and the note. Whoever takes the note interrupts.
        request = hold_live(unique);
        if (request && !take_pending(unique)) {
            request->let_go();
            request = nullptr;
        }
    }
    if (request) {
        interrupt(*request);
        request->let_go();
    }
}

/// Takes the note for `unique` away; false if there is none. Forgets those that waited too long.
bool Session::take_pending(std::uint64_t unique)
{
    const MutexLock lock(pending_mutex_);
    const std::int64_t now = now_ms();
    bool found = false;
    std::erase_if(pending_, [&](const EarlyInterrupt& early) {
        const bool is_it = early.unique == unique;
        found |= is_it;
        const bool goes = is_it || early.expires_ms <= now;
        if (goes)
            pending_count(early.unique).fetch_sub(1, std::memory_order_seq_cst);
        return goes;
    });
    return found;
}

void Session::check_pending_interrupts(Request& request)
{
    if (take_pending(request.unique.load(std::memory_order_relaxed)))
        interrupt(request);
}

} // namespace rf
