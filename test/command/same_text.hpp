// Comparing texts in the tests of the command. Check's own ck_assert_str_eq() keeps a pointer beyond the full
// expression, so it cannot be given a temporary string.
#pragma once

#include "check/runner.hpp"

#include <string>

namespace rf::command {

inline void same_text(const std::string& is, const std::string& wanted, int line = __builtin_LINE())
{
    ck_assert_msg(is == wanted, "line %d: \"%s\" instead of \"%s\"", line, is.c_str(), wanted.c_str());
}

} // namespace rf::command
