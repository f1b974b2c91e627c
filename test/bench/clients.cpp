// Runs the client threads: prepare, meet, warm up, measure, stop. A thread that does not come back (a
// filesystem that hangs) ends the program with exit code 3 instead of hanging it.
#include "clients.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sched.h>
#include <time.h>
#include <unistd.h>

namespace rf::bench {

namespace {

enum class Phase : int { kPrepare, kWarmUp, kMeasure, kStop };

// Read before every step. Relaxed is enough: it only says when to start and stop counting, and what a thread
// counted is read after pthread_join().
std::atomic<Phase> g_phase{Phase::kPrepare};
std::atomic<unsigned> g_ready{0};

std::uint64_t now_ns(clockid_t clock) noexcept
{
    timespec ts;
    ::clock_gettime(clock, &ts);
    return static_cast<std::uint64_t>(ts.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(ts.tv_nsec);
}

void sleep_seconds(double seconds) noexcept
{
    timespec left;
    left.tv_sec = static_cast<time_t>(seconds);
    left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
    while (::nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

int pin_this_thread(int cpu) noexcept
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return -::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set);
}

void note_error(Client& client, int rc) noexcept
{
    if (client.errors++ == 0)
        client.first_error = -rc;
}

void measure(Client& client) noexcept
{
    Workload& workload = *client.workload;
    const std::uint64_t begin = now_ns(CLOCK_MONOTONIC);
    const std::uint64_t cpu_begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    std::uint64_t before = begin;
    while (g_phase.load(std::memory_order_relaxed) == Phase::kMeasure) {
        const int rc = workload.step();
        const std::uint64_t after = now_ns(CLOCK_MONOTONIC);
        client.latency.add(after - before);
        before = after;
        if (rc < 0)
            note_error(client, rc);
    }
    client.cpu_seconds = static_cast<double>(now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_begin) * 1e-9;
    client.measured_seconds = static_cast<double>(before - begin) * 1e-9;
}

void* client_main(void* arg) noexcept
{
    Client& client = *static_cast<Client*>(arg);
    if (client.cpu >= 0)
        client.prepare_error = pin_this_thread(client.cpu);
    if (client.prepare_error < 0)
        std::fprintf(stderr, "cannot pin a client: cpu=%d (%s)\n", client.cpu,
                     ::strerrorname_np(-client.prepare_error));
    else
        client.prepare_error = client.workload->prepare();

    // Release/acquire with the main thread: it reads prepare_error before anybody is joined.
    g_ready.fetch_add(1, std::memory_order_release);
    while (g_phase.load(std::memory_order_relaxed) == Phase::kPrepare)
        sleep_seconds(0.001);
    while (g_phase.load(std::memory_order_relaxed) == Phase::kWarmUp) {
        if (const int rc = client.workload->step(); rc < 0)
            note_error(client, rc);
        ++client.total_steps;
    }
    if (g_phase.load(std::memory_order_relaxed) == Phase::kMeasure)
        measure(client);
    client.total_steps += client.latency.total();
    return nullptr;
}

timespec deadline_in(double seconds) noexcept
{
    const std::uint64_t at = now_ns(CLOCK_REALTIME) + static_cast<std::uint64_t>(seconds * 1e9);
    return {static_cast<time_t>(at / 1'000'000'000), static_cast<long>(at % 1'000'000'000)};
}

// The threads may be stuck in the kernel, so nothing is freed and no destructor runs.
[[noreturn]] void give_up(const char* what, double seconds)
{
    std::fprintf(stderr, "client stuck: %s did not come back within %.0f s, giving up\n", what, seconds);
    ::_exit(3);
}

// Waits until every client prepared. 0, or the first error; -ETIMEDOUT if one hangs.
int wait_prepared(const std::vector<std::unique_ptr<Client>>& clients, double seconds) noexcept
{
    for (double waited = 0.0; g_ready.load(std::memory_order_acquire) < clients.size(); waited += 0.001) {
        if (waited > seconds)
            return -ETIMEDOUT;
        sleep_seconds(0.001);
    }
    for (const std::unique_ptr<Client>& client : clients)
        if (client->prepare_error < 0)
            return client->prepare_error;
    return 0;
}

} // namespace

int run_clients(const Times& times, const std::vector<std::unique_ptr<Client>>& clients)
{
    for (const std::unique_ptr<Client>& client : clients) {
        if (const int rc = ::pthread_create(&client->thread, nullptr, client_main, client.get()); rc != 0) {
            std::fprintf(stderr, "cannot start a client thread (%s)\n", ::strerrorname_np(rc));
            ::_exit(1); // the others wait for a start that never comes
        }
    }
    const int prepared = wait_prepared(clients, times.grace_seconds);
    if (prepared == -ETIMEDOUT)
        give_up("preparing a client", times.grace_seconds);
    if (prepared == 0) {
        g_phase.store(Phase::kWarmUp, std::memory_order_relaxed);
        sleep_seconds(times.warmup_seconds);
        g_phase.store(Phase::kMeasure, std::memory_order_relaxed);
        sleep_seconds(times.seconds);
    }
    g_phase.store(Phase::kStop, std::memory_order_relaxed);
    const timespec deadline = deadline_in(times.grace_seconds);
    for (const std::unique_ptr<Client>& client : clients)
        if (::pthread_timedjoin_np(client->thread, nullptr, &deadline) != 0)
            give_up("an operation", times.grace_seconds);
    return prepared;
}

} // namespace rf::bench
