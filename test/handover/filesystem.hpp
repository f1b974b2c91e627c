// A filesystem without state: what a file holds follows from its number and the offset, so any process can
// serve any request. Writes are checked, not kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <fuse_lowlevel.h>
#include <string>

namespace rf::handover {

constexpr unsigned kFiles = 32;
constexpr fuse_ino_t kFirstFile = 100;
constexpr off_t kFileBytes = off_t{1} << 20;
constexpr std::size_t kMostBytes = std::size_t{128} << 10; // of one read or write

/// The eight bytes at `at`, a multiple of eight.
constexpr std::uint64_t word_of(fuse_ino_t ino, off_t at) noexcept
{
    std::uint64_t mixed = ino * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(at) * 0xbf58476d1ce4e5b9;
    return mixed ^ (mixed >> 29);
}

void fill(fuse_ino_t ino, off_t at, char* to, std::size_t bytes);
[[nodiscard]] bool matches(fuse_ino_t ino, off_t at, const char* from, std::size_t bytes);
[[nodiscard]] std::string name_of(unsigned index);

[[nodiscard]] const fuse_lowlevel_ops& stateless_ops();

/// Requests answered by a thread of the filesystem's own, some time after their handler returned.
void start_late_answers();
void stop_late_answers();
extern std::atomic<long> g_late_answers;

} // namespace rf::handover
