// The single-threaded promise on the ring: one thread, one io_uring, entries for every queue, and the device
// watched through the same ring. Handlers run one at a time on the thread that called the loop, answers leave
// at once.
#pragma once

#include "transport/ring_thread.hpp"

#include <memory>
#include <vector>

namespace rf {

class RingSingle final : public RingThread {
public:
    RingSingle(RingShared& shared, const std::vector<std::unique_ptr<RingQueue>>& queues) noexcept
        : RingThread(shared), queues_(queues)
    {}

    /// 0 or -errno. The calling thread is the one that must serve.
    [[nodiscard]] int open();
    [[nodiscard]] int register_all();
    void serve(int (*read_device)(void*), void* context, int device_fd);
    /// After serve(): answers of other threads go out through dispatchers.
    void stand_by() { begin_handler(); }
    /// Sends what was answered; requests that were taken and not run are left with their queues.
    void close();

    void answered(RingEntry& entry) override;
    void flush() noexcept override;
    /// `entry` is answered by a foreign thread. Any thread. 0, or -ENOTCONN after close().
    int hand_over(RingEntry& entry) RF_EXCLUDES(mutex_);

private:
    void on_tag(std::uint64_t tag, int res) override;
    void on_refused(RingEntry& entry, int res) override;
    void give_pages_back() override;
    void take_mail(bool then_busy) RF_EXCLUDES(mutex_);
    void begin_handler();
    void run_waiting();
    void handle(RingEntry& entry);
    void restock(RingQueue& queue);
    void follow(unsigned qid);

    const std::vector<std::unique_ptr<RingQueue>>& queues_;
    bool device_ready_ = false;
    int device_fd_ = -1;
    int refused_ = 0;
    std::vector<RingEntry*> first_; // one for each queue, until register_all()

    // The queue the last requests came from, and how many in a row.
    unsigned streak_qid_ = 0;
    unsigned streak_ = 0;

    Mutex mutex_;
    EntryList answered_ RF_GUARDED_BY(mutex_);
    bool busy_ RF_GUARDED_BY(mutex_) = false; // inside a handler: nobody looks at answered_ soon
    bool closed_ RF_GUARDED_BY(mutex_) = false;
};

} // namespace rf
