// Messages from the filesystem to the kernel that answer no request. Any thread; always over the device.
#pragma once

#include <cstdint>

namespace rf {
class Session;
}

/// What the filesystem keeps to wake pollers of one open file. The filesystem's, until
/// fuse_pollhandle_destroy().
struct fuse_pollhandle {
    std::uint64_t kernel_handle;
    rf::Session* session;
};
