// Options of a session: what fuse_session_new() takes out of the argument list besides mount options.
#pragma once

#include "transport/ring_options.hpp"
#include "transport/select.hpp"

#include <fuse_opt.h>

namespace rf {

struct SessionOptions {
    bool debug = false;
    bool allow_root = false;
    bool io_uring = false; // libfuse's word for "the ring, if the kernel has it"
    ring_policy::Options ring;
    Choice transport = Choice::kAuto;
};

/// Takes our words out of `args`, then lets the environment have its say (it is the only way to reach a
/// program built elsewhere). 0, or -EINVAL after a message.
[[nodiscard]] int parse_session_options(fuse_args* args, SessionOptions& out);

} // namespace rf
