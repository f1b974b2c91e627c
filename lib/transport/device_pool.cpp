#include "transport/device_pool.hpp"

#include "base/log.hpp"

#include <array>
#include <ctime>
#include <new>
#include <poll.h>

namespace rf {
namespace {

// Between two messages that say the same.
constexpr std::int64_t kReportSeconds = 60;

// An answer leaves one to two ticks after it was given, whatever its handler does. After so many ticks
// without one the supervisor sleeps.
constexpr int kTickMs = 1;
constexpr unsigned kQuietTicks = 8;

} // namespace

int DevicePool::start(const LoopConfig& config, std::size_t buffer_bytes, ring_policy::Pin pin)
{
    place_.pin = pin;
    config_ = config;
    buffer_bytes_ = buffer_bytes;
    if (config_.device_uring) {
        if (const int rc = late_.open(); rc < 0)
            return rc;
    }
    return add_worker();
}

void DevicePool::join()
{
    std::vector<std::unique_ptr<Worker>> leaving;
    {
        const MutexLock lock(mutex_);
        closed_ = true;
        leaving.swap(workers_);
    }
    for (const std::unique_ptr<Worker>& worker : leaving)
        worker->thread.join();
}

int DevicePool::open_reader(DeviceReader& reader, bool clone_fd)
{
    if (config_.device_uring && !device_.custom()) {
        if (const int rc = reader.use_ring(uring_, &late_); rc < 0)
            return rc;
    }
    return reader.open(buffer_bytes_, clone_fd);
}

void DevicePool::watch_answers()
{
    std::array<pollfd, 2> watched{pollfd{stop_.stop_fd(), POLLIN, 0}, pollfd{late_.fd(), POLLIN, 0}};
    unsigned quiet = kQuietTicks;
    while (!stop_.stopped()) {
        const bool rests = quiet >= kQuietTicks;
        if (rests)
            late_.rest();
        const bool any = look_after_answers();
        if (!rests || any)
            (void)::poll(watched.data(), 1, kTickMs);
        else
            (void)::poll(watched.data(), watched.size(), -1);
        quiet = any || rests ? 0 : quiet + 1;
    }
    late_.end();
    // Twice: what was kept since the first look leaves with the second.
    (void)look_after_answers();
    (void)look_after_answers();
}

bool DevicePool::look_after_answers()
{
    const MutexLock lock(mutex_);
    bool any = false;
    for (const std::unique_ptr<Worker>& worker : workers_) {
        if (DeviceRing* ring = worker->reader.ring())
            any |= ring->look();
    }
    return any;
}

int DevicePool::add_worker()
{
    std::unique_ptr<Worker> worker(new (std::nothrow) Worker(*this));
    if (!worker)
        return -ENOMEM;
    int rc = open_reader(worker->reader, config_.clone_fd);
    if (rc < 0 && config_.clone_fd) {
        log::error("clone of /dev/fuse failed (%s), this thread shares the session's descriptor",
                   log::errno_name(rc));
        worker.reset(new (std::nothrow) Worker(*this));
        rc = worker ? open_reader(worker->reader, false) : -ENOMEM;
    }
    if (rc < 0)
        return rc;

    const MutexLock lock(mutex_);
    if (closed_)
        return 0;
    // Threads that ended themselves are collected by the next one that comes.
    std::erase_if(workers_, [](const std::unique_ptr<Worker>& old) {
        return old->finished.load(std::memory_order_acquire);
    });
    workers_.push_back(std::move(worker));
    count_.fetch_add(1, std::memory_order_relaxed);
    idle_.fetch_add(1, std::memory_order_relaxed);
    rc = workers_.back()->thread.start("fuse-dev", &DevicePool::thread_main, workers_.back().get());
    if (rc < 0) {
        workers_.pop_back();
        count_.fetch_sub(1, std::memory_order_relaxed);
        idle_.fetch_sub(1, std::memory_order_relaxed);
    }
    return rc;
}

void DevicePool::thread_main(void* argument)
{
    Worker& worker = *static_cast<Worker*>(argument);
    worker.pool.run(worker);
    worker.finished.store(true, std::memory_order_release);
}

void DevicePool::run(Worker& worker)
{
    while (!stop_.stopped()) {
        if (!work_once(worker))
            break;
    }
    worker.reader.close();
    count_.fetch_sub(1, std::memory_order_relaxed);
}

/// Waits for one message and handles it; false when this thread is to end.
bool DevicePool::work_once(Worker& worker)
{
    ssize_t n = 0;
    if (device_.custom()) {
        const MutexLock lock(custom_read_);
        n = worker.reader.wait();
        if (n == 0)
            n = stop_.stopped() ? -EINTR : worker.reader.receive();
    } else {
        n = worker.reader.receive();
        if (n == -EAGAIN) {
            n = worker.reader.wait();
            if (n == 0)
                return true;
        }
    }
    if (n == -EINTR || n == -EAGAIN)
        return true;
    if (n <= 0) {
        stop_.stop(n == 0 ? StopCause::kUnmounted : StopCause::kFailed, static_cast<int>(n));
        return false;
    }

    grow_if_last_idle();
    if (const int rc = worker.reader.handle(static_cast<std::size_t>(n)); rc < 0)
        log::error("request answered without its handler (%s)", log::errno_name(rc));
    idle_.fetch_add(1, std::memory_order_relaxed);
    return !leave_if_superfluous();
}

void DevicePool::grow_if_last_idle()
{
    if (idle_.fetch_sub(1, std::memory_order_relaxed) != 1)
        return;
    if (count_.load(std::memory_order_relaxed) >= config_.max_threads || stop_.stopped())
        return;
    if (const int rc = add_worker(); rc < 0)
        report_no_thread(rc);
}

/// The reason usually lasts, and every request meets it.
void DevicePool::report_no_thread(int error)
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    std::int64_t due = next_report_s_.load(std::memory_order_relaxed);
    if (now.tv_sec < due ||
        !next_report_s_.compare_exchange_strong(due, now.tv_sec + kReportSeconds, std::memory_order_relaxed))
        return;
    log::error("no further worker thread: threads=%u (%s), requests may wait for the present ones", threads(),
               log::errno_name(error));
}

bool DevicePool::leave_if_superfluous()
{
    if (config_.max_idle_threads < 0)
        return false;
    unsigned idle = idle_.load(std::memory_order_relaxed);
    // At least one thread stays, or nobody would read the next request.
    while (idle > static_cast<unsigned>(config_.max_idle_threads) && idle > 1) {
        if (idle_.compare_exchange_weak(idle, idle - 1, std::memory_order_relaxed))
            return true;
    }
    return false;
}

} // namespace rf
