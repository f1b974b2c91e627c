// What a user may say about the ring: where its threads run, whether handlers may block, how much memory.
#pragma once

#include "transport/ring_options.hpp"

namespace rf {

/// Values of `-o` options, nullptr where not given.
struct RingWords {
    const char* pin = nullptr;            // auto, always, wait, none
    const char* payload_memory = nullptr; // bytes, with K, M or G behind for units of 1024
    bool nonblocking = false;
    const char* workers = nullptr; // a number of threads
};

/// Merges the words, and over them the environment (RINGFUSE_PIN, RINGFUSE_NONBLOCKING,
/// RINGFUSE_PAYLOAD_MEMORY, RINGFUSE_WORKERS: the only way to reach a program built elsewhere), into `out`.
/// 0, or -EINVAL after a message.
[[nodiscard]] int parse_ring_options(const RingWords& words, ring_policy::Options& out);

} // namespace rf
