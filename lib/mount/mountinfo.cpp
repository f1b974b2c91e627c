// Reader of /proc/self/mountinfo. A line (proc_pid_mountinfo(5)):
//   ID PARENT MAJOR:MINOR ROOT MOUNTPOINT ...
// with space, tab, newline and backslash in MOUNTPOINT written as three octal digits after a backslash.
#include "mount/mountinfo.hpp"

#include "base/fd.hpp"

#include <array>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <vector>

namespace rf::mount {
namespace {

struct Line {
    unsigned id = 0;
    unsigned parent = 0;
    MountId device;
};

std::string_view next_field(std::string_view& rest, char separator = ' ')
{
    const std::size_t end = rest.find(separator);
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return field;
}

bool to_number(std::string_view text, unsigned& out)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

// Compares an escaped path with a plain one without making a copy.
bool same_path(std::string_view escaped, std::string_view plain)
{
    std::size_t at = 0;
    for (const char want : plain) {
        if (at >= escaped.size())
            return false;
        char have = escaped[at++];
        if (have == '\\' && at + 3 <= escaped.size()) {
            have = static_cast<char>((escaped[at] - '0') * 64 + (escaped[at + 1] - '0') * 8 +
                                     (escaped[at + 2] - '0'));
            at += 3;
        }
        if (have != want)
            return false;
    }
    return at == escaped.size();
}

bool parse(std::string_view text, std::string_view path, Line& out)
{
    const std::string_view id = next_field(text);
    const std::string_view parent = next_field(text);
    std::string_view device = next_field(text);
    next_field(text); // the root within the filesystem
    if (!same_path(next_field(text), path))
        return false;
    const std::string_view major = next_field(device, ':');
    return to_number(id, out.id) && to_number(parent, out.parent) && to_number(major, out.device.major) &&
           to_number(device, out.device.minor);
}

} // namespace

std::optional<MountId> find_mount_in(std::string_view text, std::string_view path)
{
    std::vector<Line> stack;
    while (!text.empty()) {
        Line line;
        if (parse(next_field(text, '\n'), path, line))
            stack.push_back(line);
    }
    // Mounts on one path form a chain; the order of lines is not promised. The uppermost is nobody's parent.
    for (const Line& line : stack) {
        bool covered = false;
        for (const Line& other : stack)
            covered = covered || (other.parent == line.id && other.id != line.id);
        if (!covered)
            return line.device;
    }
    return std::nullopt;
}

std::optional<MountId> find_mount(std::string_view path, bool& readable)
{
    readable = false;
    const UniqueFd file(from_libc(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)));
    if (file.get() < 0)
        return std::nullopt;
    std::string text;
    std::array<char, 4096> chunk;
    for (;;) {
        const ssize_t n = from_libc(read(file.get(), chunk.data(), chunk.size()));
        if (n == -EINTR)
            continue;
        if (n < 0)
            return std::nullopt;
        if (n == 0)
            break;
        text.append(chunk.data(), static_cast<std::size_t>(n));
    }
    readable = true;
    return find_mount_in(text, path);
}

} // namespace rf::mount
