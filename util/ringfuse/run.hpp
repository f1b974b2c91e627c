// `ringfuse run`: starts a program with our library in libfuse3's place.
#pragma once

#include <string>
#include <vector>

namespace rf::command {

struct RunRequest {
    std::vector<std::string> words; // the program and its arguments
    std::string transport;          // "" leaves the choice to the library
    std::string library;            // "" finds out; a soname; or, with a slash, the file to preload
    bool verbose = false;
    bool explain = false; // say what would be done
    bool json = false;
};

/// What `run` itself failed at, as env(1) and timeout(1) number it; the program's own exit code otherwise.
inline constexpr int kExitRefused = 125;
inline constexpr int kExitNotRun = 126;

/// Does not return if the program could be started.
[[nodiscard]] int run_program(const RunRequest& request);

/// Where a library of ours with this soname is installed; "" if nowhere.
[[nodiscard]] std::string find_library(const std::string& soname);

} // namespace rf::command
