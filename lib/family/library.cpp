#include "family/library.hpp"

namespace rf::family {

// Weak: a definition in the shared library itself wins.
[[gnu::weak]] constinit std::atomic<Family> current_family{Family::kD};
[[gnu::weak]] extern const Family library_default = Family::kD;

} // namespace rf::family
