// What is mounted where, read from /proc/self/mountinfo: unlike stat(), it never asks a filesystem, so a dead
// or busy one cannot block the reader.
#pragma once

#include <optional>
#include <string_view>

namespace rf::mount {

struct MountId {
    unsigned major = 0;
    unsigned minor = 0;
    bool operator==(const MountId&) const = default;
};

/// The device number of the uppermost mount on `path` (absolute, no symbolic links). Nothing mounted there,
/// or no /proc: nullopt; `readable` tells the two apart.
[[nodiscard]] std::optional<MountId> find_mount(std::string_view path, bool& readable);

/// The same search in `text`, the contents of a mountinfo file.
[[nodiscard]] std::optional<MountId> find_mount_in(std::string_view text, std::string_view path);

} // namespace rf::mount
