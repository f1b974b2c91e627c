// The threads of a queue that run handlers.
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

    /// Waits until the thread has seen rest number `asked` outside of any handler: true; false: it has ended.
    [[nodiscard]] bool await_rest(unsigned asked) const noexcept;

    void answered(RingEntry& entry) override;
    void flush() noexcept override;

    /// Waits in the kernel, in no handler. Any thread; out of date at once.
    [[nodiscard]] bool is_waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }
    /// An answer waits for its handler to return. Any thread.
    [[nodiscard]] bool holds_answer() const noexcept
    {
        return deferred_.load(std::memory_order_seq_cst) != nullptr || in_place_.holds_answer();
    }

    /// Supervisor only: takes an answer away that has waited for its handler's end since the last call.
    [[nodiscard]] RingEntry* take_overdue() noexcept;

private:
    static void thread_main(void* worker);
    [[nodiscard]] bool serve();
    void take_mail();
    void send_last_answers();
    void handle(RingEntry* entry);
    void handle_in_batch(RingEntry& entry);
    void finish(RingEntry* answered, RingEntry*& next);
    void begin();
    void enter_batch();
    void grow();
    void report(int result) noexcept;
    void on_tag(std::uint64_t tag, int res) override;
    void on_refused(RingEntry& entry, int res) override;
    void give_pages_back() override { queue_.give_pages_back(*this); }

    RingQueue& queue_;
    Thread thread_;
    bool leaving_ = false; // owns nothing, is not parked, and ends if there is no mail
    RingEntry* first_ = nullptr;
    int refused_ = 0; // why the kernel refused the last REGISTER, 0 if it did not

    std::atomic<bool> waiting_{false};

    // The latest rest this thread has seen; kNoMoreRests when it has ended.
    static constexpr unsigned kNoMoreRests = ~0U;
    std::atomic<unsigned> rest_seen_{0};
    void see_rest(unsigned number) noexcept;

    // A step of start-up reports here: kWaiting, then 0 or -errno.
    static constexpr int kWaiting = 1;
    std::atomic<int> report_{kWaiting};
    std::atomic<bool> ended_{false};

    // Supervisor only.
    RingEntry* seen_deferred_ = nullptr;
};

} // namespace rf
