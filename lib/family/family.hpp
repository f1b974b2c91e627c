// Which of libfuse3's four binary layouts this process speaks. Programs built at different times lay out
// fuse_file_info, fuse_config and fuse_buf differently under one library name:
//
//   A: 3.0 - 3.10    B: 3.11 - 3.14.0    C: 3.14.1 - 3.16    D: 3.17 and later, and our own headers
//
// The core knows D alone. The choice is made once per process, at the first session, because buffers and
// answers come without one; layout.hpp has what follows from it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fuse_common.h>

namespace rf::family {

enum class Family : std::uint8_t { kA, kB, kC, kD };
inline constexpr std::size_t kFamilies = 4;

/// Before latch(): what the library that this core is linked into serves when nothing else is known (see
/// library.hpp). Written by latch() alone. Relaxed is enough: no other memory hangs on the value, and
/// whoever reads it got a session after the latch.
extern std::atomic<Family> current_family;

/// Any thread.
[[nodiscard]] inline Family current() noexcept
{
    return current_family.load(std::memory_order_relaxed);
}

/// True for D: application and core agree, nothing has to be translated. Any thread.
[[nodiscard]] inline bool is_native() noexcept
{
    return current() == Family::kD;
}

/// Whose operations the application brought; their size tells the oldest and the newest releases apart.
enum class Table : std::uint8_t { kLowLevel, kHighLevel, kCuse };

/// Settles the family if no earlier call did. Each entry point that creates something calls it before it
/// looks at a structure of the application's; the outermost one has the say.
///
/// `version` is what the wrappers of 3.17 and later pass; null or all zero means an entry point of before.
/// `op_size` is the size of the application's own table, 0 if there is none.
/// 0, or -EINVAL after a message: RINGFUSE_ABI names no family. Any thread.
[[nodiscard]] int latch(const libfuse_version* version, Table table, std::size_t op_size);

/// One release of libfuse3.
struct Release {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::uint32_t patch = 0;
};

/// The release we pass for: the newest of the family. Settles nothing: before latch() it looks at the same
/// signs, but for the operations. Any thread.
[[nodiscard]] Release emulated_release() noexcept;

/// "A" to "D". Static storage.
[[nodiscard]] const char* letter(Family family) noexcept;

/// Why the family was chosen, for people; "not chosen yet" before latch(). Static storage. Any thread.
[[nodiscard]] const char* reason() noexcept;

} // namespace rf::family
