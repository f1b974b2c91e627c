#include "transport/kick.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"

#include <csignal>
#include <new>
#include <pthread.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace rf {
namespace {

// Uniques of our NOTIFY_REPLYs. The kernel's own count up by two from 2, and those of a filesystem's retrieve
// requests start at 2^62, so the three never meet in one queue.
constexpr std::uint64_t kUniqueBase = std::uint64_t{1} << 61;
constexpr std::uint64_t kWithholdBit = std::uint64_t{1} << 60;
constexpr std::uint64_t kUniqueMask = ~(kUniqueBase - 1);

constexpr int kStarting = -1;

struct StatfsTask {
    std::shared_ptr<Kicker::Tasks> tasks;
    std::size_t place;
    unsigned cpu;
    std::string mountpoint;
};

/// Detached: it may be stuck in statfs() until the mount ends, and nobody must wait for that.
void* run_statfs_task(void* argument)
{
    const std::unique_ptr<StatfsTask> task(static_cast<StatfsTask*>(argument));
    std::atomic<int>& id = task->tasks->ids[task->place];
    id.store(static_cast<int>(::gettid()), std::memory_order_release);
    struct statfs unused;
    if (const int rc = pin_to_cpu(task->cpu); rc == 0)
        (void)::statfs(task->mountpoint.c_str(), &unused);
    else
        log::error("queue not looked at again: cpu=%u is not ours to run on (%s), requests waiting there are "
                   "served with "
                   "the next one",
                   task->cpu, log::errno_name(rc));
    id.store(0, std::memory_order_release);
    return nullptr;
}

int start_detached(std::unique_ptr<StatfsTask> task)
{
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    // Blocks every signal: a handler of the application must not run on it.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = ::pthread_create(&thread, &attributes, run_statfs_task, task.get());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    if (rc == 0)
        (void)task.release();
    return -rc;
}

} // namespace

int Kicker::notify_retrieve(std::uint64_t nodeid, std::uint64_t base)
{
    kern::fuse_notify_retrieve_out body{};
    body.notify_unique = base + 2 * count_.fetch_add(1, std::memory_order_relaxed);
    body.nodeid = nodeid;
    kern::fuse_out_header header{};
    header.error = kern::NOTIFY_RETRIEVE;
    std::array<iovec, 2> message{iovec{&header, sizeof(header)}, iovec{&body, sizeof(body)}};
    return device_.write_message(message);
}

int Kicker::kick_by_notification(std::uint64_t base)
{
    int rc = -ENOENT;
    for (const std::atomic<std::uint64_t>& file : files_) {
        const std::uint64_t nodeid = file.load(std::memory_order_relaxed);
        if (nodeid != 0)
            rc = notify_retrieve(nodeid, base);
        if (rc == 0)
            return 0;
    }
    return notify_retrieve(kern::kRootId, base);
}

int Kicker::kick_by_statfs(unsigned cpu)
{
    if (mountpoint_.empty())
        return -ENOENT;
    for (std::size_t place = 0; place < tasks_->ids.size(); ++place) {
        int expected = 0;
        if (!tasks_->ids[place].compare_exchange_strong(expected, kStarting))
            continue;
        std::unique_ptr<StatfsTask> task(new (std::nothrow) StatfsTask{tasks_, place, cpu, mountpoint_});
        const int rc = task ? start_detached(std::move(task)) : -ENOMEM;
        if (rc < 0)
            tasks_->ids[place].store(0);
        return rc;
    }
    return -EBUSY; // as many are stuck already; the queue they go through is looked at when they get there
}

void Kicker::kick(unsigned cpu, bool on_cpu)
{
    int rc = on_cpu ? kick_by_notification(kUniqueBase) : -ENOENT;
    // ENODEV, ENOTCONN: nothing is left to be kicked.
    if (rc == 0 || rc == -ENODEV || rc == -ENOTCONN)
        return;
    rc = kick_by_statfs(cpu);
    if (rc < 0)
        log::error(
            "queue not looked at again: cpu=%u (%s), requests waiting there are served with the next one",
            cpu, log::errno_name(rc));
}

int Kicker::kick_to_withhold()
{
    return kick_by_notification(kUniqueBase | kWithholdBit);
}

bool Kicker::is_to_withhold(const kern::fuse_in_header& header) noexcept
{
    return header.opcode == kern::OP_NOTIFY_REPLY && (header.unique & kUniqueMask) == kUniqueBase &&
           (header.unique & kWithholdBit) != 0;
}

bool Kicker::is_kick(const kern::fuse_in_header& header, std::span<const std::byte>& body) const noexcept
{
    static constexpr std::array<std::byte, sizeof(kern::fuse_statfs_out)> kNoStatfs{};
    body = {};
    if (header.opcode == kern::OP_NOTIFY_REPLY)
        return (header.unique & kUniqueMask) == kUniqueBase;
    if (header.opcode != kern::OP_STATFS)
        return false;
    for (const std::atomic<int>& id : tasks_->ids) {
        if (id.load(std::memory_order_acquire) == static_cast<int>(header.pid) && header.pid != 0) {
            body = kNoStatfs;
            return true;
        }
    }
    return false;
}

} // namespace rf
