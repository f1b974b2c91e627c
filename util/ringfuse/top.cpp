#include "top.hpp"

#include "base/fd.hpp"
#include "status.hpp"
#include "text.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace rf::command {
namespace {

constexpr std::size_t kBusiestShown = 4;
constexpr double kHangsNs = 5e9; // an oldest request of that age is marked

volatile std::sig_atomic_t g_ended = 0;

void on_signal(int)
{
    g_ended = 1;
}

/// The terminal in the state that a live table wants, for as long as this lives: keys without Enter, no
/// cursor, a screen of its own.
class Screen {
public:
    Screen() : live_(::isatty(STDOUT_FILENO) == 1), keys_(live_ && ::isatty(STDIN_FILENO) == 1)
    {
        struct sigaction action {};
        action.sa_handler = on_signal;
        ::sigaction(SIGINT, &action, nullptr);
        ::sigaction(SIGTERM, &action, nullptr);
        if (keys_ && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
            termios raw = before_;
            raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        } else {
            keys_ = false;
        }
        if (live_)
            std::printf("\033[?1049h\033[?25l");
    }
    ~Screen()
    {
        if (live_)
            std::printf("\033[?25h\033[?1049l");
        std::fflush(stdout);
        if (keys_)
            ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// Prints `lines`, cut to the terminal; false if nobody reads the output any more.
    [[nodiscard]] bool show(const std::vector<std::string>& lines) const
    {
        winsize size{};
        const bool known =
            live_ && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
        if (live_)
            std::printf("\033[H");
        unsigned row = 0;
        for (const std::string& line : lines) {
            if (known && ++row >= size.ws_row)
                break;
            const std::string cut = known ? line.substr(0, size.ws_col) : line;
            std::printf("%s%s\n", cut.c_str(), live_ ? "\033[K" : "");
        }
        std::printf("%s", live_ ? "\033[J" : "\n");
        return std::fflush(stdout) == 0;
    }

    /// Waits; true when the user wants to leave.
    [[nodiscard]] bool leaves_within(double seconds) const
    {
        pollfd input{keys_ ? STDIN_FILENO : -1, POLLIN, 0};
        const int rc = from_libc(::poll(&input, 1, static_cast<int>(seconds * 1000)));
        char key = 0;
        return g_ended != 0 || (rc > 0 && ::read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q'));
    }

private:
    bool live_;
    bool keys_;
    termios before_{};
};

struct Look {
    std::vector<Session> sessions;
    std::uint64_t at_ns = 0;
};

const Session* same_session(const Look& before, const Session& now)
{
    for (const Session& session : before.sessions) {
        if (session.pid == now.pid && session.stats.started_ns == now.stats.started_ns &&
            session.stats.connection == now.stats.connection)
            return &session;
    }
    return nullptr;
}

Rates rates_of(const Session& session, const Look& before, double seconds)
{
    const Session* const then = same_session(before, session);
    return then ? rates_between(then->stats, session.stats, seconds) : Rates{};
}

std::string busiest_in_words(const Rates& rates)
{
    std::string text;
    for (std::size_t i = 0; i < std::min(rates.busiest.size(), kBusiestShown); ++i)
        text += format("%s%s %s", i == 0 ? "" : ", ", rates.busiest[i].first.c_str(),
                       count(rates.busiest[i].second).c_str());
    return text;
}

std::string oldest_in_words(const Session& session)
{
    if (session.stats.pending.empty())
        return "-";
    const PendingRequest& oldest = session.stats.pending.front();
    return oldest.op + " " + duration(oldest.age_ns);
}

/// '!' for what does not answer, 'T' for a stopped process.
char mark_of(const Session& session)
{
    if (session.process.state == 'T')
        return 'T';
    return !session.stats.pending.empty() && session.stats.pending.front().age_ns >= kHangsNs ? '!' : ' ';
}

std::vector<std::string> table(const Look& before, const Look& now)
{
    const double seconds = static_cast<double>(now.at_ns - before.at_ns) / 1e9;
    std::vector<std::string> lines{
        format("ringfuse top: %zu mounts, every number since %.1f s ago", now.sessions.size(), seconds), "",
        format("%c %7s %-12s %-10s %9s %7s %11s %9s %9s %6s %-18s %9s  %s", ' ', "PID", "PROGRAM",
               "TRANSPORT", "REQ/S", "ERR/S", "BYTES/S", "MEDIAN", "99%", "FLIGHT", "OLDEST", "MEMORY",
               "MOUNT")};
    for (const Session& session : now.sessions) {
        if (!session.problem.empty()) {
            lines.push_back(format("? %7d %-12.12s %s", session.pid, session.process.program.c_str(),
                                   session.problem.c_str()));
            continue;
        }
        const Rates rates = rates_of(session, before, seconds);
        const bool any = rates.all.answers() > 0;
        lines.push_back(format(
            "%c %7d %-12.12s %-10s %9s %7s %11s %9s %9s %6llu %-18s %9s  %s", mark_of(session), session.pid,
            session.process.program.c_str(), session.stats.transport.c_str(), count(rates.requests).c_str(),
            count(rates.errors).c_str(), bytes(rates.bytes).c_str(),
            any ? duration(quantile_ns(rates.all, 0.5, session.stats.ticks_per_ns)).c_str() : "-",
            any ? duration(quantile_ns(rates.all, 0.99, session.stats.ticks_per_ns)).c_str() : "-",
            static_cast<unsigned long long>(in_flight(session.stats)), oldest_in_words(session).c_str(),
            bytes(static_cast<double>(session.process.resident_bytes)).c_str(), session.name().c_str()));
        if (const std::string busiest = busiest_in_words(rates); !busiest.empty())
            lines.push_back(format("  %7s %s", "", busiest.c_str()));
    }
    return lines;
}

std::string json_line(const Look& before, const Look& now)
{
    const double seconds = static_cast<double>(now.at_ns - before.at_ns) / 1e9;
    Json json;
    json.begin_object().real("seconds", seconds).begin_array("sessions");
    for (const Session& session : now.sessions) {
        const Rates rates = rates_of(session, before, seconds);
        json.begin_object()
            .number_signed("pid", session.pid)
            .text("mountpoint", session.name())
            .text("transport", session.stats.transport)
            .real("requests_per_s", rates.requests)
            .real("errors_per_s", rates.errors)
            .real("bytes_per_s", rates.bytes)
            .real("median_ns", quantile_ns(rates.all, 0.5, session.stats.ticks_per_ns))
            .real("p99_ns", quantile_ns(rates.all, 0.99, session.stats.ticks_per_ns))
            .number("in_flight", in_flight(session.stats))
            .real("oldest_ns", session.stats.pending.empty() ? 0 : session.stats.pending.front().age_ns)
            .begin_object("operations_per_s");
        for (const auto& [name, rate] : rates.busiest)
            json.real(name, rate);
        json.end_object().end_object();
    }
    return json.end_array().end_object().str();
}

int look(const Which& which, Look& out, std::string& why)
{
    out.at_ns = stat::monotonic_ns();
    return find_sessions(which, out.sessions, why);
}

} // namespace

Rates rates_between(const Snapshot& before, const Snapshot& now, double seconds)
{
    Rates rates;
    if (seconds <= 0)
        return rates;
    for (std::uint32_t i = 0; i < stat::kRows; ++i) {
        const OpCounts op = now.ops[i].since(before.ops[i]);
        rates.all.add(op);
        if (op.requests > 0)
            rates.busiest.emplace_back(row_name(i), static_cast<double>(op.requests) / seconds);
    }
    const auto bytes_of = [](const Snapshot& stats) { return stats.bytes_in + stats.bytes_out; };
    const std::uint64_t bytes = bytes_of(now) > bytes_of(before) ? bytes_of(now) - bytes_of(before) : 0;
    rates.requests = static_cast<double>(rates.all.requests) / seconds;
    rates.errors = static_cast<double>(rates.all.errors) / seconds;
    rates.bytes = static_cast<double>(bytes) / seconds;
    std::sort(rates.busiest.begin(), rates.busiest.end(),
              [](const auto& a, const auto& b) { return a.second > b.second; });
    return rates;
}

int run_top(const TopRequest& request)
{
    Look before;
    std::string why;
    const bool all = request.which.pid == 0 && request.which.mountpoint.empty();
    if (const int rc = look(request.which, before, why); rc < 0 && !all) {
        std::fprintf(stderr, "ringfuse: %s\n", why.c_str());
        return 1;
    }
    const Screen screen;
    for (unsigned looks = 0; request.looks == 0 || looks < request.looks; ++looks) {
        if (screen.leaves_within(request.interval_s))
            return 0;
        Look now;
        if (look(request.which, now, why) < 0 && !all)
            return 0; // what was watched has ended
        const std::vector<std::string> lines =
            request.json ? std::vector<std::string>{json_line(before, now)} : table(before, now);
        if (!screen.show(lines))
            return 0;
        before = std::move(now);
    }
    return 0;
}

} // namespace rf::command
