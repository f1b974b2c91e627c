// FUSE mounts of this mount table, and the kernel's controls for their connections. Nothing here asks a
// filesystem anything: a hung one would keep the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rf::command {

struct FuseMount {
    unsigned connection = 0; // number below /sys/fs/fuse/connections
    std::string path;
    std::string type; // "fuse", "fuse.sshfs", "fuseblk"
    std::string source;
    std::string options; // of the filesystem
};

/// The FUSE mounts in `mountinfo`, in the table's order. Lines that do not look like one are left out.
[[nodiscard]] std::vector<FuseMount> parse_mounts(std::string_view mountinfo);
[[nodiscard]] std::vector<FuseMount> fuse_mounts();

/// The uppermost FUSE mount on `path`: as it stands, made absolute, or with the links of its parent folders
/// resolved, which may wait if one of those is on a hung mount itself.
[[nodiscard]] std::optional<FuseMount> find_fuse_mount(const std::string& path);
/// `path` without "." and "..", double and trailing slashes; absolute if `directory` is.
[[nodiscard]] std::string normal_path(std::string_view path, std::string_view directory);

/// Requests that wait for an answer, queued ones included, as the kernel counts them; nullopt if it does not
/// say (fusectl is not mounted, or the mount is somebody else's).
[[nodiscard]] std::optional<unsigned long> kernel_waiting(unsigned connection);
[[nodiscard]] std::string control_path(unsigned connection, std::string_view file);

} // namespace rf::command
