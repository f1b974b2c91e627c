// The choice of the family from what is known about the caller: pure, so that every rule has a unit test.
#pragma once

#include "family/family.hpp"

#include <optional>
#include <string_view>

namespace rf::family {

/// What the objects of this process ask of libfuse3, by their tables of version needs.
struct Needs {
    bool generation_3 = false; // somebody needs libfuse3.so.3
    bool generation_4 = false; // somebody needs libfuse3.so.4, libringfuse.so.1 or a node of 3.17 and later
    bool node_3_12 = false;    // somebody built against 3.12 or later, for libfuse3.so.3
};

struct Evidence {
    const char* asked = nullptr; // RINGFUSE_ABI
    bool versioned_entry = false;
    Table table = Table::kLowLevel;
    std::size_t op_size = 0;
    Needs needs;
    std::optional<Release> host; // what the distribution's libfuse3.so.3 calls itself
    Family library_default = Family::kD;
    Family build_default = Family::kB; // of the releases under libfuse3.so.3
};

enum class Reason : std::uint8_t {
    kNotChosen,
    kAsked,
    kEntryPoint,
    kOperations,
    kNeeds,
    kLibrary,
    kHost,
    kBuildDefault,
};

struct Choice {
    Family family = Family::kD;
    Reason reason = Reason::kNotChosen;
};

/// nullopt: `asked` is no family.
[[nodiscard]] std::optional<Choice> choose(const Evidence& evidence) noexcept;

[[nodiscard]] std::optional<Family> family_named(std::string_view letter) noexcept;
[[nodiscard]] Family family_of(const Release& release) noexcept;

/// "libfuse3.so.3.14.0" -> 3.14.0; nullopt for any other name. Libraries of ours carry no release.
[[nodiscard]] std::optional<Release> release_in_name(std::string_view file_name) noexcept;

/// Takes one need into account: `file` is the library's name in the needing object, `node` the version.
void add_need(Needs& needs, std::string_view file, std::string_view node) noexcept;

} // namespace rf::family
