// Backtrace printing that holds up inside a signal handler: no stdio, no allocation on the way to stderr.
#include "cli/crash_report.hpp"

#include "base/log.hpp"

#include <array>
#include <csignal>
#include <cstdarg>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/uio.h>
#include <unistd.h>

namespace rf::cli {
namespace {

constexpr int kMaxFrames = 64;

// Seconds a log function may take to swallow the report. A crashed filesystem that does not die blocks its
// users.
constexpr unsigned kLogDeadline = 2;

// NULL for a number that is no signal; static storage otherwise.
const char* signal_name(int signo) noexcept
{
    const char* name = sigabbrev_np(signo);
    return name ? name : "?";
}

iovec piece(const char* text) noexcept
{
    return {const_cast<char*>(text), std::strlen(text)};
}

void to_stderr(int signo, void* const* frames, int count) noexcept
{
    const std::array<iovec, 3> line = {piece("fuse: fatal signal SIG"), piece(signal_name(signo)),
                                       piece(", ending; backtrace:\n")};
    [[maybe_unused]] const ssize_t n = writev(STDERR_FILENO, line.data(), line.size());
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

[[gnu::format(printf, 1, 2)]] void to_sink(const char* format, ...) noexcept
{
    va_list args;
    va_start(args, format);
    log::write_raw(log::kCrit, format, args);
    va_end(args);
}

void to_log(int signo, void* const* frames, int count) noexcept
{
    sigset_t only_alarm;
    sigemptyset(&only_alarm);
    sigaddset(&only_alarm, SIGALRM);
    (void)signal(SIGALRM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &only_alarm, nullptr);
    alarm(kLogDeadline);

    to_sink("fuse: fatal signal SIG%s, ending; backtrace:\n", signal_name(signo));
    for (int i = 0; i < count; i++) {
        Dl_info where = {};
        if (dladdr(frames[i], &where) != 0 && where.dli_fname) {
            const auto offset =
                static_cast<const char*>(frames[i]) - static_cast<const char*>(where.dli_fbase);
            to_sink("fuse: #%d %s(+%#zx) %s\n", i, where.dli_fname, static_cast<std::size_t>(offset),
                    where.dli_sname ? where.dli_sname : "");
        } else {
            to_sink("fuse: #%d %p\n", i, frames[i]);
        }
    }
    alarm(0);
}

} // namespace

void prepare_crash_report() noexcept
{
    // The first call loads libgcc, with locks and allocations.
    void* frame = nullptr;
    (void)backtrace(&frame, 1);
}

void report_crash(int signo) noexcept
{
    std::array<void*, kMaxFrames> frames;
    const int count = backtrace(frames.data(), kMaxFrames);
    to_stderr(signo, frames.data(), count);
    if (log::has_sink())
        to_log(signo, frames.data(), count);
}

} // namespace rf::cli
