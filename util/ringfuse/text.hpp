// Words and numbers for people: durations, sizes, and texts from elsewhere made safe for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rf::command {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// "340 ns", "12.3 us", "1.5 ms", "2.0 s", "3 min 4 s"
[[nodiscard]] std::string duration(double ns);
/// "512 B", "3.4 KiB", "1.2 GiB"
[[nodiscard]] std::string bytes(double count);
/// "950", "12.3k", "4.5M"
[[nodiscard]] std::string count(double number);

/// Control characters as '?', so that names chosen by others cannot steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` so that a shell takes it as one word.
[[nodiscard]] std::string quoted(std::string_view text);

/// The whole of a small file, empty if it cannot be read; files of /proc and /sys have no size of their own.
[[nodiscard]] std::string read_file(const std::string& path);
/// The first line of it.
[[nodiscard]] std::string read_line(const std::string& path);

} // namespace rf::command
