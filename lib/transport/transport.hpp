// The seam between "how requests are carried" and "what they mean". A transport brings requests to a
// RequestSink and takes answers back; it knows the wire, never the session or the filesystem.
#pragma once

#include "proto/incoming.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/uio.h>

namespace rf {

class Transport;
class DeviceChannel;
struct RingEntry;

/// One request in the library's hands. The session derives its Request from this.
///
/// References: one for the thread that runs the handler, one for the answer, one for each interrupt callback
/// in progress. The slot may serve another request only when all are gone.
struct Slot {
    Transport* transport = nullptr; // who answers it
    proto::Incoming in;             // header copied; the spans are valid until the handler returns

    // Where a reply body may be built in place; empty where the transport has no such memory.
    std::span<std::byte> payload;

    // Private to the transport that delivered it.
    DeviceChannel* channel =
        nullptr;                // device: what read it (an answer must go out there); held until answered
    RingEntry* entry = nullptr; // ring: the entry that holds it
    int queue = -1;             // ring: the number of its queue; of no meaning without an entry

    std::atomic<int> references{0};

    /// Makes the slot busy. release: a thread that finds it so sees what was written before.
    void add_references(int count) noexcept { references.store(count, std::memory_order_release); }
    /// True for the caller that dropped the last one: the slot is its to reuse.
    [[nodiscard]] bool drop_reference() noexcept
    {
        // acquire+release: the next user must see everything earlier holders did to the slot.
        return references.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }
};

/// Takes requests in. Implemented by the session; every method may be called by any worker thread.
class RequestSink {
public:
    virtual ~RequestSink() = default;

    /// An unused slot, or nullptr when memory is short.
    [[nodiscard]] virtual Slot* acquire_slot() = 0;
    virtual void release_slot(Slot& slot) = 0;

    /// Runs the filesystem's handler for `slot` on the calling thread. The answer may come before this
    /// returns, or later and from another thread. The caller has set every field and two references, and
    /// drops the handler's one afterwards.
    virtual void deliver(Slot& slot) = 0;
};

/// Takes answers back.
class Transport {
public:
    virtual ~Transport() = default;
    [[nodiscard]] virtual const char* name() const noexcept = 0;

    /// Answers `slot` with `error` (0 or a negative errno, -1 to -511) and, if 0, `body`. Any thread; exactly
    /// once per delivered request. `body` is borrowed, maybe from the caller's stack: consume it before
    /// returning. Returns 0, or -errno if the kernel refused the answer (-ENOENT: the request was
    /// interrupted, harmless).
    virtual int commit(Slot& slot, int error, std::span<const iovec> body) = 0;

    /// Ends a request the kernel wants no answer for (FORGET, NOTIFY_REPLY, INTERRUPT). Any thread, once.
    virtual void recycle(Slot& slot) = 0;

    /// Makes sure that answers given so far are on their way, though the handler still runs. Called before
    /// anything that may wait for the kernel to act on such an answer. Handler's own thread.
    virtual void flush() noexcept {}
};

/// Why a session stopped; the first reason given wins.
enum class StopCause { kNone, kExit, kSignal, kUnmounted, kFailed, kShutdown };

/// How a loop ends and how it is told to. Shared by the session and the transports' threads.
class StopSignal {
public:
    virtual ~StopSignal() = default;
    /// Records why; wakes the loop. Any thread.
    virtual void stop(StopCause cause, int error) noexcept = 0;
    /// kNone while there was no stop. Whoever asks two things of it asks once.
    [[nodiscard]] virtual StopCause cause() const noexcept = 0;
    [[nodiscard]] bool stopped() const noexcept { return cause() != StopCause::kNone; }
    /// Readable (never drained) from the moment of the stop.
    [[nodiscard]] virtual int stop_fd() const noexcept = 0;
    /// The loop ends, no handler runs any more, and answers of other threads still go out: waits for those
    /// that the cause of the stop wants. The loop's thread.
    virtual void await_answers() noexcept {}
    /// Whether the stop is one after which another loop is to come on the same connection.
    [[nodiscard]] bool may_go_on() const noexcept { return cause() == StopCause::kShutdown; }
};

/// What the application asked of the loop.
struct LoopConfig {
    unsigned max_threads = 10;
    int max_idle_threads = -1; // -1: threads are kept
    bool clone_fd = false;
    bool device_uring = false; // the device is read through io_uring
    bool single = false;       // handlers on the calling thread only, one at a time
};

} // namespace rf
