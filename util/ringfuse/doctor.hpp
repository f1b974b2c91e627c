// `ringfuse doctor`: whether this machine can serve over the ring, and what to do if not.
#pragma once

#include "json.hpp"

#include <string>
#include <vector>

namespace rf::command {

/// kNote: worth knowing; kWarning: works, but could be better; kBroken: does not work as it is.
enum class Verdict { kGood, kNote, kWarning, kBroken };

struct Finding {
    const char* id;
    Verdict verdict;
    std::string text;
    std::string fix; // a command, or empty
};

// What is looked at, in the order it is printed; each group in a file of its own.
void check_kernel(std::vector<Finding>& out);  // doctor_kernel.cpp: the ring and the settings it needs
void check_limits(std::vector<Finding>& out);  // doctor_kernel.cpp: this process's limits, CPUs, memory
void check_install(std::vector<Finding>& out); // doctor_install.cpp: helpers and libraries
void check_mounts(
    std::vector<Finding>& out); // doctor_mounts.cpp: mounts without a server, or that do not answer

/// Exit code: 0, or 1 if something is broken.
[[nodiscard]] int run_doctor(bool json);

} // namespace rf::command
