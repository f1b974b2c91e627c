#include "family/layout.hpp"

namespace rf::family {
namespace {

// Up to here fuse_config is the same everywhere.
constexpr std::size_t kCommonConfigBytes = 84;
// Up to here fuse_conn_info has members in A to C.
constexpr std::size_t kOldConnBytes = offsetof(fuse_conn_info, max_backing_stack_depth);
static_assert(kOldConnBytes == 40);

constexpr int kAbsent = -1;

/// A member of fuse_config that moved: its size, and its offset per family.
struct Member {
    std::size_t bytes;
    std::array<int, kFamilies> at;
};

// The first six in the order of ConfigWord.
constexpr std::array kMembers{
    Member{4, {kAbsent, 84, 84, 124}},       // no_rofd_flush
    Member{4, {84, 88, 88, 84}},             // ac_attr_timeout_set
    Member{4, {96, 104, 104, 96}},           // nullpath_ok
    Member{4, {kAbsent, kAbsent, 108, 128}}, // parallel_direct_writes
    Member{4, {100, 108, 112, 100}},         // show_help
    Member{4, {112, 120, 128, 112}},         // debug
    Member{8, {88, 96, 96, 88}},             // ac_attr_timeout
    Member{8, {104, 112, 120, 104}},         // modules
};

/// Copies what both layouts have.
void convert(std::byte* to, Family to_family, const std::byte* from, Family from_family) noexcept
{
    std::memcpy(to, from, kCommonConfigBytes);
    for (const Member& member : kMembers) {
        const int to_at = member.at[static_cast<std::size_t>(to_family)];
        const int from_at = member.at[static_cast<std::size_t>(from_family)];
        if (to_at != kAbsent && from_at != kAbsent)
            std::memcpy(to + to_at, from + from_at, member.bytes);
    }
}

int offset_of(ConfigWord which) noexcept
{
    return kMembers[static_cast<std::size_t>(which)].at[static_cast<std::size_t>(current())];
}

} // namespace

void take_conn(fuse_conn_info& conn, const fuse_conn_info& offered) noexcept
{
    if (is_native())
        return;
    std::memcpy(reinterpret_cast<std::byte*>(&conn) + kOldConnBytes,
                reinterpret_cast<const std::byte*>(&offered) + kOldConnBytes, sizeof(conn) - kOldConnBytes);
}

std::int32_t config_word(const fuse_config& theirs, ConfigWord which) noexcept
{
    const int at = offset_of(which);
    std::int32_t value = 0;
    if (at != kAbsent)
        std::memcpy(&value, reinterpret_cast<const std::byte*>(&theirs) + at, sizeof(value));
    return value;
}

void set_config_word(fuse_config& theirs, ConfigWord which, std::int32_t value) noexcept
{
    if (const int at = offset_of(which); at != kAbsent)
        std::memcpy(reinterpret_cast<std::byte*>(&theirs) + at, &value, sizeof(value));
}

ConfigForApplication::ConfigForApplication(fuse_config& ours) noexcept : ours_(ours)
{
    convert(theirs_.data(), current(), reinterpret_cast<const std::byte*>(&ours), Family::kD);
}

fuse_config* ConfigForApplication::get() noexcept
{
    return is_native() ? &ours_ : reinterpret_cast<fuse_config*>(theirs_.data());
}

void ConfigForApplication::read_back() noexcept
{
    if (!is_native())
        convert(reinterpret_cast<std::byte*>(&ours_), Family::kD, theirs_.data(), current());
}

} // namespace rf::family
