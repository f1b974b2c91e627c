#include "mounts.hpp"

#include "text.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <unistd.h>

namespace rf::command {
namespace {

constexpr std::string_view kConnections = "/sys/fs/fuse/connections/";

std::string_view next_word(std::string_view& line)
{
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
std::string unescaped(std::string_view word)
{
    std::string out;
    for (std::size_t i = 0; i < word.size(); ++i) {
        unsigned value = 0;
        const char* digits = word.data() + i + 1;
        if (word[i] == '\\' && i + 3 < word.size() &&
            std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3 && value < 256) {
            out += static_cast<char>(value);
            i += 3;
        } else {
            out += word[i];
        }
    }
    return out;
}

std::optional<FuseMount> parse_line(std::string_view line)
{
    (void)next_word(line); // mount id
    (void)next_word(line); // parent's
    const std::string_view device = next_word(line);
    (void)next_word(line); // root
    FuseMount mount;
    mount.path = unescaped(next_word(line));
    const std::size_t dash = line.find(" - ");
    const std::size_t colon = device.find(':');
    if (dash == std::string_view::npos || colon == std::string_view::npos)
        return std::nullopt;
    line.remove_prefix(dash + 3);
    mount.type = next_word(line);
    mount.source = unescaped(next_word(line));
    mount.options = line;
    if (mount.type != "fuse" && mount.type != "fuseblk" && !mount.type.starts_with("fuse."))
        return std::nullopt;
    const std::string_view minor = device.substr(colon + 1);
    const auto parsed = std::from_chars(minor.data(), minor.data() + minor.size(), mount.connection);
    if (parsed.ec != std::errc() || parsed.ptr != minor.data() + minor.size())
        return std::nullopt;
    return mount;
}

std::optional<FuseMount> mounted_on(const std::vector<FuseMount>& mounts, const std::string& path)
{
    for (auto it = mounts.rbegin(); it != mounts.rend(); ++it) {
        if (it->path == path)
            return *it;
    }
    return std::nullopt;
}

std::string resolved(const std::string& path)
{
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    return real ? std::string(real.get()) : std::string();
}

} // namespace

std::vector<FuseMount> parse_mounts(std::string_view mountinfo)
{
    std::vector<FuseMount> mounts;
    while (!mountinfo.empty()) {
        const std::size_t end = mountinfo.find('\n');
        if (std::optional<FuseMount> mount = parse_line(mountinfo.substr(0, end)))
            mounts.push_back(std::move(*mount));
        mountinfo.remove_prefix(end == std::string_view::npos ? mountinfo.size() : end + 1);
    }
    return mounts;
}

std::vector<FuseMount> fuse_mounts()
{
    return parse_mounts(read_file("/proc/self/mountinfo"));
}

std::string normal_path(std::string_view path, std::string_view directory)
{
    std::string text(path);
    if (!path.starts_with('/'))
        text = std::string(directory) + '/' + text;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('/', at), text.size());
        const std::string_view part = std::string_view(text).substr(at, end - at);
        if (part == "..")
            out.resize(out.empty() ? 0 : out.rfind('/'));
        else if (!part.empty() && part != ".")
            out.append("/").append(part);
        at = end + 1;
    }
    return out.empty() ? "/" : out;
}

std::optional<FuseMount> find_fuse_mount(const std::string& path)
{
    const std::vector<FuseMount> mounts = fuse_mounts();
    std::array<char, 4096> directory{};
    const std::string here = ::getcwd(directory.data(), directory.size()) ? directory.data() : "";
    const std::string plain = normal_path(path, here);
    if (std::optional<FuseMount> mount = mounted_on(mounts, plain))
        return mount;
    // Not the last part: looking at the mount point itself would ask the filesystem.
    const std::size_t slash = plain.rfind('/');
    const std::string parent = resolved(slash == 0 ? "/" : plain.substr(0, slash));
    if (std::optional<FuseMount> mount = mounted_on(mounts, normal_path(plain.substr(slash + 1), parent)))
        return mount;
    // A symbolic link to the mount point.
    std::array<char, 4096> target{};
    const ssize_t n = ::readlink(plain.c_str(), target.data(), target.size());
    if (n <= 0)
        return std::nullopt;
    return mounted_on(mounts, normal_path({target.data(), static_cast<std::size_t>(n)}, parent));
}

std::string control_path(unsigned connection, std::string_view file)
{
    return std::string(kConnections) + std::to_string(connection) + "/" + std::string(file);
}

std::optional<unsigned long> kernel_waiting(unsigned connection)
{
    const std::string text = read_line(control_path(connection, "waiting"));
    unsigned long waiting = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), waiting);
    if (parsed.ec != std::errc())
        return std::nullopt;
    return waiting;
}

} // namespace rf::command
