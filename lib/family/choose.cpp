#include "family/choose.hpp"

#include <array>
#include <charconv>

namespace rf::family {
namespace {

/// Sizes of the application's table between which nothing can be told.
struct TableSizes {
    std::size_t first_3_8; // smaller: before 3.8
    std::size_t last_3_16; // larger: from 3.17 on
};

constexpr TableSizes sizes_of(Table table) noexcept
{
    switch (table) {
    case Table::kLowLevel:
        return {352, 352};
    case Table::kHighLevel:
        return {336, 336};
    case Table::kCuse: // never changed
        break;
    }
    return {0, SIZE_MAX};
}

constexpr std::string_view kGeneration3 = "libfuse3.so.3";
constexpr std::string_view kGeneration4 = "libfuse3.so.4";
constexpr std::string_view kOurs = "libringfuse.so.1";

bool starts_with(std::string_view text, std::string_view head) noexcept
{
    return text.substr(0, head.size()) == head;
}

/// A to C: the releases under libfuse3.so.3.
Choice among_generation_3(const Evidence& evidence) noexcept
{
    const auto fits = [&](Family family) {
        return family != Family::kD && !(family == Family::kA && evidence.needs.node_3_12);
    };
    if (evidence.host && fits(family_of(*evidence.host)))
        return {family_of(*evidence.host), Reason::kHost};
    return {fits(evidence.build_default) ? evidence.build_default : Family::kB, Reason::kBuildDefault};
}

} // namespace

std::optional<Choice> choose(const Evidence& evidence) noexcept
{
    if (evidence.asked) {
        const std::optional<Family> asked = family_named(evidence.asked);
        return asked ? std::optional(Choice{*asked, Reason::kAsked}) : std::nullopt;
    }
    if (evidence.versioned_entry)
        return Choice{Family::kD, Reason::kEntryPoint};
    const TableSizes sizes = sizes_of(evidence.table);
    if (evidence.op_size > sizes.last_3_16)
        return Choice{Family::kD, Reason::kOperations};
    if (evidence.op_size > 0 && evidence.op_size < sizes.first_3_8 && !evidence.needs.node_3_12 &&
        !evidence.needs.generation_4)
        return Choice{Family::kA, Reason::kOperations};
    if (evidence.needs.generation_3)
        return among_generation_3(evidence);
    if (evidence.needs.generation_4)
        return Choice{Family::kD, Reason::kNeeds};
    if (evidence.library_default == Family::kD)
        return Choice{Family::kD, Reason::kLibrary};
    return among_generation_3(evidence);
}

std::optional<Family> family_named(std::string_view letter) noexcept
{
    if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'D')
        return std::nullopt;
    return static_cast<Family>(letter[0] - 'A');
}

Family family_of(const Release& release) noexcept
{
    if (release.minor >= 17)
        return Family::kD;
    if (release.minor > 14 || (release.minor == 14 && release.patch >= 1))
        return Family::kC;
    return release.minor >= 11 ? Family::kB : Family::kA;
}

std::optional<Release> release_in_name(std::string_view file_name) noexcept
{
    // The soname's own number is the release's major.
    constexpr std::string_view kHead = "libfuse3.so.3.";
    if (!starts_with(file_name, kHead))
        return std::nullopt;
    Release release{3, 0, 0};
    const char* at = file_name.data() + kHead.size();
    const char* const end = file_name.data() + file_name.size();
    const auto minor = std::from_chars(at, end, release.minor);
    if (minor.ec != std::errc() || minor.ptr == end || *minor.ptr != '.')
        return std::nullopt;
    const auto patch = std::from_chars(minor.ptr + 1, end, release.patch);
    if (patch.ec != std::errc() || patch.ptr != end)
        return std::nullopt;
    return release;
}

void add_need(Needs& needs, std::string_view file, std::string_view node) noexcept
{
    constexpr std::array kNewNodes{std::string_view("FUSE_3.17"), std::string_view("FUSE_3.17.3"),
                                   std::string_view("FUSE_3.18"), std::string_view("FUSE_3.19")};
    if (file == kGeneration4 || file == kOurs)
        needs.generation_4 = true;
    if (file != kGeneration3)
        return;
    needs.generation_3 = true;
    needs.node_3_12 |= node == "FUSE_3.12";
    for (const std::string_view known : kNewNodes)
        needs.generation_4 |= node == known;
}

} // namespace rf::family
