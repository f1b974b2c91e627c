#include "session/watchdog.hpp"

#include "base/log.hpp"
#include "session/handover.hpp"
#include "session/session.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <span>

namespace rf {
namespace {

// What a supervisor of processes sees: the same as after SIGABRT, without a core.
constexpr int kExitStatus = 134;

} // namespace

int abort_connection(int fd)
{
    const int number = connection_number(fd);
    if (number < 0)
        return -ENOENT;
    std::array<char, 64> path;
    snprintf(path.data(), path.size(), "/sys/fs/fuse/connections/%d/abort", number);
    const UniqueFd file(from_libc(::open(path.data(), O_WRONLY | O_CLOEXEC)));
    if (!file)
        return -EACCES;
    const ssize_t n = from_libc(::write(file.get(), "1", 1));
    return n < 0 ? static_cast<int>(n) : 0;
}

int Watchdog::start(unsigned timeout_seconds)
{
    if (thread_.started())
        return -EALREADY;
    timeout_seconds_ = timeout_seconds;
    if (const int rc = cancel_.open(); rc < 0)
        return rc;
    return thread_.start(
        "fuse-watchdog", [](void* self) { static_cast<Watchdog*>(self)->watch(); }, this);
}

void Watchdog::stop() noexcept
{
    if (!thread_.started())
        return;
    cancel_.signal();
    thread_.join();
    cancel_.close();
}

/// Waits for one of `watched`, or for the time to be over (negative: never). True if something happened.
static bool wait_for(std::span<pollfd> watched, long limit_ms)
{
    timespec start{};
    ::clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const long passed_ms = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
        if (limit_ms >= 0 && passed_ms >= limit_ms)
            return false;
        // Signals may be handled on this thread; they end the call, not the wait.
        const int left_ms = limit_ms < 0 ? -1 : static_cast<int>(limit_ms - passed_ms);
        if (::poll(watched.data(), watched.size(), left_ms) > 0)
            return true;
    }
}

void Watchdog::watch()
{
    std::array<pollfd, 2> watched{pollfd{cancel_.fd(), POLLIN, 0}, pollfd{session_.stop_fd(), POLLIN, 0}};
    (void)wait_for(watched, -1);
    if (watched[0].revents != 0)
        return;
    const long limit_ms = static_cast<long>(timeout_seconds_) * 1000;
    if (wait_for(std::span(watched).first(1), limit_ms))
        return;
    log::error(
        "session does not end: %u seconds after it was told to, aborting the connection and the process",
        timeout_seconds_);
    if (const int rc = abort_connection(session_.fd()); rc < 0)
        log::error("connection not aborted (%s), its callers are freed when the process ends",
                   log::errno_name(rc));
    ::_exit(kExitStatus);
}

} // namespace rf
