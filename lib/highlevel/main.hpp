// A whole filesystem in one call.
#pragma once

#include <cstddef>
#include <fuse.h>

namespace rf::hl {

/// What fuse_main() returns.
enum MainResult : int {
    kMainDone = 0,
    kMainBadArguments = 1,
    kMainNoMountpoint = 2,
    kMainNoFilesystem = 3,
    kMainNotMounted = 4,
    kMainNotInBackground = 5,
    kMainNoSignalHandlers = 6,
    kMainNoMemory = 7,
    kMainLoopFailed = 8,
};

/// Command line, mount, background, loop, unmount. `version` all zero: headers of before 3.17. The only
/// thread of the process.
[[nodiscard]] MainResult main_loop(int argc, char** argv, const fuse_operations* op, std::size_t op_size,
                                   libfuse_version& version, void* user_data);

} // namespace rf::hl
