// The environment variables of ours: all begin with RINGFUSE_. They are read where they take effect; here is
// the list of them, so that a misspelt one does not go unnoticed.
#pragma once

#include <string_view>

namespace rf::cli {

/// True for names that are not ours, for the ones we know, and for those of the project's own scripts.
[[nodiscard]] bool is_known_variable(std::string_view name) noexcept;

/// Warns about each unknown variable, once per process. Any thread.
void check_environment();

} // namespace rf::cli
