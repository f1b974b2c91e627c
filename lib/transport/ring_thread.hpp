// What every thread that serves a ring does: take completions, run handlers, put answers into entries.
#pragma once

#include "base/event.hpp"
#include "base/thread.hpp"
#include "transport/cpu_binding.hpp"
#include "transport/in_place.hpp"
#include "transport/ring.hpp"
#include "transport/ring_queue.hpp"

#include <atomic>

namespace rf {

/// Base of the worker, the dispatcher and the single-threaded server. Owner thread only but for what says
/// otherwise.
class RingThread {
public:
    explicit RingThread(RingShared& shared) noexcept
        : shared_(shared), cpu_(shared.affinity, shared.options.pin)
    {}
    virtual ~RingThread();
    RingThread(const RingThread&) = delete;
    RingThread& operator=(const RingThread&) = delete;

    /// The server this thread is, or nullptr for any other thread.
    [[nodiscard]] static RingThread* current() noexcept;
    /// Is this thread inside the handler of `slot`? Only meaningful for current().
    [[nodiscard]] bool runs(const Slot& slot) const noexcept { return running_ == &slot; }

    /// The handler in progress on this thread has answered; `entry` is ready to be committed.
    virtual void answered(RingEntry& entry) = 0;
    /// Sends off an answer that waits for the handler's end.
    virtual void flush() noexcept {}

    /// Makes the thread look at its mail. Any thread.
    void wake() const noexcept { wake_.signal(); }

    RingQueue::Inbox inbox; // guarded by the queue's mutex

protected:
    static constexpr std::uint64_t kWakeTag = 1;
    static constexpr std::uint64_t kDeviceTag = 2;
    static constexpr std::uint64_t kStopTag = 3;

    void become_current() noexcept;
    /// The thread lives on but serves no ring any more.
    void resign() noexcept;
    [[nodiscard]] int open_ring(unsigned entries);

    /// Prepares the commands and keeps the queue's books; nothing is sent before the next submit.
    void commit(RingEntry& entry);
    void enter(RingEntry& entry);

    /// Sends what was prepared, then waits for a completion, on this thread's CPU. 0, or -errno after which
    /// the ring is of no use.
    [[nodiscard]] int send_and_wait();
    /// Called when the thread was idle for a while after large requests: RingQueue::give_pages_back().
    virtual void give_pages_back() = 0;

    /// Takes all completions: entries with a request go to `ready`, other tags to on_tag().
    void reap(EntryList& ready);
    virtual void on_tag(std::uint64_t tag, int res) = 0;
    /// A REGISTER was refused for good. The entry is not in the kernel.
    virtual void on_refused(RingEntry& entry, int res);

    /// Before the end: takes what is on its way and leaves it with its queue, for another ring.
    void keep_what_comes();
    /// The same, and has requests of our own take what entries the kernel still has. Best effort: it needs a
    /// file that the kernel knows, and to run on the queue's CPU. On the thread's way out.
    void withdraw_from(RingQueue& queue);

    /// If the request in `entry` is a kick, answers it: true, and the entry may be committed.
    [[nodiscard]] bool answer_kick(RingEntry& entry);
    /// Runs the filesystem's handler for the request in `entry` here. Returns the entry if its answer is
    /// there and nobody else commits it.
    [[nodiscard]] RingEntry* run(RingEntry& entry);

    RingShared& shared_;
    CpuBinding cpu_;
    Ring ring_;
    EventFd wake_;
    int owned_ = 0; // AVAILABLE entries on ring_

    // An answer given by the handler in progress, to be committed when the handler returns; the supervisor
    // takes it away if that takes long. release by the handler's thread, acquire by the taker.
    std::atomic<RingEntry*> deferred_{nullptr};
    InPlace in_place_; // the same for a handler that reads its arguments in place

private:
    void on_entry(RingEntry& entry, int res, EntryList& ready);
    [[nodiscard]] Slot* prepare_slot(RingEntry& entry);

    // Names and other small arguments are copied here before the handler runs: they must stay readable until
    // it returns, while the answer may be written over the entry's payload at any moment before.
    static constexpr std::size_t kArgumentBytes = 16 * 1024;
    alignas(64) std::array<std::byte, kArgumentBytes> arguments_;
    Slot* slot_ = nullptr;          // kept for the next request
    const Slot* running_ = nullptr; // of the handler in progress
    bool large_ = false;            // large requests passed since pages were last given back
};

/// Puts an answer into `entry` (or beside it, while the handler still reads the payload). Any thread, once
/// per request. Returns 0 or -EINVAL if `body` does not fit: the caller then gets EIO.
[[nodiscard]] int write_answer(RingEntry& entry, std::uint64_t unique, int error,
                               std::span<const iovec> body);

} // namespace rf
