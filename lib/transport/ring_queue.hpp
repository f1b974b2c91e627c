// One queue of the ring: what the threads that serve it share. The kernel sends a queue the requests of one
// CPU.
//
// Threads of a queue:
//  * workers run handlers. One that waits owns exactly one AVAILABLE entry ("idle") or none ("parked"); one
//  inside
//    a handler owns none, so no request can be stuck behind it.
//  * the dispatcher runs no handler and may own any number of AVAILABLE entries: it commits answers for which
//  no
//    worker is free and passes the requests those entries receive to parked workers. Started when first
//    needed.
#pragma once

#include "base/event.hpp"
#include "base/mutex.hpp"
#include "transport/device.hpp"
#include "transport/handler_limit.hpp"
#include "transport/kick.hpp"
#include "transport/ring_entry.hpp"
#include "transport/ring_policy.hpp"

#include <atomic>
#include <memory>
#include <sched.h>
#include <vector>

namespace rf {

class RingThread;
class RingWorker;
class RingDispatcher;

/// What all queues of one connection share. Constant after set-up but for the atomics.
struct RingShared {
    Transport* transport = nullptr;
    DeviceTransport* device = nullptr;
    Kicker* kicker = nullptr;
    int companion_fd = -1; // to be kept open by the rings beside the device, see Engine::attach()
    RequestSink* sink = nullptr;
    StopSignal* stop = nullptr;
    std::size_t payload_bytes = 0; // what answers and arguments may take
    HandlerLimit* limit = nullptr;
    RingThread* single = nullptr; // the one thread that runs handlers, if there is only one
    ring_policy::Options options; // pin: resolved
    unsigned idle_limit = ring_policy::kNoIdleLimit;
    std::atomic<bool> can_withhold{true}; // else idle workers stay: entries could not be taken out of service
    cpu_set_t affinity{};                 // of the thread that runs the loop: what a forked child gets back

    // The ring's own threads are to end, whether the session goes on (over the device) or not.
    std::atomic<bool> closing{false};
    [[nodiscard]] bool ended() const noexcept
    {
        return closing.load(std::memory_order_acquire) || stop->stopped();
    }

    std::atomic<unsigned> workers{0};
    std::atomic<std::size_t> payload_total{0}; // bytes mapped for payloads

    // The supervisor sleeps while nothing happens; whoever takes a request then wakes it.
    EventFd supervisor_wake;
    std::atomic<bool> supervisor_asleep{false};
    void rouse_supervisor() noexcept
    {
        // seq_cst pairs with the supervisor, which sets the flag and then looks at the counters once more.
        if (supervisor_asleep.load(std::memory_order_seq_cst) &&
            supervisor_asleep.exchange(false, std::memory_order_seq_cst))
            supervisor_wake.signal();
    }
};

class RingQueue {
public:
    RingQueue(RingShared& shared, unsigned qid);
    ~RingQueue();
    RingQueue(const RingQueue&) = delete;
    RingQueue& operator=(const RingQueue&) = delete;

    [[nodiscard]] unsigned qid() const noexcept { return qid_; }
    [[nodiscard]] RingShared& shared() const noexcept { return shared_; }

    /// A new entry, not registered yet; nullptr when memory is short, or as much is used as may be. Any
    /// thread. Lives as long as the queue.
    [[nodiscard]] RingEntry* create_entry() RF_EXCLUDES(mutex_);
    /// Gives the pages of `owner`'s AVAILABLE entries back, beyond the first few. Owner's thread, with
    /// nothing prepared and no completion to take: then none of them holds anything, and the kernel copies a
    /// request in only while the owner waits.
    void give_pages_back(const RingThread& owner) RF_EXCLUDES(mutex_);

    /// Adds a worker thread and gives it `first`: what to run or whether to register an entry; nothing of
    /// both, and it waits. 0 or -errno, then `first` is still the caller's.
    struct Inbox;
    [[nodiscard]] int add_worker(Inbox& first) RF_EXCLUDES(mutex_);
    /// Workers in the order they were added; they stay until the queue goes. Not while add_worker() may run.
    [[nodiscard]] std::vector<RingWorker*> workers() RF_EXCLUDES(mutex_);

    /// `entry` is answered and may be committed; finds a thread that can. Any thread. 0, or -ENOTCONN when
    /// the queue's threads are ending.
    int hand_over(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// A request on one of the dispatcher's entries: finds a worker, or lets it wait for one.
    void dispatch(RingEntry& entry) RF_EXCLUDES(mutex_);

    /// Cheap look for requests that wait for a worker. Any thread; a stale answer is corrected by the
    /// supervisor.
    [[nodiscard]] bool has_waiting() const noexcept
    {
        return waiting_count_.load(std::memory_order_relaxed) > 0;
    }
    [[nodiscard]] RingEntry* take_waiting() RF_EXCLUDES(mutex_);
    /// `entry` may not run now, since as many handlers as allowed do: it waits. `worker`, if given, parks.
    void put_off(RingEntry& entry, RingWorker* worker) RF_EXCLUDES(mutex_);
    /// Gives a waiting request to a parked worker; false if there is none of either.
    bool run_waiting() RF_EXCLUDES(mutex_);

    enum class Next { kParked, kRegister, kRun, kLeave };
    /// What an empty-handed worker does next; with kRun, `entry` is the request to run.
    [[nodiscard]] Next park(RingWorker& worker, RingEntry*& entry) RF_EXCLUDES(mutex_);

    /// A worker's or dispatcher's share of the mail, handed over under the queue's lock.
    struct Inbox {
        EntryList commits; // answered: to be committed
        EntryList retired; // dispatcher: answered, and to be kept back after the commit
        EntryList run;     // requests to run the handler of
        bool grow = false;
    };
    void take(Inbox& from, Inbox& to) RF_EXCLUDES(mutex_);
    /// A worker that owns nothing and has nothing to do, for reasons other than park()'s.
    void repark(RingWorker& worker) RF_EXCLUDES(mutex_);
    // Fewer workers again, when more are idle than may be (max_idle_threads). An idle worker's entry cannot
    // be taken back from the kernel, so a worker goes when it has just answered: the dispatcher commits that
    // entry, sends itself a request on it (Kicker::kick_to_withhold()) and keeps that unanswered: the entry
    // is out of service until somebody commits it.

    /// More workers than may be idle, if `worker` became so too. Any thread; exact enough.
    [[nodiscard]] bool has_too_many_idle() const noexcept;
    /// `entry` is answered, and its worker would rather go: true, then it is the dispatcher's, and the worker
    /// calls leave() next. Each queue keeps the workers it started with.
    [[nodiscard]] bool retire_with(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// True: the worker's thread must end without touching the queue again. False: there is mail for it after
    /// all, or it is parked.
    [[nodiscard]] bool leave(RingWorker& worker) RF_EXCLUDES(mutex_);
    /// Dispatcher: `entry` holds an answered request and is not to be committed before take_withheld(). False
    /// if it must be, since the queue has no other AVAILABLE entry.
    [[nodiscard]] bool withhold(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// An entry out of service, to be committed; nullptr if there is none. Its commit also fetches a request
    /// that waits in the kernel.
    [[nodiscard]] RingEntry* take_withheld() RF_EXCLUDES(mutex_);

    /// The kernel refused a REGISTER: no other is tried for a while.
    void note_refusal() noexcept { refused_.store(true, std::memory_order_relaxed); }

    /// The last mail of a thread that ends: nobody gives it any afterwards.
    void retire(RingWorker& worker, Inbox& last) RF_EXCLUDES(mutex_);
    void retire(RingDispatcher& dispatcher, Inbox& last) RF_EXCLUDES(mutex_);

    /// The supervisor's look at the queue: frees answers whose handler goes on and on, grows a stuck queue.
    /// Returns true if another look is due soon: requests were taken since the last one, or an answer waits
    /// for its handler.
    [[nodiscard]] bool supervise() RF_EXCLUDES(mutex_);

    /// The end, in this order for all queues: workers finish their handlers and go; then the dispatcher,
    /// which until then sends the answers of other threads.
    void stop_workers() RF_EXCLUDES(mutex_);
    void join_workers() RF_EXCLUDES(mutex_);
    void end_dispatcher() RF_EXCLUDES(mutex_);

    // Counted by the serving threads, read by everybody. See ring_policy::QueueView.
    std::atomic<int> available{0};
    std::atomic<unsigned> held{0};
    std::atomic<std::uint64_t> deliveries{0};
    std::atomic<unsigned> inside{0}; // handlers running; see HandlerLimit

private:
    [[nodiscard]] RingDispatcher* dispatcher_locked() RF_REQUIRES(mutex_);
    [[nodiscard]] RingWorker* take_parked_locked() RF_REQUIRES(mutex_);
    void push_waiting_locked(RingEntry& entry) RF_REQUIRES(mutex_);
    [[nodiscard]] RingEntry* pop_waiting_locked() RF_REQUIRES(mutex_);
    [[nodiscard]] RingWorker* idle_worker_locked() RF_REQUIRES(mutex_);
    void grow_stuck() RF_EXCLUDES(mutex_);
    void bury() RF_EXCLUDES(mutex_);
    [[nodiscard]] bool may_lose_worker_locked() const RF_REQUIRES(mutex_)
    {
        return workers_.size() - leaving_ > ring_policy::kWorkersPerQueue;
    }

    RingShared& shared_;
    const unsigned qid_;

    Mutex mutex_;
    std::vector<std::unique_ptr<RingEntry>> entries_ RF_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<RingWorker>> workers_ RF_GUARDED_BY(mutex_);
    std::vector<RingWorker*> parked_ RF_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<RingWorker>> gone_ RF_GUARDED_BY(mutex_); // to be joined
    std::size_t leaving_ RF_GUARDED_BY(mutex_) = 0; // of the workers: about to call leave()
    EntryList withheld_ RF_GUARDED_BY(mutex_);
    std::unique_ptr<RingDispatcher> dispatcher_ RF_GUARDED_BY(mutex_);
    EntryList
        waiting_ RF_GUARDED_BY(mutex_); // requests taken from the kernel that no worker may or can run yet
    bool workers_end_ RF_GUARDED_BY(mutex_) = false; // none is given anything any more
    bool closed_ RF_GUARDED_BY(mutex_) = false;      // nor is the dispatcher
    std::atomic<unsigned> waiting_count_{0};
    std::atomic<bool> refused_{false};

    // Supervisor only.
    ring_policy::QueueView last_view_;
    unsigned ticks_to_skip_ = 0; // after a growth that failed
};

} // namespace rf
