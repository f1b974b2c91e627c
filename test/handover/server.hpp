// One process that serves the mount for a while: takes it over (or mounts), and gives it away.
#pragma once

#include <string>

namespace rf::handover {

/// Where a server gets the mount from and where it gives it to; -1: it mounts itself, is the last.
struct Place {
    std::string dir;
    int from = -1;
    int to = -1;
    int report = -1; // one byte when its loop begins
    bool clone_fd = false;
};

/// Signals to a server.
///  * kGiveAway: end the loop, then hand the mount over.
///  * kShare: hand the mount over and go on with the loop; kGiveAway then only ends it.
/// SIGTERM ends the last one, which unmounts.
extern const int kGiveAway;
extern const int kShare;

/// The process from its start to its end: its exit code.
[[nodiscard]] int serve(const Place& place);

} // namespace rf::handover
