#include "family/family.hpp"

#include "base/log.hpp"
#include "family/evidence.hpp"

#include <array>
#include <cerrno>

namespace rf::family {
namespace {

/// 0 until latch() has settled the family, then family and reason in one word, so that the first caller sets
/// both. Release and acquire: whoever sees it set sees current_family as well.
constinit std::atomic<std::uint32_t> settled{0};

constexpr std::uint32_t word_of(const Choice& choice) noexcept
{
    return (static_cast<std::uint32_t>(choice.reason) << 8) | static_cast<std::uint32_t>(choice.family);
}

Choice choice_of(std::uint32_t word) noexcept
{
    return {static_cast<Family>(word & 0xff), static_cast<Reason>(word >> 8)};
}

bool is_known(const libfuse_version* version) noexcept
{
    return version && (version->major | version->minor | version->hotfix) != 0;
}

/// A program that got one layout and then comes with another would read nonsense; it is told so.
void check_agreement(const Choice& choice, bool versioned_entry) noexcept
{
    if (versioned_entry && choice.family != Family::kD && choice.reason != Reason::kAsked)
        log::warning("two binary layouts in one process: a session for 3.17 or later after one of family %s, "
                     "which stays in force; RINGFUSE_ABI=D chooses the other",
                     letter(choice.family));
}

} // namespace

int latch(const libfuse_version* version, Table table, std::size_t op_size)
{
    const bool versioned_entry = is_known(version);
    if (const std::uint32_t word = settled.load(std::memory_order_acquire); word != 0) {
        check_agreement(choice_of(word), versioned_entry);
        return 0;
    }
    Evidence evidence = gather_evidence();
    evidence.versioned_entry = versioned_entry;
    evidence.table = table;
    evidence.op_size = op_size;
    const std::optional<Choice> choice = choose(evidence);
    if (!choice) {
        log::error("binary layout unknown: RINGFUSE_ABI=%s (EINVAL), known are A, B, C and D",
                   evidence.asked);
        return -EINVAL;
    }
    // Two threads may be here at once: one of them wins, and both make its choice known before they go on.
    std::uint32_t word = 0;
    if (settled.compare_exchange_strong(word, word_of(*choice), std::memory_order_acq_rel,
                                        std::memory_order_acquire))
        word = word_of(*choice);
    current_family.store(choice_of(word).family, std::memory_order_relaxed);
    check_agreement(choice_of(word), versioned_entry);
    log::debug("binary layout: family=%s because=%s", letter(current()), reason());
    return 0;
}

Release emulated_release() noexcept
{
    // The newest of each family.
    constexpr std::array<Release, kFamilies> kNewest{
        Release{3, 10, 5},
        Release{3, 14, 0},
        Release{3, 16, 2},
        Release{3, 19, 0},
    };
    Family family = current();
    if (settled.load(std::memory_order_acquire) == 0)
        family = choose(gather_evidence()).value_or(Choice{family, Reason::kNotChosen}).family;
    return kNewest[static_cast<std::size_t>(family)];
}

const char* letter(Family family) noexcept
{
    constexpr std::array<const char*, kFamilies> kLetters{"A", "B", "C", "D"};
    return kLetters[static_cast<std::size_t>(family)];
}

const char* reason() noexcept
{
    switch (choice_of(settled.load(std::memory_order_acquire)).reason) {
    case Reason::kNotChosen:
        return "not chosen yet";
    case Reason::kAsked:
        return "RINGFUSE_ABI";
    case Reason::kEntryPoint:
        return "entry point of 3.17 or later";
    case Reason::kOperations:
        return "size of the operations";
    case Reason::kNeeds:
        return "version nodes of the program";
    case Reason::kLibrary:
        return "the library's own";
    case Reason::kHost:
        return "the installed libfuse3.so.3";
    case Reason::kBuildDefault:
        return "default of the build";
    }
    return "?";
}

} // namespace rf::family
