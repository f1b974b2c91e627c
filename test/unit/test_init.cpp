// INIT negotiation for every minor, every flag alone and in company, and the edges of every size.
// Longer than other tests: one function under test, and each rule of its answer is a few lines here.
#include "check/runner.hpp"
#include "proto/init.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

using namespace rf;

namespace {

constexpr uint64_t kAllFlags = ~uint64_t{0};
constexpr uint32_t kMinors = 60;

// Given as plain numbers, so that a wrong constant in the code does not agree with itself.
constexpr uint64_t kManaged = 1ull << 5 | 1ull << 22 | 1ull << 30 | 1ull << 41 | 1ull << 42;
constexpr uint64_t kNever = 1ull << 26 | 1ull << 31 | 1ull << 33 | ~0ull << 43;

/// What a kernel of this minor offering `flags` ends up as, through the real reader.
Offer offer_of(uint32_t minor, uint64_t flags)
{
    kern::fuse_init_in in{};
    in.major = 7;
    in.minor = minor;
    in.max_readahead = 131072;
    in.flags = static_cast<uint32_t>(flags);
    in.flags2 = static_cast<uint32_t>(flags >> 32);
    Offer offer;
    if (read_offer(in, minor < 6 ? 8 : minor < 36 ? 16 : 64, offer) != 0)
        ck_abort_msg("offer of minor %u refused", minor);
    return offer;
}

Offer modern()
{
    return offer_of(45, kAllFlags);
}

Wants everything()
{
    Wants wants;
    wants.flags = kAllFlags;
    wants.max_stack_depth = 1;
    wants.request_timeout = 60;
    wants.ring = true;
    wants.default_permissions = true;
    wants.max_background = 100;
    return wants;
}

uint64_t flags_of(const kern::fuse_init_out& out)
{
    return out.flags | uint64_t{out.flags2} << 32;
}

/// What is wrong with the flags agreed, or nullptr. Holds whatever was offered and wanted.
const char* flag_fault(const Offer& offer, const Wants& wants, const Agreed& got)
{
    const uint64_t flags = got.flags;
    const auto has = [flags](uint64_t flag) { return (flags & flag) != 0; };
    if (flags_of(got.out) != flags)
        return "the reply has other flags";
    if (flags & ~offer.flags)
        return "a flag that was not offered";
    if (flags & kNever)
        return "a flag nobody may set";
    if (flags & ~(wants.flags | kManaged))
        return "a flag nobody asked for";
    if (flags >> 32 && !has(kern::INIT_EXT))
        return "high flags without INIT_EXT";
    if (has(kern::INIT_READDIRPLUS_AUTO) && !has(kern::INIT_DO_READDIRPLUS))
        return "READDIRPLUS_AUTO alone";
    if (has(kern::INIT_AUTO_INVAL_DATA) && has(kern::INIT_EXPLICIT_INVAL_DATA))
        return "both ways of invalidation";
    if (has(kern::INIT_PASSTHROUGH) && has(kern::INIT_WRITEBACK_CACHE))
        return "PASSTHROUGH beside WRITEBACK_CACHE";
    if (has(kern::INIT_PASSTHROUGH) != (got.out.max_stack_depth != 0) || got.out.max_stack_depth > 2)
        return "stack depth";
    if (has(kern::INIT_ALLOW_IDMAP) && !wants.default_permissions && !has(kern::INIT_POSIX_ACL))
        return "ALLOW_IDMAP without permission checks";
    if (got.ring != has(kern::INIT_OVER_IO_URING) || (got.ring && (!wants.ring || got.minor < 42)))
        return "ring";
    if (has(kern::INIT_REQUEST_TIMEOUT) != (got.out.request_timeout != 0))
        return "request timeout";
    return nullptr;
}

/// The same for versions and sizes.
const char* size_fault(const Offer& offer, const Wants& wants, const Agreed& got)
{
    if (got.out.major != 7 || got.out.minor != got.minor || got.minor != std::min(offer.kernel_minor, 45u))
        return "version";
    if (got.out_bytes != (got.minor < 5 ? 8u : got.minor < 23 ? 24u : 64u))
        return "length of the reply";
    if (got.out.max_write != got.max_write || got.max_write % 4096 ||
        got.max_write < (got.ring ? 8192u : 4096u))
        return "max_write";
    if (got.max_write > got.max_pages * 4096)
        return "max_write beyond max_pages";
    const bool sent = (got.flags & kern::INIT_MAX_PAGES) != 0;
    if (got.out.max_pages != (sent ? got.max_pages : 0))
        return "max_pages in the reply";
    if (sent ? got.max_pages > std::max(wants.max_pages_limit, 1u) : got.max_pages != 32)
        return "max_pages";
    if (got.max_payload_bytes != std::max({8192u, got.max_write, got.max_pages * 4096}))
        return "payload";
    if (got.ring && got.max_payload_bytes < 131072)
        return "ring payload";
    if (got.out.map_alignment != 0 || std::any_of(std::begin(got.out.unused), std::end(got.out.unused),
                                                  [](uint16_t word) { return word != 0; }))
        return "unused fields";
    return nullptr;
}

Agreed sound(const Offer& offer, const Wants& wants)
{
    const Agreed got = negotiate(offer, wants);
    for (const char* fault : {flag_fault(offer, wants, got), size_fault(offer, wants, got)})
        if (fault)
            ck_abort_msg(
                "%s: kernel minor=%u offered=%#llx wanted=%#llx agreed=%#llx max_write=%u max_pages=%u",
                fault, offer.kernel_minor, static_cast<unsigned long long>(offer.flags),
                static_cast<unsigned long long>(wants.flags), static_cast<unsigned long long>(got.flags),
                got.max_write, got.max_pages);
    return got;
}

} // namespace

START_TEST(every_minor_with_everything_is_sound)
{
    for (uint32_t minor = 0; minor < kMinors; ++minor)
        for (bool ring : {false, true}) {
            Wants wants = everything();
            wants.ring = ring;
            sound(offer_of(minor, kAllFlags), wants);
            sound(offer_of(minor, 0), wants);
            sound(offer_of(minor, kAllFlags), {});
        }
}
END_TEST

START_TEST(every_flag_alone_is_agreed_if_offered_and_not_otherwise)
{
    for (unsigned bit = 0; bit < 64; ++bit) {
        const uint64_t flag = 1ull << bit;
        Wants wants = everything();
        wants.flags = flag;
        wants.ring = false;
        wants.request_timeout = 0;
        const bool askable = !(flag & (kManaged | kNever)) && flag != kern::INIT_READDIRPLUS_AUTO;
        const Agreed with = sound(modern(), wants);
        ck_assert_msg(((with.flags & flag) != 0) ==
                          (askable || flag == kern::INIT_EXT || flag == kern::INIT_MAX_PAGES ||
                           flag == kern::INIT_BIG_WRITES),
                      "bit %u", bit);
        const Agreed without = sound(offer_of(45, kAllFlags & ~flag), wants);
        ck_assert_msg((without.flags & flag) == 0, "bit %u", bit);
    }
}
END_TEST

START_TEST(every_pair_of_flags_is_sound)
{
    for (unsigned a = 0; a < 48; ++a)
        for (unsigned b = 0; b < a; ++b) {
            const uint64_t pair = 1ull << a | 1ull << b;
            for (uint32_t depth : {0u, 1u}) {
                Wants wants;
                wants.flags = pair;
                wants.max_stack_depth = depth;
                wants.ring = true;
                wants.request_timeout = 1;
                sound(modern(), wants);
                wants.flags = kAllFlags;
                sound(offer_of(45, pair), wants);
                sound(offer_of(45, kAllFlags & ~pair), wants);
            }
        }
}
END_TEST

START_TEST(random_offers_and_wants_are_sound)
{
    uint64_t state = 0x2545f4914f6cdd1d;
    const auto next = [&state] {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    };
    for (int round = 0; round < 200000; ++round) {
        Wants wants;
        wants.flags = next();
        wants.max_write = static_cast<uint32_t>(next() >> (next() % 32 + 32));
        wants.max_pages_limit = static_cast<uint32_t>(next() >> (next() % 32 + 32));
        wants.max_stack_depth = static_cast<uint32_t>(next() % 4);
        wants.request_timeout = static_cast<uint16_t>(next() % 3);
        wants.max_background = static_cast<uint16_t>(next());
        wants.ring = next() % 2;
        wants.default_permissions = next() % 2;
        sound(offer_of(static_cast<uint32_t>(next() % kMinors), next()), wants);
    }
}
END_TEST

START_TEST(an_older_major_is_refused)
{
    kern::fuse_init_in in{};
    in.major = 6;
    Offer offer;
    ck_assert_int_eq(read_offer(in, 64, offer), -EPROTO);
    in.major = 0;
    ck_assert_int_eq(read_offer(in, 64, offer), -EPROTO);
}
END_TEST

START_TEST(a_message_without_a_version_is_refused)
{
    kern::fuse_init_in in{};
    in.major = 7;
    Offer offer;
    ck_assert_int_eq(read_offer(in, 7, offer), -EINVAL);
    ck_assert_int_eq(read_offer(in, 8, offer), 0);
}
END_TEST

START_TEST(a_newer_major_gets_our_version_and_nothing_else)
{
    kern::fuse_init_in in{};
    in.major = 8;
    in.minor = 3;
    in.flags = UINT32_MAX;
    in.flags2 = UINT32_MAX;
    Offer offer;
    ck_assert_int_eq(read_offer(in, 64, offer), 0);
    ck_assert(offer.major_too_new);
    ck_assert_uint_eq(offer.flags, 0);
    const Agreed got = negotiate(offer, everything());
    ck_assert_uint_eq(got.out_bytes, 8);
    ck_assert_uint_eq(got.out.major, 7);
    ck_assert_uint_eq(got.out.minor, 45);
    ck_assert_uint_eq(flags_of(got.out), 0);
    ck_assert(!got.ring);
}
END_TEST

START_TEST(the_reply_never_exceeds_the_kernels_minor)
{
    for (uint32_t minor = 0; minor < kMinors; ++minor) {
        const Offer offer = offer_of(minor, 0);
        ck_assert_uint_eq(offer.kernel_minor, minor);
        ck_assert_uint_eq(offer.minor, std::min(minor, 45u));
    }
}
END_TEST

START_TEST(high_flags_count_only_beside_init_ext)
{
    kern::fuse_init_in in{};
    in.major = 7;
    in.minor = 45;
    in.flags2 = UINT32_MAX;
    Offer offer;
    ck_assert_int_eq(read_offer(in, 64, offer), 0);
    ck_assert_uint_eq(offer.flags, 0);
    in.flags = 1u << 30;
    ck_assert_int_eq(read_offer(in, 64, offer), 0);
    ck_assert_uint_eq(offer.flags >> 32, UINT32_MAX);
    ck_assert_int_eq(read_offer(in, 16, offer), 0); // flags2 was not sent
    ck_assert_uint_eq(offer.flags, 1u << 30);
    ck_assert_int_eq(read_offer(in, 8, offer), 0);
    ck_assert_uint_eq(offer.flags, 0);
}
END_TEST

START_TEST(a_hand_made_offer_without_ext_gets_no_high_flags)
{
    Offer offer = modern();
    offer.flags &= ~kern::INIT_EXT;
    const Agreed got = negotiate(offer, everything());
    ck_assert_uint_eq(got.flags >> 32, 0);
    ck_assert(!got.ring);
}
END_TEST

START_TEST(the_ring_needs_both_sides)
{
    Wants wants = everything();
    ck_assert(sound(modern(), wants).ring);
    ck_assert(!sound(offer_of(45, kAllFlags & ~kern::INIT_OVER_IO_URING), wants).ring);
    ck_assert(!sound(offer_of(41, kAllFlags), wants).ring);
    ck_assert(sound(offer_of(46, kAllFlags), wants).ring);
    wants.ring = false;
    ck_assert(!sound(modern(), wants).ring);
}
END_TEST

START_TEST(max_write_and_max_pages_agree)
{
    const struct {
        uint32_t wanted;
        uint32_t limit;
        bool ring;
        uint32_t max_write;
        uint32_t max_pages;
        uint32_t sent_pages;
    } rows[] = {
        {1 << 20, 256, false, 1 << 20, 256, 256},
        {1 << 20, 256, true, 1 << 20, 256, 256},
        {131072, 256, true, 131072, 32, 32},
        {135168, 256, true, 135168, 33, 33},
        {1 << 21, 256, true, 1 << 20, 256, 256},       // the kernel's limit wins
        {1 << 21, 1024, true, 1 << 21, 512, 512},      // a raised limit is used
        {(1 << 20) - 1, 256, true, 1044480, 255, 255}, // never more than asked for
        {5000, 256, false, 4096, 1, 1},
        {0, 256, false, 4096, 1, 1},
        {0, 256, true, 8192, 32, 32}, // small writes, but the payload stays 128 KiB
        {4096, 256, true, 8192, 32, 32},
        {1 << 20, 16, true, 131072, 32, 0}, // limit too low for the ring: MAX_PAGES stays unsaid
        {1 << 20, 16, false, 65536, 16, 16},
        {1 << 20, 0, false, 4096, 1, 1},
        {UINT32_MAX, UINT32_MAX, false, 65535 * 4096, 65535, 65535},
        {UINT32_MAX, 65535, true, 65535 * 4096, 65535, 65535},
    };
    for (const auto& row : rows) {
        Wants wants;
        wants.max_write = row.wanted;
        wants.max_pages_limit = row.limit;
        wants.ring = row.ring;
        const Agreed got = negotiate(modern(), wants);
        ck_assert_msg(got.ring == row.ring && got.max_write == row.max_write &&
                          got.max_pages == row.max_pages && got.out.max_pages == row.sent_pages,
                      "wanted=%u limit=%u ring=%d: max_write=%u max_pages=%u sent=%u", row.wanted, row.limit,
                      row.ring, got.max_write, got.max_pages, got.out.max_pages);
    }
}
END_TEST

START_TEST(without_max_pages_writes_end_at_128_kib)
{
    const Agreed got = sound(offer_of(27, 1ull << 5), {});
    ck_assert_uint_eq(got.max_write, 131072);
    ck_assert_uint_eq(got.max_pages, 32);
    ck_assert(got.flags & kern::INIT_BIG_WRITES);
}
END_TEST

START_TEST(without_big_writes_a_write_is_one_page)
{
    ck_assert_uint_eq(sound(offer_of(8, 0), {}).max_write, 4096);
    ck_assert_uint_eq(sound(offer_of(4, 0), {}).max_write, 4096);
    ck_assert_uint_eq(sound(offer_of(45, kAllFlags & ~(1ull << 5)), {}).max_write, 4096);
}
END_TEST

START_TEST(export_support_needs_the_longer_entry)
{
    Wants wants;
    wants.flags = kern::INIT_EXPORT_SUPPORT;
    ck_assert_uint_eq(sound(offer_of(8, kAllFlags), wants).flags & kern::INIT_EXPORT_SUPPORT, 0);
    ck_assert_uint_ne(sound(offer_of(9, kAllFlags), wants).flags & kern::INIT_EXPORT_SUPPORT, 0);
}
END_TEST

START_TEST(passthrough_needs_depth_and_no_writeback)
{
    Wants wants;
    wants.flags = kern::INIT_PASSTHROUGH;
    ck_assert(!(sound(modern(), wants).flags & kern::INIT_PASSTHROUGH));
    for (uint32_t depth : {1u, 2u, 3u, UINT32_MAX}) {
        wants.max_stack_depth = depth;
        const Agreed got = sound(modern(), wants);
        ck_assert(got.flags & kern::INIT_PASSTHROUGH);
        ck_assert_uint_eq(got.out.max_stack_depth, std::min(depth, 2u));
    }
    wants.flags |= kern::INIT_WRITEBACK_CACHE;
    const Agreed got = sound(modern(), wants);
    ck_assert(got.flags & kern::INIT_WRITEBACK_CACHE);
    ck_assert(!(got.flags & kern::INIT_PASSTHROUGH));
    // A writeback wish that is not granted is no obstacle.
    ck_assert(sound(offer_of(45, kAllFlags & ~kern::INIT_WRITEBACK_CACHE), wants).flags &
              kern::INIT_PASSTHROUGH);
}
END_TEST

START_TEST(idmap_needs_permission_checks_in_the_kernel)
{
    Wants wants;
    wants.flags = kern::INIT_ALLOW_IDMAP;
    ck_assert(!(sound(modern(), wants).flags & kern::INIT_ALLOW_IDMAP));
    wants.default_permissions = true;
    ck_assert(sound(modern(), wants).flags & kern::INIT_ALLOW_IDMAP);
    wants.default_permissions = false;
    wants.flags |= kern::INIT_POSIX_ACL;
    ck_assert(sound(modern(), wants).flags & kern::INIT_ALLOW_IDMAP);
    ck_assert(
        !(sound(offer_of(45, kAllFlags & ~kern::INIT_POSIX_ACL), wants).flags & kern::INIT_ALLOW_IDMAP));
}
END_TEST

START_TEST(readahead_is_the_smaller_one)
{
    Wants wants;
    ck_assert_uint_eq(sound(modern(), wants).out.max_readahead, 131072);
    wants.max_readahead = 4096;
    ck_assert_uint_eq(sound(modern(), wants).out.max_readahead, 4096);
    wants.max_readahead = 0;
    ck_assert_uint_eq(sound(modern(), wants).out.max_readahead, 0);
}
END_TEST

START_TEST(background_limits_are_filled_in_and_bounded)
{
    const struct {
        uint16_t background;
        uint16_t congestion;
        uint16_t want_congestion;
    } rows[] = {{0, 0, 0}, {100, 0, 75},      {100, 50, 50}, {100, 200, 100},
                {0, 9, 9}, {65535, 0, 49151}, {1, 0, 0}};
    for (const auto& row : rows) {
        Wants wants;
        wants.max_background = row.background;
        wants.congestion_threshold = row.congestion;
        const Agreed got = sound(modern(), wants);
        ck_assert_uint_eq(got.out.max_background, row.background);
        ck_assert_uint_eq(got.out.congestion_threshold, row.want_congestion);
        ck_assert_uint_eq(sound(offer_of(12, kAllFlags), wants).out.max_background, 0);
        ck_assert_uint_eq(sound(offer_of(12, kAllFlags), wants).out.congestion_threshold, 0);
    }
}
END_TEST

START_TEST(time_granularity_stays_within_a_second)
{
    Wants wants;
    for (uint32_t gran : {1u, 1000000000u}) {
        wants.time_gran = gran;
        ck_assert_uint_eq(sound(modern(), wants).out.time_gran, gran);
    }
    for (uint32_t gran : {0u, 1000000001u, UINT32_MAX}) {
        wants.time_gran = gran;
        ck_assert_uint_eq(sound(modern(), wants).out.time_gran, 0);
    }
}
END_TEST

START_TEST(a_request_timeout_needs_the_offer)
{
    Wants wants;
    wants.request_timeout = 60;
    ck_assert_uint_eq(sound(modern(), wants).out.request_timeout, 60);
    ck_assert_uint_eq(sound(offer_of(45, kAllFlags & ~(1ull << 42)), wants).out.request_timeout, 0);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        // exhaustive
        every_minor_with_everything_is_sound,
        every_flag_alone_is_agreed_if_offered_and_not_otherwise,
        every_pair_of_flags_is_sound,
        random_offers_and_wants_are_sound,
        // examples
        an_older_major_is_refused,
        a_message_without_a_version_is_refused,
        a_newer_major_gets_our_version_and_nothing_else,
        the_reply_never_exceeds_the_kernels_minor,
        high_flags_count_only_beside_init_ext,
        a_hand_made_offer_without_ext_gets_no_high_flags,
        the_ring_needs_both_sides,
        max_write_and_max_pages_agree,
        without_max_pages_writes_end_at_128_kib,
        without_big_writes_a_write_is_one_page,
        export_support_needs_the_longer_entry,
        passthrough_needs_depth_and_no_writeback,
        idmap_needs_permission_checks_in_the_kernel,
        readahead_is_the_smaller_one,
        background_limits_are_filled_in_and_bounded,
        time_granularity_stays_within_a_second,
        a_request_timeout_needs_the_offer,
    };
    return rf::test::run_tests("init", tests);
}
