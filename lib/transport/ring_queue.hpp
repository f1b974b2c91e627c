// One queue of the ring: what the threads that serve it share. The kernel sends a queue the requests of one
// CPU.
//
// Who serves a queue:
//  * its workers run handlers. One that waits owns exactly one AVAILABLE entry ("idle") or none ("parked");
//  one
//    inside a handler owns none, so no request can be stuck behind it.
//  * the dispatcher, which all queues share, runs no handler and may own any number of AVAILABLE entries: it
//    commits answers for which no worker is free and passes the requests those entries receive to parked
//    workers.
// A queue without workers (a guest) has entries of the dispatcher only; the workers of another queue, its
// host, run its requests, and keep some of themselves parked for that.
#pragma once

#include "base/event.hpp"
#include "base/mutex.hpp"
#include "transport/device.hpp"
#include "transport/handler_limit.hpp"
#include "transport/kick.hpp"
#include "transport/placement.hpp"
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
    RingDispatcher* dispatcher = nullptr;
    RingThread* single = nullptr; // the one thread that runs handlers, if there is only one
    ring_policy::Options options; // pin: resolved
    std::atomic<unsigned> idle_limit{ring_policy::kNoIdleLimit}; // of the present or last loop
    std::atomic<bool> can_withhold{true}; // else idle workers stay: entries could not be taken out of service
    cpu_set_t affinity{};                 // of the thread that runs the loop: what a forked child gets back

    // The ring's own threads are to end, whether the session goes on (over the device) or not.
    std::atomic<bool> closing{false};
    // The workers can outlive the loop, and do if another one is to come: from its end to the next one they
    // rest, which means that they start no handler, keep the requests that come, and send the answers of
    // others.
    std::atomic<bool> outlives{false};
    std::atomic<bool> resting{false};
    std::atomic<unsigned> rests_asked{0}; // each worker says when it has seen the latest
    [[nodiscard]] bool ended() const noexcept
    {
        // One look at the cause: the next loop may be beginning, which forgets it.
        const StopCause cause = stop->cause();
        return closing.load(std::memory_order_acquire) ||
               (cause != StopCause::kNone &&
                !(cause == StopCause::kShutdown && outlives.load(std::memory_order_acquire)));
    }
    [[nodiscard]] bool rests() const noexcept
    {
        return outlives.load(std::memory_order_acquire) &&
               (resting.load(std::memory_order_acquire) || stop->may_go_on());
    }

    // The ring's threads end, and another ring of this process goes on: requests on their way to an entry
    // would fail with the thread that owns it, so none is left with the kernel.
    std::atomic<bool> succeeded{false};

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
    RingQueue(RingShared& shared, unsigned qid, const placement::QueuePlace& place);
    ~RingQueue();
    RingQueue(const RingQueue&) = delete;
    RingQueue& operator=(const RingQueue&) = delete;

    [[nodiscard]] unsigned qid() const noexcept { return qid_; }
    [[nodiscard]] RingShared& shared() const noexcept { return shared_; }
    [[nodiscard]] const placement::QueuePlace& place() const noexcept { return place_; }
    /// The CPU whose requests come here; whether somebody can go there is another matter.
    [[nodiscard]] unsigned cpu() const noexcept
    {
        return place_.cpu == placement::kAnywhere ? qid_ : static_cast<unsigned>(place_.cpu);
    }
    /// The queue whose workers run the requests of this one. Before the first thread is started.
    void set_host(RingQueue& host) noexcept { host_ = &host; }
    [[nodiscard]] bool is_guest() const noexcept { return host_ != this; }

    /// A new entry, not registered yet; nullptr when memory is short, or as much is used as may be. Any
    /// thread. Lives as long as the queue.
    [[nodiscard]] RingEntry* create_entry() RF_EXCLUDES(mutex_);
    /// The dispatcher's entries to come: creates them, and takes one or puts it back. Without one in stock
    /// take_stock() creates it; nullptr as create_entry(). Any thread.
    [[nodiscard]] int fill_stock(unsigned count) RF_EXCLUDES(mutex_);
    [[nodiscard]] RingEntry* take_stock() RF_EXCLUDES(mutex_);
    void put_into_stock(RingEntry& entry) RF_EXCLUDES(mutex_);
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

    /// May the worker that answered `entry` commit it and wait there for the next request? Not a guest's, and
    /// not while workers are to be parked for guests.
    [[nodiscard]] bool may_keep(const RingEntry& entry) RF_EXCLUDES(mutex_);
    /// A handler returned without an answer. Where the dispatcher has the entries, it adds some in time.
    void note_unanswered();
    /// `entry`, of this queue, is answered and may be committed; finds a thread that can. Any thread. 0, or
    /// -ENOTCONN when the threads are ending.
    int hand_over(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// A request of this queue that the thread which took it does not run: finds a worker, or lets it wait
    /// for one.
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

    /// A worker's share of the mail, handed over under the queue's lock.
    struct Inbox {
        EntryList commits; // answered: to be committed
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
    /// The same for an entry that no thread will own: always.
    void keep_withheld(RingEntry& entry) RF_EXCLUDES(mutex_);
    /// An entry out of service, to be committed; nullptr if there is none. Its commit also fetches a request
    /// that waits in the kernel.
    [[nodiscard]] RingEntry* take_withheld() RF_EXCLUDES(mutex_);

    /// The kernel refused a REGISTER: no other is tried for a while.
    void note_refusal() noexcept { refused_.store(true, std::memory_order_relaxed); }

    /// The last mail of a thread that ends: nobody gives it any afterwards.
    void retire(RingWorker& worker, Inbox& last) RF_EXCLUDES(mutex_);

    /// The supervisor's look at the queue: frees answers whose handler goes on and on, grows a stuck queue.
    /// `full`: as many handlers run as may. Returns true if another look is due soon: requests were taken
    /// since the last one, or an answer waits for its handler.
    [[nodiscard]] bool supervise(bool full) RF_EXCLUDES(mutex_);

    /// Waits until every worker has seen rest number `asked`, inside no handler; false if one has ended
    /// instead. REQUIRES: nobody adds workers.
    [[nodiscard]] bool await_rest(unsigned asked) RF_EXCLUDES(mutex_);
    /// The rest is over: has requests that came meanwhile run.
    void end_rest() RF_EXCLUDES(mutex_);
    /// Takes over requests that `old`, whose threads have ended, had taken from the kernel and not run.
    /// Before the start.
    void inherit(RingQueue& old) RF_EXCLUDES(mutex_);

    /// The end, in this order for all queues: workers finish their handlers and go; then the dispatcher ends,
    /// which until then sends the answers of other threads.
    void stop_workers() RF_EXCLUDES(mutex_);
    void join_workers() RF_EXCLUDES(mutex_);
    /// After both: requests of guests that were taken from the kernel and not run go to their own queues.
    void send_guests_home() RF_EXCLUDES(mutex_);

    // Counted by the serving threads, read by everybody. See ring_policy::QueueView.
    std::atomic<int> available{0};
    std::atomic<unsigned> held{0};
    std::atomic<std::uint64_t> deliveries{0};
    std::atomic<unsigned> inside{0}; // handlers running; see HandlerLimit

    std::atomic<bool> entry_wanted{false}; // the dispatcher has been asked to add one
    int spares = 0;                        // the dispatcher's AVAILABLE entries here; its thread only

private:
    /// Requests of guests, and of queues that have guests, may find all of the workers elsewhere.
    [[nodiscard]] bool shares_workers() const noexcept { return place_.workers == 0 || place_.floating > 0; }
    [[nodiscard]] bool has_enough_parked_locked() const RF_REQUIRES(mutex_)
    {
        return parked_.size() >= place_.floating;
    }
    [[nodiscard]] RingWorker* take_parked_locked() RF_REQUIRES(mutex_);
    void push_waiting_locked(RingEntry& entry) RF_REQUIRES(mutex_);
    [[nodiscard]] RingEntry* pop_waiting_locked() RF_REQUIRES(mutex_);
    [[nodiscard]] RingWorker* idle_worker_locked() RF_REQUIRES(mutex_);
    [[nodiscard]] bool waits_too_long() noexcept;
    void grow_stuck() RF_EXCLUDES(mutex_);
    void bury() RF_EXCLUDES(mutex_);
    [[nodiscard]] bool may_lose_worker_locked() const RF_REQUIRES(mutex_)
    {
        return workers_.size() - leaving_ > place_.workers + place_.floating;
    }

    RingShared& shared_;
    const unsigned qid_;
    const placement::QueuePlace place_;
    RingQueue* host_ = this; // constant once threads run

    Mutex mutex_;
    std::vector<std::unique_ptr<RingEntry>> entries_ RF_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<RingWorker>> workers_ RF_GUARDED_BY(mutex_);
    std::vector<RingWorker*> parked_ RF_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<RingWorker>> gone_ RF_GUARDED_BY(mutex_); // to be joined
    std::size_t leaving_ RF_GUARDED_BY(mutex_) = 0; // of the workers: about to call leave()
    EntryList withheld_ RF_GUARDED_BY(mutex_);
    EntryList stock_ RF_GUARDED_BY(mutex_); // not registered yet
    EntryList
        waiting_ RF_GUARDED_BY(mutex_); // requests taken from the kernel that no worker may or can run yet
    bool workers_end_ RF_GUARDED_BY(mutex_) = false; // none is given anything any more
    std::atomic<unsigned> waiting_count_{0};
    std::atomic<unsigned> waiting_taken_{0}; // requests that waited, and were given to somebody
    std::atomic<bool> refused_{false};

    // Supervisor only.
    ring_policy::QueueView last_view_;
    unsigned last_taken_ = 0;
    bool last_waiting_ = false;
    unsigned ticks_to_skip_ = 0; // after a growth that failed
};

} // namespace rf
