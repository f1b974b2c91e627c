// INTERRUPT: finds the request it means and tells the filesystem.
//
// It comes over the device, on another thread than the request, so it may also come first: then it waits for
// the request in a small memory. Kernel: dev_uring.c (v6.18) takes no answer to an INTERRUPT of a ring
// request, so "ask again" (EAGAIN), which the device path would offer, is no way out; the memory serves both.
#include "session/session.hpp"

#include <algorithm>

namespace rf {

void Session::interrupt(Request& request)
{
    const MutexLock lock(request.interrupt_mutex);
    // release: who sees the flag sees why.
    request.interrupted.store(true, std::memory_order_release);
    if (request.interrupt_function)
        request.interrupt_function(handle_of(request), request.interrupt_data);
}

bool Session::interrupt_live(std::uint64_t unique)
{
    Request* found = nullptr;
    pool_.find([&](Request& request) {
        if (request.unique.load(std::memory_order_relaxed) != unique || !request.try_hold())
            return false;
        // Held now, so it cannot become another request; look again.
        if (request.unique.load(std::memory_order_relaxed) == unique &&
            request.state.load(std::memory_order_seq_cst) == RequestState::kLive) {
            found = &request;
            return true;
        }
        request.let_go();
        return false;
    });
    if (!found)
        return false;
    interrupt(*found);
    found->let_go();
    return true;
}

void Session::handle_interrupt(std::uint64_t unique)
{
    interrupts_.fetch_add(1, std::memory_order_relaxed);
    if (interrupt_live(unique))
        return;
    {
        const MutexLock lock(pending_mutex_);
        std::uint64_t& place = pending_[next_pending_++ % pending_.size()];
        if (place == 0)
            pending_count_.fetch_add(1, std::memory_order_seq_cst);
        place = unique;
    }
    // The request may have gone live between the search and the note.
    if (interrupt_live(unique)) {
        const MutexLock lock(pending_mutex_);
        if (const auto at = std::find(pending_.begin(), pending_.end(), unique); at != pending_.end()) {
            *at = 0;
            pending_count_.fetch_sub(1, std::memory_order_seq_cst);
        }
    }
}

void Session::check_pending_interrupts(Request& request)
{
    const std::uint64_t unique = request.unique.load(std::memory_order_relaxed);
    {
        const MutexLock lock(pending_mutex_);
        const auto at = std::find(pending_.begin(), pending_.end(), unique);
        if (unique == 0 || at == pending_.end())
            return;
        *at = 0;
        pending_count_.fetch_sub(1, std::memory_order_seq_cst);
    }
    interrupt(request);
}

} // namespace rf
