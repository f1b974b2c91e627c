// The entries of an open directory whose filesystem lists it as a whole: one compact buffer, addressed by
// position.
#pragma once

#include <cstdint>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace rf::hl {

/// Guarded by the open directory's mutex.
class DirBuffer {
public:
    struct Entry {
        const char* name = nullptr; // NUL-terminated, valid until the buffer changes
        struct stat attr {};        // inode number and type, or everything if `complete`
        bool complete = false;      // given for readdirplus
    };

    void clear() noexcept
    {
        bytes_.clear();
        starts_.clear();
    }
    /// 0 or -ENOMEM.
    [[nodiscard]] int add(std::string_view name, const struct stat& attr, bool complete);
    [[nodiscard]] std::size_t size() const noexcept { return starts_.size(); }
    /// REQUIRES: index < size()
    [[nodiscard]] Entry at(std::size_t index) const noexcept;

private:
    std::vector<char> bytes_;           // records: Head, all of the attributes if complete, name, NUL
    std::vector<std::uint32_t> starts_; // of records, in units of kUnit
    static constexpr std::size_t kUnit = 8;
};

} // namespace rf::hl
