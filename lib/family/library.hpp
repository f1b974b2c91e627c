// What a shared library says about itself to the core inside it. library.cpp has the answers of
// libringfuse.so.1 and of the tests, weak, so that the libraries that stand in for libfuse3 (lib/dropin)
// bring their own.
#pragma once

#include "family/family.hpp"

namespace rf::family {

/// The family of callers that give no sign at all; also what current_family begins with.
extern const Family library_default;

} // namespace rf::family
