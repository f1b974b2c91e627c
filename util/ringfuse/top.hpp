// `ringfuse top`: all sessions, again and again, with what happened since the last look.
#pragma once

#include "sessions.hpp"

namespace rf::command {

struct TopRequest {
    Which which;
    double interval_s = 1;
    unsigned looks = 0; // 0: until q, ^C or the end of the output
    bool json = false;  // one object a line for each look
};

/// Exit code.
[[nodiscard]] int run_top(const TopRequest& request);

/// What happened in one session between two looks.
struct Rates {
    double requests = 0; // a second
    double errors = 0;
    double bytes = 0;
    OpCounts all;                                        // absolute, for the quantiles
    std::vector<std::pair<std::string, double>> busiest; // operations by requests a second, most first
};
[[nodiscard]] Rates rates_between(const Snapshot& before, const Snapshot& now, double seconds);

} // namespace rf::command
