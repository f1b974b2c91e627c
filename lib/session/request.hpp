// One request between its delivery and its answer: what a fuse_req_t points to.
#pragma once

#include "base/mutex.hpp"
#include "proto/opcodes.hpp"
#include "stat/recorder.hpp"
#include "transport/transport.hpp"

#include <atomic>
#include <fuse_lowlevel.h>

namespace rf {

class Session;

/// kFree: in the pool or a worker's pocket. kLive: the filesystem owes an answer. kAnswered: it gave one; the
/// object waits for its last holder.
enum class RequestState : std::uint8_t { kFree, kLive, kAnswered };

/// Members without a note belong to the thread that delivers until kLive, and are constant from then on.
struct Request : Slot {
    Session* session = nullptr;
    const OpRow* row = nullptr;
    fuse_ctx ctx{};
    std::span<const std::byte> extensions; // security contexts and groups; valid until the handler returns
    std::size_t secctx_at = 0;             // fuse_req_secctx_next()'s position; one thread at a time
    stat::Ticket ticket;                   // whoever delivers, then whoever answers

    // Any thread. `unique` is atomic only because an INTERRUPT looks for it among all requests at any time.
    std::atomic<std::uint64_t> unique{0};
    std::atomic<RequestState> state{RequestState::kFree};
    std::atomic<bool> interrupted{false};

    // Held while the interrupt function runs, so that nobody takes it away in the middle.
    Mutex interrupt_mutex;
    fuse_interrupt_func_t interrupt_function RF_GUARDED_BY(interrupt_mutex) = nullptr;
    void* interrupt_data RF_GUARDED_BY(interrupt_mutex) = nullptr;

    /// The one way to answer. `error`: 0 or negative errno; `body` is borrowed until return. Any thread.
    /// Returns 0, -EINVAL for a second answer (refused, nothing is sent) or what the kernel said.
    int finish(int error, std::span<const iovec> body);
    int finish(int error) { return finish(error, {}); }
    int finish(const void* body, std::size_t bytes)
    {
        const iovec piece{const_cast<void*>(body), bytes};
        return finish(0, {&piece, 1});
    }
    /// Ends the request without an answer: for those nobody waits for.
    void finish_unanswered();

    /// Reference for a thread that found this request by chance: false if it is (about to be) gone.
    [[nodiscard]] bool try_hold() noexcept;
    void let_go();

    [[nodiscard]] const char* name() const noexcept { return row ? row->name.data() : "?"; }

private:
    [[nodiscard]] bool take_answer();
};

} // namespace rf

// The ABI's handle is the object itself.
struct fuse_req final : rf::Request {};

namespace rf {

inline fuse_req_t handle_of(Request& request) noexcept
{
    return static_cast<fuse_req_t>(&request);
}

} // namespace rf
