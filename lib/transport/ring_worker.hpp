// The threads of a queue: workers, which run handlers, and the dispatcher, which never does.
#pragma once

#include "transport/ring_thread.hpp"

namespace rf {

/// Runs handlers. Invariant: inside a handler it owns no AVAILABLE entry, so nobody waits behind the handler.
class RingWorker final : public RingThread {
public:
    explicit RingWorker(RingQueue& queue) noexcept : RingThread(queue.shared()), queue_(queue) {}

    /// Starts the thread and waits until its ring is open; 0 or -errno.
    [[nodiscard]] int start();
    void join() noexcept { thread_.join(); }

    /// The entry it will begin with. Before register_first(). 0 or -ENOMEM.
    [[nodiscard]] int prepare_first();
    /// Has it register that entry, and waits until the kernel has taken it; 0 or -errno, then it is parked.
    [[nodiscard]] int register_first();

    void answered(RingEntry& entry) override;
    void flush() noexcept override;

    /// Waits in the kernel, in no handler. Any thread; out of date at once.
    [[nodiscard]] bool is_waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }
    /// An answer waits for its handler to return. Any thread.
    [[nodiscard]] bool holds_answer() const noexcept
    {
        return deferred_.load(std::memory_order_seq_cst) != nullptr;
    }

    /// Supervisor only: takes an answer away that has waited for its handler's end since the last call.
    [[nodiscard]] RingEntry* take_overdue() noexcept;

private:
    static void thread_main(void* worker);
    void serve();
    void take_mail();
    void send_last_answers();
    void handle(RingEntry* entry);
    void finish(RingEntry* answered, RingEntry*& next);
    void begin();
    void grow();
    void report(int result) noexcept;
    void on_tag(std::uint64_t tag, int res) override;
    void on_refused(RingEntry& entry, int res) override;

    RingQueue& queue_;
    Thread thread_;
    bool pinned_ = false;
    RingEntry* first_ = nullptr;
    int refused_ = 0; // why the kernel refused the last REGISTER, 0 if it did not

    std::atomic<bool> waiting_{false};

    // A step of start-up reports here: kWaiting, then 0 or -errno.
    static constexpr int kWaiting = 1;
    std::atomic<int> report_{kWaiting};
    std::atomic<bool> ended_{false};

    // Supervisor only.
    RingEntry* seen_deferred_ = nullptr;
};

/// Commits answers nobody else is free for and passes on the requests its entries receive. Runs no handler.
class RingDispatcher final : public RingThread {
public:
    explicit RingDispatcher(RingQueue& queue) noexcept : RingThread(queue.shared()), queue_(queue) {}
    [[nodiscard]] int start();
    /// Sends what it was given, and ends; waits for that.
    void end();
    void answered(RingEntry& entry) override { (void)queue_.hand_over(entry); }

private:
    static void thread_main(void* dispatcher);
    void serve();
    void on_tag(std::uint64_t tag, int res) override;

    RingQueue& queue_;
    Thread thread_;
    std::atomic<bool> end_{false};
};

/// Binds the calling ring thread to its queue's CPU and keeps children from inheriting that. False if the CPU
/// cannot be had.
bool settle_on_cpu(RingShared& shared, unsigned cpu);
/// Undoes settle_on_cpu() for a thread that lives on.
void leave_cpu(RingShared& shared) noexcept;

} // namespace rf
