// Command line of the benchmark client.
#pragma once

#include <cstdint>
#include <string>

namespace rf::bench {

struct Options {
    std::string dir;
    std::string workload;
    unsigned clients = 1;
    double seconds = 2.0;
    double warmup_seconds = 0.5;
    double grace_seconds = 20.0; // how much longer an operation in flight may take
    bool pin = false;            // client i on the i-th CPU this process may use, round robin
    int pin_cpu = -1;            // all clients on this CPU; -1 = not asked for
    bool list = false;           // only print the workloads
};

/// Fills `out`. 0, or -EINVAL after an explanation on stderr.
[[nodiscard]] int parse_options(int argc, char** argv, Options& out);

/// "4k", "128k", "1m" or a plain number -> bytes; 0 if it is none of these, is 0 or does not fit 1 GiB.
[[nodiscard]] std::uint64_t parse_size(const char* text) noexcept;

} // namespace rf::bench
