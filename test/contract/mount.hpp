// A mounted server process for one test, and clients bound to CPUs. Nothing here waits without a deadline: a
// claim that fails shows what the server's threads do, and everything ends with the test's process.
#pragma once

#include "check/runner.hpp"
#include "filesystem.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace rf::contract {

using test::run_cases;
using test::run_tests;
using test::Tests;

/// Time for what should happen at once, on a machine that is busy and with an instrumented build.
constexpr long kSoonMs = 5000;

/// One mount. Main thread of a test only, one at a time.
class Mount {
public:
    explicit Mount(const Setup& setup);
    ~Mount();
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;

    [[nodiscard]] Shared& shared() const noexcept { return *shared_; }
    [[nodiscard]] std::string path(const std::string& name = {}) const
    {
        return name.empty() ? dir_ : dir_ + "/" + name;
    }
    /// The process with the handlers in it.
    [[nodiscard]] pid_t server() const noexcept { return shared_->server_pid.load(); }
    /// Every task of the server.
    [[nodiscard]] std::vector<pid_t> tasks() const;

    /// Ends requests and the connection by force.
    void abort_connection() const;
    /// Unmounts, waits for the server, claims that it ended well with the loop's result 0.
    void end();
    /// Waits for the server to end by itself; its loop's result.
    [[nodiscard]] int ended(long ms = kSoonMs);
    /// The same after SIGKILL.
    void killed();
    /// Detaches the mount.
    void detach() const;

    /// The handlers' requests have come over the transport that was asked for. After the end.
    void claim_transport_used(long requests) const;

    /// Stacks of the server's threads to stderr.
    void show_server() const;
    /// Before a test fails: shows the server and ends the connection.
    void give_up() const
    {
        show_server();
        abort_connection();
    }
    [[nodiscard]] static Mount* current() noexcept;

private:
    void reap();
    void wait_for_end(long ms);

    Shared* shared_ = nullptr;
    std::string dir_;
    pid_t child_ = -1;
    pid_t guardian_ = -1;
    std::optional<int> status_;
};

/// A thread bound to one CPU that runs one job.
class Client {
public:
    using Job = std::function<long()>;
    static constexpr int kAnyCpu = -1;

    Client(int cpu, Job job);
    ~Client();
    Client(Client&& other) noexcept = default;
    Client& operator=(Client&&) = delete;

    [[nodiscard]] bool done_within(long ms);
    /// What the job returned, and how long it took. REQUIRES: done_within() was true.
    [[nodiscard]] long result() const noexcept { return state_->result; }
    [[nodiscard]] long milliseconds() const noexcept { return state_->ms; }
    [[nodiscard]] pthread_t thread() { return thread_.native_handle(); }

private:
    struct State {
        Job job;
        Gate done;
        long result = 0;
        long ms = 0;
    };
    std::shared_ptr<State> state_;
    std::thread thread_;
    bool seen_done_ = false;
};

/// The CPUs the tests use: two that exist, or twice the same on a machine with one.
[[nodiscard]] int cpu(unsigned index);

void bind_to_cpu(int cpu);

/// Client-side calls; 0 or more, or -errno.
[[nodiscard]] long read_at(int fd, off_t at, std::size_t bytes = 16);
[[nodiscard]] long write_at(int fd, off_t at, std::size_t bytes = 16);
[[nodiscard]] long file_status(int fd);
[[nodiscard]] long path_status(const std::string& path);
[[nodiscard]] long list_directory(const std::string& path);

/// Opens from a client on that CPU; claims that it works soon.
[[nodiscard]] int open_on(int cpu, const std::string& path, int flags);

/// Clients that do nothing but fast requests (fstat and a read that no hook takes) on `fd` until told to
/// stop.
class Hammer {
public:
    Hammer(int fd, const std::vector<int>& cpus);
    ~Hammer() { stop_ = true; }
    /// Requests done. Claims that every client ended well and soon.
    long stop();

private:
    std::atomic<bool> stop_{false};
    std::vector<std::unique_ptr<Client>> clients_;
};

/// Polls until `condition` holds.
template <class Condition>
[[nodiscard]] bool soon(Condition condition, long ms = kSoonMs)
{
    const Clock::time_point start = Clock::now();
    while (!condition()) {
        if (milliseconds_since(start) > ms)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

/// Whether this program was built with the distribution's libfuse3, whose classic loop is the yardstick.
constexpr bool is_reference() noexcept
{
#ifdef CONTRACT_REFERENCE
    return true;
#else
    return false;
#endif
}

/// Whether requests are to come over the ring in this run.
[[nodiscard]] bool over_ring();

/// Handlers that may run at once in a loop with `max_threads`. From the default (10) on the ring allows two
/// for each possible CPU, where that is more.
[[nodiscard]] unsigned handlers_allowed(unsigned max_threads = 10);

/// Moves this program into a mount namespace of its own; false with a message if the machine cannot do it.
[[nodiscard]] bool enter_sandbox();

} // namespace rf::contract

/// As ck_assert_msg(), but shows first what the server is doing. Main thread of a test.
#define CLAIM(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            std::array<char, 256> text;                                                                      \
            snprintf(text.data(), text.size(), __VA_ARGS__); /* before the numbers in it change */           \
            if (rf::contract::Mount::current())                                                              \
                rf::contract::Mount::current()->give_up();                                                   \
            ck_abort_msg("%s", text.data());                                                                 \
        }                                                                                                    \
    } while (0)
