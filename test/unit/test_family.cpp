// Which binary layout is chosen from which signs, and what each layout makes of the structures that differ.
// Longer than other tests: both halves need the same four layouts spelled out byte by byte.
#include "buf/copy.hpp"
#include "family/choose.hpp"
#include "family/evidence.hpp"
#include "family/layout.hpp"
#include "family/library.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <array>
#include <cstdlib>
#include <fuse.h>
#include <fuse_lowlevel.h>

using namespace rf::family;

namespace {

constexpr std::array kAll{Family::kA, Family::kB, Family::kC, Family::kD};
constexpr std::size_t kLowLevel3_16 = 352; // also the size of 3.8 to 3.15

/// What libfuse3.so.3 knows of a program that gives no sign.
Evidence generation_3()
{
    Evidence evidence;
    evidence.op_size = kLowLevel3_16;
    evidence.needs.generation_3 = true;
    evidence.library_default = Family::kB;
    return evidence;
}

void expect(const Evidence& evidence, Family family, Reason reason)
{
    const std::optional<Choice> choice = choose(evidence);
    ck_assert(choice.has_value());
    ck_assert_str_eq(letter(choice->family), letter(family));
    ck_assert_int_eq(static_cast<int>(choice->reason), static_cast<int>(reason));
}

void become(Family family)
{
    current_family.store(family);
}

std::int32_t int_at(const void* object, std::size_t offset)
{
    std::int32_t value = 0;
    std::memcpy(&value, static_cast<const std::byte*>(object) + offset, sizeof(value));
    return value;
}

template <class T>
void put_at(void* object, std::size_t offset, T value)
{
    std::memcpy(static_cast<std::byte*>(object) + offset, &value, sizeof(value));
}

} // namespace

START_TEST(a_program_without_signs_gets_the_layout_of_the_build)
{
    Evidence evidence = generation_3();
    expect(evidence, Family::kB, Reason::kBuildDefault);
    evidence.build_default = Family::kC;
    expect(evidence, Family::kC, Reason::kBuildDefault);
}
END_TEST

START_TEST(the_installed_library_beats_the_default_of_the_build)
{
    Evidence evidence = generation_3();
    evidence.host = Release{3, 16, 2};
    expect(evidence, Family::kC, Reason::kHost);
    evidence.host = Release{3, 10, 5};
    expect(evidence, Family::kA, Reason::kHost);
}
END_TEST

START_TEST(a_need_of_3_12_rules_layout_A_out)
{
    Evidence evidence = generation_3();
    evidence.host = Release{3, 10, 5};
    evidence.needs.node_3_12 = true;
    expect(evidence, Family::kB, Reason::kBuildDefault);
    evidence.build_default = Family::kA;
    expect(evidence, Family::kB, Reason::kBuildDefault);
}
END_TEST

START_TEST(a_versioned_entry_point_means_D_whatever_else_is_seen)
{
    Evidence evidence = generation_3();
    evidence.versioned_entry = true;
    evidence.host = Release{3, 16, 2};
    evidence.op_size = 8;
    expect(evidence, Family::kD, Reason::kEntryPoint);
}
END_TEST

START_TEST(the_environment_beats_everything)
{
    Evidence evidence = generation_3();
    evidence.versioned_entry = true;
    evidence.asked = "A";
    expect(evidence, Family::kA, Reason::kAsked);
    evidence.asked = "D";
    evidence.versioned_entry = false;
    expect(evidence, Family::kD, Reason::kAsked);
}
END_TEST

START_TEST(only_the_four_letters_name_a_layout)
{
    Evidence evidence = generation_3();
    for (const char* word : {"", "E", "a", "AB", "3"}) {
        evidence.asked = word;
        ck_assert_msg(!choose(evidence).has_value(), "%s", word);
    }
}
END_TEST

START_TEST(operations_smaller_than_3_8_mean_A)
{
    Evidence evidence = generation_3();
    evidence.host = Release{3, 14, 0};
    evidence.op_size = 344;
    expect(evidence, Family::kA, Reason::kOperations);
    evidence.table = Table::kHighLevel;
    evidence.op_size = 328;
    expect(evidence, Family::kA, Reason::kOperations);
    evidence.op_size = 336;
    expect(evidence, Family::kB, Reason::kHost);
}
END_TEST

START_TEST(operations_larger_than_3_16_mean_D)
{
    Evidence evidence = generation_3();
    evidence.op_size = 360;
    expect(evidence, Family::kD, Reason::kOperations);
    evidence.table = Table::kHighLevel;
    evidence.op_size = 344;
    expect(evidence, Family::kD, Reason::kOperations);
}
END_TEST

START_TEST(a_session_without_operations_says_nothing_by_their_size)
{
    Evidence evidence = generation_3();
    evidence.op_size = 0;
    expect(evidence, Family::kB, Reason::kBuildDefault);
    evidence.table = Table::kCuse;
    evidence.op_size = 88;
    expect(evidence, Family::kB, Reason::kBuildDefault);
}
END_TEST

START_TEST(raw_names_in_a_library_of_3_17_mean_D)
{
    Evidence evidence;
    evidence.op_size = kLowLevel3_16;
    expect(evidence, Family::kD, Reason::kLibrary);
    evidence.needs.generation_4 = true;
    expect(evidence, Family::kD, Reason::kNeeds);
}
END_TEST

START_TEST(an_old_program_is_recognised_in_a_new_library)
{
    Evidence evidence;
    evidence.op_size = kLowLevel3_16;
    evidence.needs.generation_3 = true;
    evidence.host = Release{3, 16, 2};
    expect(evidence, Family::kC, Reason::kHost);
}
END_TEST

START_TEST(releases_fall_into_their_families)
{
    ck_assert(family_of({3, 0, 0}) == Family::kA);
    ck_assert(family_of({3, 10, 5}) == Family::kA);
    ck_assert(family_of({3, 11, 0}) == Family::kB);
    ck_assert(family_of({3, 14, 0}) == Family::kB);
    ck_assert(family_of({3, 14, 1}) == Family::kC);
    ck_assert(family_of({3, 16, 2}) == Family::kC);
    ck_assert(family_of({3, 17, 1}) == Family::kD);
}
END_TEST

START_TEST(a_file_name_tells_the_release)
{
    const std::optional<Release> release = release_in_name("libfuse3.so.3.14.0");
    ck_assert(release && release->major == 3 && release->minor == 14 && release->patch == 0);
    for (const char* other : {"libfuse3.so.3", "libfuse3.so.3.", "libfuse3.so.3.14", "libfuse3.so.3.14.",
                              "libfuse3.so.3.14.0.1", "libfuse3.so.4.17.1", "libfuse.so.2.9.9", "", "3.14.0"})
        ck_assert_msg(!release_in_name(other), "%s", other);
}
END_TEST

START_TEST(needs_are_counted_by_library_and_node)
{
    Needs needs;
    add_need(needs, "libc.so.6", "GLIBC_2.34");
    ck_assert(!needs.generation_3 && !needs.generation_4 && !needs.node_3_12);
    add_need(needs, "libfuse3.so.3", "FUSE_3.0");
    ck_assert(needs.generation_3 && !needs.generation_4 && !needs.node_3_12);
    add_need(needs, "libfuse3.so.3", "FUSE_3.12");
    ck_assert(needs.node_3_12 && !needs.generation_4);
    needs = {};
    add_need(needs, "libfuse3.so.3", "FUSE_3.17.3");
    ck_assert(needs.generation_3 && needs.generation_4);
    needs = {};
    add_need(needs, "libfuse3.so.4", "FUSE_3.12");
    ck_assert(needs.generation_4 && !needs.generation_3 && !needs.node_3_12);
    needs = {};
    add_need(needs, "libringfuse.so.1", "FUSE_3.0");
    ck_assert(needs.generation_4 && !needs.generation_3);
}
END_TEST

START_TEST(this_program_needs_no_libfuse3)
{
    // It links the core itself; what is read here are the real tables of this process.
    const Needs needs = needs_of_process();
    ck_assert(!needs.generation_3 && !needs.generation_4);
}
END_TEST

START_TEST(the_first_latch_wins)
{
    ck_assert_int_eq(::unsetenv("RINGFUSE_ABI"), 0);
    log_capture::start();
    ck_assert_str_eq(reason(), "not chosen yet");
    ck_assert_int_eq(latch(nullptr, Table::kLowLevel, 300), 0);
    ck_assert_str_eq(letter(current()), "A");
    ck_assert_str_eq(reason(), "size of the operations");
    ck_assert_int_eq(latch(nullptr, Table::kLowLevel, sizeof(fuse_lowlevel_ops)), 0);
    ck_assert_str_eq(letter(current()), "A");
    ck_assert(log_capture::is_empty());
    // The two layouts cannot both be served.
    const libfuse_version newer{3, 18, 0, 0};
    ck_assert_int_eq(latch(&newer, Table::kLowLevel, sizeof(fuse_lowlevel_ops)), 0);
    ck_assert_str_eq(letter(current()), "A");
    ck_assert(log_capture::contains("RINGFUSE_ABI=D"));
}
END_TEST

START_TEST(a_version_of_zeros_is_an_old_entry_point)
{
    ck_assert_int_eq(::unsetenv("RINGFUSE_ABI"), 0);
    const libfuse_version unknown{};
    ck_assert_int_eq(latch(&unknown, Table::kHighLevel, 320), 0);
    ck_assert_str_eq(letter(current()), "A");
}
END_TEST

START_TEST(a_wrong_letter_in_the_environment_is_refused)
{
    ck_assert_int_eq(::setenv("RINGFUSE_ABI", "E", 1), 0);
    log_capture::start();
    ck_assert_int_eq(latch(nullptr, Table::kLowLevel, 0), -EINVAL);
    ck_assert(log_capture::contains("RINGFUSE_ABI=E"));
    ck_assert_str_eq(reason(), "not chosen yet");
}
END_TEST

START_TEST(the_release_we_pass_for_follows_the_family)
{
    struct Row {
        const char* asked;
        std::uint32_t minor;
    };
    constexpr std::array kRows{Row{"A", 10}, Row{"B", 14}, Row{"C", 16}, Row{"D", 19}};
    for (const Row& row : kRows) {
        ck_assert_int_eq(::setenv("RINGFUSE_ABI", row.asked, 1), 0);
        ck_assert_uint_eq(emulated_release().minor, row.minor);
        ck_assert_uint_eq(static_cast<unsigned>(fuse_version()), 300 + row.minor);
        ck_assert_str_eq(reason(), "not chosen yet");
    }
}
END_TEST

START_TEST(file_bits_lie_where_each_family_has_them)
{
    // Masks in the word at offset 4, in the order of FileBit.
    constexpr std::array<std::array<std::uint32_t, 6>, 4> kMasks{{
        {0x08, 0x10, 0x20, 0x40, 0, 0},
        {0x08, 0x10, 0x20, 0x40, 0x80, 0},
        {0x10, 0x20, 0x40, 0x80, 0x100, 0x08},
        {0x08, 0x10, 0x20, 0x40, 0x80, 0x100},
    }};
    for (const Family family : kAll) {
        become(family);
        for (std::size_t i = 0; i < 6; ++i) {
            const auto bit = static_cast<FileBit>(i);
            const std::uint32_t mask = kMasks[static_cast<std::size_t>(family)][i];
            fuse_file_info fi{};
            set(fi, bit);
            ck_assert_uint_eq(static_cast<std::uint32_t>(int_at(&fi, 4)), mask);
            ck_assert_int_eq(has(fi, bit), mask != 0);
            put_at(&fi, 4, ~mask);
            ck_assert(!has(fi, bit));
            put_at(&fi, 4, ~0u);
            set(fi, bit, false);
            ck_assert_uint_eq(static_cast<std::uint32_t>(int_at(&fi, 4)), ~mask);
        }
    }
}
END_TEST

START_TEST(in_our_own_layout_the_bits_are_the_members)
{
    become(Family::kD);
    fuse_file_info fi{};
    fi.noflush = 1;
    fi.cache_readdir = 1;
    ck_assert(has(fi, FileBit::kNoflush) && has(fi, FileBit::kCacheReaddir));
    ck_assert(!has(fi, FileBit::kFlush) && !has(fi, FileBit::kParallelDirectWrites));
    set(fi, FileBit::kParallelDirectWrites);
    ck_assert(fi.parallel_direct_writes);
}
END_TEST

START_TEST(a_backing_id_exists_in_D_alone)
{
    fuse_file_info fi{};
    fi.backing_id = 5;
    for (const Family family : kAll) {
        become(family);
        ck_assert_int_eq(backing_id(fi), family == Family::kD ? 5 : 0);
    }
}
END_TEST

START_TEST(lists_of_buffers_are_walked_with_the_stride_of_the_family)
{
    for (const Family family : kAll) {
        become(family);
        const std::size_t stride = family == Family::kD ? 48 : 40;
        // Exactly the memory an application would have allocated, so that a sanitizer sees a step beyond it.
        void* memory = std::calloc(1, 24 + 3 * stride);
        ck_assert_ptr_nonnull(memory);
        auto* list = static_cast<fuse_bufvec*>(memory);
        put_at(memory, 0, std::size_t{3});
        char text[] = "abcdef";
        for (std::size_t i = 0; i < 3; ++i) {
            put_at(memory, 24 + i * stride, i + 1);
            put_at(memory, 24 + i * stride + 16, &text[i * (i + 1) / 2]);
        }
        ck_assert_uint_eq(rf::buf::size(*list), 6);
        char to[7] = "";
        fuse_bufvec target = FUSE_BUFVEC_INIT(6);
        target.buf[0].mem = to;
        ck_assert_int_eq(rf::buf::copy(target, *list, static_cast<fuse_buf_copy_flags>(0)), 6);
        ck_assert_str_eq(to, "abcdef");
        std::free(memory);
    }
}
END_TEST

START_TEST(old_families_keep_their_hands_off_the_new_half_of_the_connection)
{
    for (const Family family : kAll) {
        become(family);
        fuse_conn_info offered{};
        offered.want = 1;
        offered.want_ext = 2;
        offered.request_timeout = 3;
        fuse_conn_info conn;
        std::memset(&conn, 0xee, sizeof(conn));
        conn.want = 7;
        take_conn(conn, offered);
        ck_assert_uint_eq(conn.want, 7);
        const bool is_new = family == Family::kD;
        ck_assert_int_eq(conn.want_ext == 2, !is_new);
        ck_assert_int_eq(conn.request_timeout == 3, !is_new);
        ck_assert_int_eq(conn.no_interrupt, 0);
    }
}
END_TEST

START_TEST(the_configuration_is_presented_in_the_family_s_layout_and_read_back)
{
    struct Offsets {
        int no_rofd_flush, ac_set, ac, nullpath, pdw, show_help, modules, debug;
    };
    constexpr std::array<Offsets, 4> kOffsets{{
        {-1, 84, 88, 96, -1, 100, 104, 112},
        {84, 88, 96, 104, -1, 108, 112, 120},
        {84, 88, 96, 104, 108, 112, 120, 128},
        {124, 84, 88, 96, 128, 100, 104, 112},
    }};
    char modules[] = "subdir";
    char other[] = "iconv";
    for (const Family family : kAll) {
        become(family);
        const Offsets& at = kOffsets[static_cast<std::size_t>(family)];
        fuse_config ours{};
        ours.set_gid = 1;
        ours.attr_timeout = 1.5;
        ours.auto_cache = 2;
        ours.no_rofd_flush = 3;
        ours.ac_attr_timeout_set = 4;
        ours.ac_attr_timeout = 2.5;
        ours.nullpath_ok = 5;
        ours.parallel_direct_writes = 6;
        ours.show_help = 7;
        ours.modules = modules;
        ours.debug = 8;
        ours.fmask = 9;

        ConfigForApplication application(ours);
        std::byte* theirs = reinterpret_cast<std::byte*>(application.get());
        ck_assert_int_eq(int_at(theirs, 0), 1);
        ck_assert_int_eq(int_at(theirs, 80), 2);
        ck_assert_int_eq(int_at(theirs, at.ac_set), 4);
        ck_assert_int_eq(int_at(theirs, at.nullpath), 5);
        ck_assert_int_eq(int_at(theirs, at.show_help), 7);
        ck_assert_int_eq(int_at(theirs, at.debug), 8);
        if (at.no_rofd_flush >= 0)
            ck_assert_int_eq(int_at(theirs, at.no_rofd_flush), 3);
        if (at.pdw >= 0)
            ck_assert_int_eq(int_at(theirs, at.pdw), 6);
        ck_assert_int_eq(config_word(*application.get(), ConfigWord::kNullpathOk), 5);
        double timeout = 0;
        std::memcpy(&timeout, theirs + at.ac, sizeof(timeout));
        ck_assert(timeout == 2.5);

        put_at(theirs, 0, 11);
        put_at(theirs, 40, 3.5);
        put_at(theirs, at.ac_set, 14);
        put_at(theirs, at.ac, 4.5);
        set_config_word(*application.get(), ConfigWord::kNullpathOk, 15);
        put_at(theirs, at.modules, other);
        if (at.no_rofd_flush >= 0)
            put_at(theirs, at.no_rofd_flush, 13);
        if (at.pdw >= 0)
            put_at(theirs, at.pdw, 16);
        application.read_back();
        ck_assert_int_eq(ours.set_gid, 11);
        ck_assert(ours.attr_timeout == 3.5);
        ck_assert_int_eq(ours.ac_attr_timeout_set, 14);
        ck_assert(ours.ac_attr_timeout == 4.5);
        ck_assert_int_eq(ours.nullpath_ok, 15);
        ck_assert_str_eq(ours.modules, "iconv");
        // What a family lacks keeps its value.
        ck_assert_int_eq(ours.no_rofd_flush, at.no_rofd_flush >= 0 ? 13 : 3);
        ck_assert_int_eq(ours.parallel_direct_writes, at.pdw >= 0 ? 16 : 6);
        ck_assert_int_eq(static_cast<int>(ours.fmask), 9);
    }
}
END_TEST

START_TEST(an_application_may_clear_the_configuration_by_its_own_size)
{
    for (const Family family : {Family::kA, Family::kB, Family::kC}) {
        become(family);
        fuse_config ours{};
        ours.fmask = 9;
        ours.nullpath_ok = 1;
        ConfigForApplication application(ours);
        std::memset(static_cast<void*>(application.get()), 0, 520);
        application.read_back();
        ck_assert_int_eq(ours.nullpath_ok, 0);
        ck_assert_int_eq(static_cast<int>(ours.fmask), 9);
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        // the choice
        a_program_without_signs_gets_the_layout_of_the_build,
        the_installed_library_beats_the_default_of_the_build,
        a_need_of_3_12_rules_layout_A_out,
        a_versioned_entry_point_means_D_whatever_else_is_seen,
        the_environment_beats_everything,
        only_the_four_letters_name_a_layout,
        operations_smaller_than_3_8_mean_A,
        operations_larger_than_3_16_mean_D,
        a_session_without_operations_says_nothing_by_their_size,
        raw_names_in_a_library_of_3_17_mean_D,
        an_old_program_is_recognised_in_a_new_library,
        releases_fall_into_their_families,
        a_file_name_tells_the_release,
        needs_are_counted_by_library_and_node,
        this_program_needs_no_libfuse3,
        the_first_latch_wins,
        a_version_of_zeros_is_an_old_entry_point,
        a_wrong_letter_in_the_environment_is_refused,
        the_release_we_pass_for_follows_the_family,
        // the layouts
        file_bits_lie_where_each_family_has_them,
        in_our_own_layout_the_bits_are_the_members,
        a_backing_id_exists_in_D_alone,
        lists_of_buffers_are_walked_with_the_stride_of_the_family,
        old_families_keep_their_hands_off_the_new_half_of_the_connection,
        the_configuration_is_presented_in_the_family_s_layout_and_read_back,
        an_application_may_clear_the_configuration_by_its_own_size,
    };
    return rf::test::run_tests("family", tests);
}
