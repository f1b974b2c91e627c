#include "text.hpp"

#include "base/fd.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <fcntl.h>

namespace rf::command {

std::string format(const char* pattern, ...)
{
    va_list args;
    va_start(args, pattern);
    va_list again;
    va_copy(again, args);
    const int bytes = vsnprintf(nullptr, 0, pattern, args);
    va_end(args);
    std::string text(bytes > 0 ? static_cast<std::size_t>(bytes) : 0, '\0');
    vsnprintf(text.data(), text.size() + 1, pattern, again);
    va_end(again);
    return text;
}

std::string duration(double ns)
{
    if (ns < 1e3)
        return format("%.0f ns", ns);
    if (ns < 1e6)
        return format("%.1f us", ns / 1e3);
    if (ns < 1e9)
        return format("%.1f ms", ns / 1e6);
    if (ns < 120e9)
        return format("%.1f s", ns / 1e9);
    const std::uint64_t seconds = static_cast<std::uint64_t>(ns / 1e9);
    return format("%llu min %llu s", static_cast<unsigned long long>(seconds / 60),
                  static_cast<unsigned long long>(seconds % 60));
}

std::string bytes(double count)
{
    static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    while (count >= 1024 && unit + 1 < kUnits.size()) {
        count /= 1024;
        ++unit;
    }
    return format(unit == 0 ? "%.0f %s" : "%.1f %s", count, kUnits[unit]);
}

std::string count(double number)
{
    if (number < 10000)
        return format("%.0f", number);
    if (number < 1e6)
        return format("%.1fk", number / 1e3);
    return number < 1e9 ? format("%.1fM", number / 1e6) : format("%.1fG", number / 1e9);
}

std::string printable(std::string_view text)
{
    std::string out(text);
    for (char& c : out) {
        const unsigned char byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            c = '?';
    }
    return out;
}

std::string quoted(std::string_view text)
{
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos)
        return std::string(text);
    std::string out = "'";
    for (const char c : printable(text))
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string read_file(const std::string& path)
{
    constexpr std::size_t kMostBytes = 16 << 20;
    std::string text;
    const UniqueFd file(from_libc(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
    std::array<char, 4096> piece;
    while (file && text.size() < kMostBytes) {
        const ssize_t n = ::read(file.get(), piece.data(), piece.size());
        if (n <= 0)
            break;
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    return text;
}

std::string read_line(const std::string& path)
{
    const std::string text = read_file(path);
    return text.substr(0, text.find('\n'));
}

} // namespace rf::command
