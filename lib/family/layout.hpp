// The one description of how the families' structures differ, and access by it.
//
// The rule: a fuse_file_info, a fuse_bufvec with more than one piece and the fuse_config that init() sees are
// in the application's layout everywhere except inside the functions below. Nobody converts one as a whole
// (but for fuse_config around init()); whoever needs a member whose place differs asks here. So a structure
// that passes through a stack of filesystem modules, some of them the application's, is never converted
// twice. All other structures, and the members not named here, are alike in all families:
//   fuse_file_info: flags, writepage, direct_io, keep_cache, fh, lock_owner, poll_events
//   fuse_buf:       all but mem_size
//   fuse_config:    set_gid ... auto_cache
//
// For D each function is one load of current_family and a table or one predictable branch. Any thread, as
// far as the structure's owner allows.
#pragma once

#include "family/family.hpp"

#include <array>
#include <cstring>

struct fuse_config;

namespace rf::family {

// ---- fuse_file_info

/// The bits whose place differs.
enum class FileBit : std::uint8_t {
    kFlush,
    kNonseekable,
    kFlockRelease,
    kCacheReaddir,
    kNoflush,
    kParallelDirectWrites,
};

namespace detail {

inline constexpr std::size_t kFileBitsAt = 4; // the word that holds all of them, in every family
constexpr std::uint32_t at(unsigned bit)
{
    return 1u << bit;
}
inline constexpr std::uint32_t kNone = 0; // the family has no such bit: never set, setting it changes nothing

/// [family][FileBit]
inline constexpr std::array<std::array<std::uint32_t, 6>, kFamilies> kFileBits{{
    {at(3), at(4), at(5), at(6), kNone, kNone},
    {at(3), at(4), at(5), at(6), at(7), kNone},
    {at(4), at(5), at(6), at(7), at(8), at(3)},
    {at(3), at(4), at(5), at(6), at(7), at(8)},
}};

inline std::uint32_t mask_of(FileBit bit) noexcept
{
    return kFileBits[static_cast<std::size_t>(current())][static_cast<std::size_t>(bit)];
}

} // namespace detail

/// Reads four bytes at offset 4 and nothing else.
[[nodiscard]] inline bool has(const fuse_file_info& fi, FileBit bit) noexcept
{
    std::uint32_t word = 0;
    std::memcpy(&word, reinterpret_cast<const std::byte*>(&fi) + detail::kFileBitsAt, sizeof(word));
    return (word & detail::mask_of(bit)) != 0;
}

inline void set(fuse_file_info& fi, FileBit bit, bool on = true) noexcept
{
    std::byte* const at = reinterpret_cast<std::byte*>(&fi) + detail::kFileBitsAt;
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    const std::uint32_t mask = detail::mask_of(bit);
    word = on ? word | mask : word & ~mask;
    std::memcpy(at, &word, sizeof(word));
}

/// What the application set as backing_id; 0 in A to C, where the bytes behind poll_events are padding that
/// nobody initialised and may not even be there.
[[nodiscard]] inline std::int32_t backing_id(const fuse_file_info& fi) noexcept
{
    return is_native() ? fi.backing_id : 0;
}

// ---- fuse_bufvec

/// A fuse_buf without mem_size, as A to C know it.
inline constexpr std::size_t kOldBufBytes = offsetof(fuse_buf, mem_size);

[[nodiscard]] inline std::size_t buf_stride() noexcept
{
    return is_native() ? sizeof(fuse_buf) : kOldBufBytes;
}

/// Piece `i` of a list of the application's. mem_size must not be touched: see backing_id().
/// REQUIRES: i < list.count
[[nodiscard]] inline const fuse_buf& piece(const fuse_bufvec& list, std::size_t i) noexcept
{
    const std::byte* const first = reinterpret_cast<const std::byte*>(&list) + offsetof(fuse_bufvec, buf);
    return *reinterpret_cast<const fuse_buf*>(first + i * buf_stride());
}
[[nodiscard]] inline fuse_buf& piece(fuse_bufvec& list, std::size_t i) noexcept
{
    return const_cast<fuse_buf&>(piece(static_cast<const fuse_bufvec&>(list), i));
}

// ---- fuse_conn_info

/// After the application's init(): A to C end at time_gran, and what lies behind is put back to `offered`, as
/// it was before the call. The structure has 128 bytes in all families, so it is passed as it is.
void take_conn(fuse_conn_info& conn, const fuse_conn_info& offered) noexcept;

// ---- fuse_config

/// Members of fuse_config that hold an int in different places.
enum class ConfigWord : std::uint8_t {
    kNoRofdFlush,
    kAcAttrTimeoutSet,
    kNullpathOk,
    kParallelDirectWrites,
    kShowHelp,
    kDebug,
};

/// One member of a fuse_config in the application's layout (what init() was given): for modules, which sit
/// between the library and the application. 0 and no effect if the family lacks it.
[[nodiscard]] std::int32_t config_word(const fuse_config& theirs, ConfigWord which) noexcept;
void set_config_word(fuse_config& theirs, ConfigWord which, std::int32_t value) noexcept;

/// `ours` (layout D) as the application sees it. Lives as long as the application may use the pointer, which
/// is at least until init() returns. What it changes later does not come back.
class ConfigForApplication {
public:
    explicit ConfigForApplication(fuse_config& ours) noexcept;
    ConfigForApplication(const ConfigForApplication&) = delete;
    ConfigForApplication& operator=(const ConfigForApplication&) = delete;

    /// What init() gets. D: `ours` itself.
    [[nodiscard]] fuse_config* get() noexcept;
    /// After init(): every member the family has goes to `ours`; the others keep their values.
    void read_back() noexcept;

private:
    // Some programs clear the whole structure by a size of their own: the largest known, and some slack.
    static constexpr std::size_t kBytes = 520 + 248;

    fuse_config& ours_;
    alignas(8) std::array<std::byte, kBytes> theirs_{};
};

} // namespace rf::family
