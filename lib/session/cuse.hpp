// A character device instead of a mount: what cuse_lowlevel_new() was given, as the session keeps it.
#pragma once

#include <cuse_lowlevel.h>
#include <vector>

namespace rf {

/// Constant once the session has it.
class CuseDevice {
public:
    /// `ops`: the first `op_size` bytes count, the rest is NULL. 0, or -EINVAL or -E2BIG after a message;
    /// `out` is written only on success.
    [[nodiscard]] static int make(const cuse_info& info, const cuse_lowlevel_ops& ops, std::size_t op_size,
                                  CuseDevice& out);

    /// The operations as those of a filesystem: what a session calls. Each needs a request of a session that
    /// has a CuseDevice. Missing ones are NULL.
    [[nodiscard]] fuse_lowlevel_ops as_filesystem() const noexcept;

    [[nodiscard]] const cuse_lowlevel_ops& ops() const noexcept { return ops_; }
    [[nodiscard]] unsigned major() const noexcept { return major_; }
    [[nodiscard]] unsigned minor() const noexcept { return minor_; }
    [[nodiscard]] unsigned flags() const noexcept { return flags_; }
    /// "KEY=VALUE" and a NUL, one after the other, as the kernel wants them.
    [[nodiscard]] const std::vector<char>& properties() const noexcept { return properties_; }
    /// What DEVNAME says, or "?"; for messages.
    [[nodiscard]] const char* name() const noexcept;

private:
    cuse_lowlevel_ops ops_{};
    unsigned major_ = 0;
    unsigned minor_ = 0;
    unsigned flags_ = 0;
    std::vector<char> properties_;
};

} // namespace rf
