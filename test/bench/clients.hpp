// The client threads of the benchmark and what each of them measured.
#pragma once

#include "histogram.hpp"
#include "workloads.hpp"

#include <cstdint>
#include <memory>
#include <pthread.h>
#include <vector>

namespace rf::bench {

struct Client {
    std::unique_ptr<Workload> workload;
    int cpu = -1; // -1: not pinned
    pthread_t thread{};

    // Written by the client's thread, read after it was joined.
    Histogram latency;
    std::uint64_t total_steps = 0; // warm-up included
    std::uint64_t errors = 0;
    int first_error = 0;
    int prepare_error = 0;
    double measured_seconds = 0.0;
    double cpu_seconds = 0.0;
};

struct Times {
    double warmup_seconds = 0.0;
    double seconds = 0.0;
    double grace_seconds = 0.0; // how much longer an operation, or a client's preparation, may take
};

/// Runs all clients at once and joins them. 0, or -errno of the first client that could not prepare.
/// Ends the process (exit code 3) if a client is stuck. Once per process.
[[nodiscard]] int run_clients(const Times& times, const std::vector<std::unique_ptr<Client>>& clients);

} // namespace rf::bench
