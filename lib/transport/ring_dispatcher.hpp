// The thread of a queue that runs no handler: it is always there to commit, whatever the workers do.
#pragma once

#include "transport/ring_thread.hpp"

namespace rf {

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
    void take_mail();
    void take_request(RingEntry& entry);
    void on_tag(std::uint64_t tag, int res) override;
    void give_pages_back() override { queue_.give_pages_back(*this); }

    RingQueue& queue_;
    Thread thread_;
    std::atomic<bool> end_{false};
};

} // namespace rf
