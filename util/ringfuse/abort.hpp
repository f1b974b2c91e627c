// `ringfuse abort`: ends a mount whose filesystem does not answer, without its help.
#pragma once

#include <string>

namespace rf::command {

struct AbortRequest {
    std::string mountpoint;
    bool yes = false;  // do not ask
    bool keep = false; // leave the dead mount where it is
    bool json = false;
};

/// Exit code.
[[nodiscard]] int run_abort(const AbortRequest& request);

} // namespace rf::command
