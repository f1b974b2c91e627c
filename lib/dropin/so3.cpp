// What libfuse3.so.3 says about itself: its callers were built against 3.0 to 3.16.
#include "family/config.hpp"
#include "family/library.hpp"

namespace rf::family {

constinit std::atomic<Family> current_family{kBuildDefault};
extern const Family library_default = kBuildDefault;

} // namespace rf::family
