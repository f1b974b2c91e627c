// The thread of the ring that runs no handler: it is always there to commit and to receive, whatever the
// workers do. One for all queues.
#pragma once

#include "transport/ring_thread.hpp"

#include <memory>
#include <vector>

namespace rf {

/// Owns the spare entries, commits answers nobody else is free for, and passes the requests its entries
/// receive on to workers.
class RingDispatcher final : public RingThread {
public:
    /// `queues` must be complete before it is started; `shared` has its options already. `entries`: about as
    /// many as it will have at once.
    RingDispatcher(RingShared& shared, const std::vector<std::unique_ptr<RingQueue>>& queues,
                   std::size_t entries) noexcept;

    /// Starts the thread, unless it runs; waits until its ring is open. Any thread. 0, or -errno; -ENOTCONN
    /// after the end.
    [[nodiscard]] int start() RF_EXCLUDES(mutex_);
    /// Sends what it was given, and ends; waits for that. Nothing is accepted afterwards.
    void end() RF_EXCLUDES(mutex_);

    /// `entry` is answered: commits it. Any thread; starts the thread if need be. 0, or -errno and it is
    /// still the caller's.
    [[nodiscard]] int take_answered(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// The same; then takes the entry out of service, unless its queue lacks a spare.
    [[nodiscard]] int take_retired(RingEntry& entry) RF_EXCLUDES(mutex_);

    /// Registers `count` spares of `queue`, before requests can wait there, and waits until the kernel has
    /// them. 0 or -errno. REQUIRES: it runs. One thread.
    [[nodiscard]] int register_spares(RingQueue& queue, unsigned count) RF_EXCLUDES(mutex_);
    /// Registers one more entry with `queue` and has the kernel look at what waits there. Any thread; while
    /// one is on its way nothing happens.
    void add_entry(RingQueue& queue) RF_EXCLUDES(mutex_);

    void answered(RingEntry& entry) override { (void)entry.queue->hand_over(entry); }

private:
    struct Wanted {
        RingQueue* queue;
        unsigned count;
        bool kick;
    };
    struct Mail {
        EntryList answered;
        EntryList retired;
        std::vector<Wanted> wanted;
    };
    enum class Life { kNotStarted, kRuns, kEnded };

    static void thread_main(void* dispatcher);
    void serve();
    void take_mail();
    void take_request(RingEntry& entry);
    void put_into_service(RingEntry& entry);
    void add_entries(RingQueue& queue, unsigned count, bool kick_queue);
    void retire(RingEntry& entry);
    void kick(RingQueue& queue);
    void report(int result) noexcept;
    [[nodiscard]] bool visit(const RingQueue& queue) noexcept;
    void come_back() noexcept;
    [[nodiscard]] int start_locked() RF_REQUIRES(mutex_);
    void on_tag(std::uint64_t tag, int res) override;
    void on_refused(RingEntry& entry, int res) override;
    void give_pages_back() override;

    const std::vector<std::unique_ptr<RingQueue>>& queues_;
    const unsigned ring_entries_;
    Thread thread_;
    EntryList ready_;         // hold requests that nobody was given yet
    bool look_again_ = false; // mail came after take_mail()
    int refused_ = 0;         // why the kernel refused the last REGISTER, 0 if it did not

    // A step of start-up reports here: kWaiting, then 0 or -errno.
    static constexpr int kWaiting = 1;
    std::atomic<int> report_{0};
    std::atomic<bool> end_{false};

    Mutex mutex_;
    Life life_ RF_GUARDED_BY(mutex_) = Life::kNotStarted;
    Mail mail_ RF_GUARDED_BY(mutex_);
};

} // namespace rf
