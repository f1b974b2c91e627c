#include "transport/fuse_uring.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"
#include "transport/machine.hpp"
#include "transport/ring_dispatcher.hpp"
#include "transport/ring_single.hpp"
#include "transport/ring_worker.hpp"
#include "transport/select.hpp"

#include <new>
#include <poll.h>

namespace rf {
namespace {

// How long a stuck queue may stay so, and an answer wait for its handler's end, at most twice. Short beside
// any handler worth calling slow, long beside a request (10 us): the supervisor costs a thousandth of a CPU.
constexpr int kTickMs = 1;
// Quiet ticks before the supervisor goes to sleep.
constexpr unsigned kQuietTicks = 16;

} // namespace

namespace {

/// Does the kernel end connections whose requests take too long? Then none may be left unanswered on purpose.
bool kernel_times_requests()
{
    for (const char* name : {"default_request_timeout", "max_request_timeout"}) {
        const std::string text = read_line((std::string("/proc/sys/fs/fuse/") + name).c_str());
        if (!text.empty() && text != "0")
            return true;
    }
    return false;
}

} // namespace

FuseUring::FuseUring(DeviceTransport& device, Kicker& kicker, RequestSink& sink, StopSignal& stop)
{
    shared_.transport = this;
    shared_.device = &device;
    shared_.kicker = &kicker;
    shared_.sink = &sink;
    shared_.stop = &stop;
}

FuseUring::~FuseUring()
{
    end_threads();
}

/// What each loop says anew. No handler runs.
void FuseUring::set_limits(const LoopConfig& config, unsigned nr_queues)
{
    shared_.idle_limit.store(shared_.options.timed || kernel_times_requests()
                                 ? ring_policy::kNoIdleLimit
                                 : ring_policy::idle_limit(config.max_idle_threads, plan_.workers()),
                             std::memory_order_relaxed);
    limit_.set(ring_policy::handler_limit(config.max_threads, nr_queues));
}

int FuseUring::prepare(const LoopConfig& config, const ring_policy::Options& options,
                       std::size_t payload_bytes, unsigned nr_queues, int companion_fd)
{
    shared_.options = options;
    shared_.options.pin = resolve_pin(options.pin);
    if (options.nonblocking && config.max_threads < nr_queues) {
        log::info("nonblocking_handlers not used: max_threads=%u, one for each of %u queues is needed",
                  config.max_threads, nr_queues);
        shared_.options.nonblocking = false;
    }
    shared_.companion_fd = companion_fd;
    shared_.payload_bytes = payload_bytes;
    shared_.limit = &limit_;
    int rc = get_affinity(shared_.affinity);
    if (rc == 0)
        rc = make_plan(nr_queues, config.single);
    if (rc == 0)
        rc = shared_.supervisor_wake.open();
    if (rc < 0)
        return rc;
    set_limits(config, nr_queues);
    dispatcher_ = std::make_unique<RingDispatcher>(shared_, queues_, plan_.entries());
    shared_.dispatcher = dispatcher_.get();
    for (unsigned qid = 0; qid < nr_queues; ++qid)
        queues_.push_back(std::make_unique<RingQueue>(shared_, qid, plan_.queues[qid]));
    for (unsigned qid = 0; qid < nr_queues; ++qid)
        queues_[qid]->set_host(*queues_[plan_.queues[qid].host]);
    if (config.single) {
        single_ = std::make_unique<RingSingle>(shared_, queues_);
        shared_.single = single_.get();
        rc = single_->open();
    } else {
        rc = start_queues();
    }
    if (rc < 0)
        abandon();
    return rc;
}

int FuseUring::make_plan(unsigned nr_queues, bool single)
{
    placement::Machine machine;
    if (const int rc = look_at_machine(nr_queues, shared_.affinity, machine); rc < 0)
        return rc;
    const ring_policy::Options& options = shared_.options;
    placement::Wishes wishes;
    wishes.workers = options.workers;
    wishes.nonblocking = options.nonblocking;
    wishes.entry_bytes = shared_.payload_bytes + ring_policy::kPayloadSlack;
    wishes.memory_bytes = single ? 0 : options.memory_bytes;
    if (single && options.memory_bytes != 0 && nr_queues * wishes.entry_bytes > options.memory_bytes)
        return -ENOBUFS;
    if (const int rc = placement::make_plan(machine, wishes, plan_); rc < 0)
        return rc;
    if (plan_.workers_ignored)
        log::info("workers=%u not used: nonblocking_handlers needs one for each of %u queues", wishes.workers,
                  nr_queues);
    if (single) {
        // The one thread has them all.
        for (unsigned qid = 0; qid < nr_queues; ++qid) {
            placement::QueuePlace& place = plan_.queues[qid];
            place.workers = place.floating = place.spares = place.refill = 0;
            place.host = qid;
        }
    }
    return 0;
}

int FuseUring::start_queues()
{
    if (plan_.has_spares()) {
        if (const int rc = dispatcher_->start(); rc < 0)
            return rc;
    }
    for (const std::unique_ptr<RingQueue>& queue : queues_) {
        const placement::QueuePlace& place = queue->place();
        for (unsigned i = 0; i < place.workers + place.floating; ++i) {
            RingQueue::Inbox nothing;
            if (const int rc = queue->add_worker(nothing); rc < 0)
                return rc;
        }
        const std::vector<RingWorker*> workers = queue->workers();
        for (unsigned i = 0; i < place.workers; ++i) {
            if (const int rc = workers[i]->prepare_first(); rc < 0)
                return rc;
        }
        if (const int rc = queue->fill_stock(place.spares); rc < 0)
            return rc;
    }
    return 0;
}

int FuseUring::start()
{
    const int rc = single_ ? single_->register_all() : register_entries();
    if (rc < 0)
        give_up_ring();
    else if (!single_)
        shared_.outlives.store(true, std::memory_order_release);
    return rc;
}

/// One after the other: kernels before 6.15 create the ring twice if first REGISTERs race.
int FuseUring::register_entries()
{
    for (const unsigned qid : plan_.order) {
        if (const int rc = register_entries_of(*queues_[qid], qid == plan_.order.back()); rc < 0)
            return rc;
    }
    return 0;
}

/// With the last queue's first entry the ring is in use; a REGISTER after that must not fail and does not
/// pick up requests that came before it. So that queue gets one entry, and the others when it is stuck, when
/// it is looked at again anyway. If nobody can make the kernel look, it gets all of its spares in one call.
int FuseUring::register_entries_of(RingQueue& queue, bool last)
{
    const placement::QueuePlace& place = queue.place();
    const std::vector<RingWorker*> workers = queue.workers();
    const bool one = last && place.cpu != placement::kAnywhere;
    // The kernel uses the newest entry first, and the worker's is to be used before the spares.
    unsigned spares = place.spares;
    if (one)
        spares = place.workers > 0 ? 0 : 1;
    int rc = spares > 0 ? dispatcher_->register_spares(queue, spares) : 0;
    for (unsigned i = 0; rc == 0 && i < workers.size(); ++i) {
        if (i < place.workers && !(last && (i > 0 || spares > 0)))
            rc = workers[i]->register_first();
        else
            queue.repark(*workers[i]);
    }
    return rc;
}

/// The INIT reply promised a ring that cannot be had. A REGISTER that the kernel must refuse makes it fall
/// back to the device; without that every request would wait for ever.
void FuseUring::give_up_ring()
{
    struct Attempt {
        RingShared& shared;
        int rc;
    } attempt{shared_, -EAGAIN};
    // On a thread of its own, see probe_ring().
    Thread thread;
    const int started = thread.start(
        "fuse-ring-off",
        [](void* argument) {
            Attempt& here = *static_cast<Attempt*>(argument);
            Ring ring;
            here.rc = ring.open(1, here.shared.device->fd(), -1);
            if (here.rc == 0) {
                ring.prepare_refused_register(0);
                (void)ring.submit();
            }
        },
        &attempt);
    thread.join();
    const int rc = started < 0 ? started : attempt.rc;
    if (rc == 0)
        return;
    log::error("ring cannot be given up (%s), the session ends", log::errno_name(rc));
    shared_.stop->stop(StopCause::kFailed, rc);
}

void FuseUring::end_threads()
{
    shared_.closing.store(true, std::memory_order_release);
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->stop_workers();
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->join_workers();
    if (dispatcher_)
        dispatcher_->end();
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->send_guests_home();
}

void FuseUring::abandon()
{
    end_threads();
    shared_.single = nullptr;
    // The queues stay until the end: somebody may be reading their counters.
    single_.reset();
    shared_.workers.store(0, std::memory_order_relaxed);
    shared_.closing.store(false, std::memory_order_release);
}

bool FuseUring::supervise_once()
{
    // Whoever promised that handlers never block is taken at his word.
    if (shared_.options.nonblocking)
        return false;
    bool busy = false;
    const bool full = limit_.reached(); // adds up all queues, so once for all of them
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        busy |= queue->supervise(full);
    return busy;
}

void FuseUring::supervise()
{
    std::array<pollfd, 2> watched{pollfd{shared_.stop->stop_fd(), POLLIN, 0},
                                  pollfd{shared_.supervisor_wake.fd(), POLLIN, 0}};
    unsigned quiet = 0;
    while (!shared_.stop->stopped()) {
        quiet = supervise_once() ? 0 : quiet + 1;
        int timeout_ms = kTickMs;
        if (quiet >= kQuietTicks) {
            shared_.supervisor_asleep.store(true, std::memory_order_seq_cst);
            // Whoever took a request before it could see the flag is seen here instead.
            if (supervise_once())
                shared_.supervisor_asleep.store(false, std::memory_order_seq_cst);
            else
                timeout_ms = -1;
        }
        (void)::poll(watched.data(), watched.size(), timeout_ms);
        // Also one that came just as we decided not to sleep; left there it would end every later wait at
        // once.
        if (watched[1].revents != 0)
            shared_.supervisor_wake.drain();
        if (timeout_ms < 0) {
            shared_.supervisor_asleep.store(false, std::memory_order_seq_cst);
            quiet = 0;
        }
    }
}

void FuseUring::serve_single(int (*read_device)(void*), void* context, int device_fd)
{
    single_->serve(read_device, context, device_fd);
}

bool FuseUring::rest()
{
    if (single_) {
        single_->stand_by();
        return false;
    }
    if (!shared_.outlives.load(std::memory_order_acquire))
        return false;
    shared_.resting.store(true, std::memory_order_release);
    const unsigned asked = shared_.rests_asked.fetch_add(1, std::memory_order_acq_rel) + 1;
    bool all = true;
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        all &= queue->await_rest(asked);
    return all;
}

void FuseUring::resume(const LoopConfig& config)
{
    set_limits(config, nr_queues());
    limit_.note_workers(nr_workers());
    shared_.resting.store(false, std::memory_order_release);
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->end_rest();
}

void FuseUring::inherit(FuseUring& old)
{
    for (std::size_t i = 0; i < queues_.size(); ++i)
        queues_[i]->inherit(*old.queues_[i]);
}

void FuseUring::finish(bool succeeded)
{
    shared_.succeeded.store(succeeded, std::memory_order_release);
    if (single_)
        single_->close();
    end_threads();
}

int FuseUring::commit(Slot& slot, int error, std::span<const iovec> body)
{
    RingEntry& entry = *slot.entry;
    const int rc = write_answer(entry, slot.in.header.unique, error, body);
    // The last of answer and handler commits, see InPlace. seq_cst: the supervisor, before it goes to sleep,
    // must see either this or our look at its flag.
    if (entry.pending.fetch_sub(1, std::memory_order_seq_cst) != 1) {
        shared_.rouse_supervisor();
        return rc;
    }
    RingThread* const here = RingThread::current();
    if (here && here->runs(slot)) {
        here->answered(entry);
        return rc;
    }
    const int handed = single_ ? single_->hand_over(entry) : entry.queue->hand_over(entry);
    return rc < 0 ? rc : handed;
}

void FuseUring::flush() noexcept
{
    if (RingThread* here = RingThread::current())
        here->flush();
}

std::uint64_t FuseUring::requests() const noexcept
{
    std::uint64_t total = 0;
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        total += queue->deliveries.load(std::memory_order_relaxed);
    return total;
}

} // namespace rf
