// An end that loses nothing: no handler is started any more, and what the filesystem still owes is waited
// for.
#include "session/session.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <ctime>
#include <limits>
#include <poll.h>

namespace rf {
namespace {

// Between two looks at what is unanswered. Nobody tells us of answers: that would cost every request.
constexpr int kFirstPauseMs = 1;
constexpr int kMostPauseMs = 20;

constexpr std::int64_t kNoDeadline = std::numeric_limits<std::int64_t>::max();

std::int64_t now_ms() noexcept
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

} // namespace

void Session::shutdown(int timeout_ms) noexcept
{
    // Of several calls the last says how long; a loop that ends otherwise does not ask.
    deadline_ms_.store(timeout_ms < 0 ? kNoDeadline : now_ms() + timeout_ms, std::memory_order_relaxed);
    stop(StopCause::kShutdown, 0);
}

bool Session::is_shutting_down() const noexcept
{
    return may_go_on() && !hurry_.load(std::memory_order_acquire);
}

void Session::await_answers() noexcept
{
    for (int pause_ms = kFirstPauseMs; is_shutting_down(); pause_ms = std::min(2 * pause_ms, kMostPauseMs)) {
        if (pool_.unanswered() == 0)
            return;
        const std::int64_t left_ms = deadline_ms_.load(std::memory_order_relaxed) - now_ms();
        if (left_ms <= 0)
            return;
        // Nobody reads the device now, so nobody else would notice its end.
        pollfd device{device_error_fd(), 0, 0};
        if (::poll(&device, 1, static_cast<int>(std::min<std::int64_t>(pause_ms, left_ms))) > 0) {
            stop(StopCause::kUnmounted, 0);
            return;
        }
    }
}

int Session::shutdown_result()
{
    if (hurry_.load(std::memory_order_acquire))
        return 0;
    const std::size_t unanswered = pool_.unanswered();
    if (unanswered == 0)
        return 0;
    log::error("loop ends with requests=%zu unanswered (ETIMEDOUT), the time to wait for them is over",
               unanswered);
    return -ETIMEDOUT;
}

} // namespace rf
