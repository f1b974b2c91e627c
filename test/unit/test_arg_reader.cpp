// The cursor over request bodies: bounds, the seam between two pieces, and staying failed.
#include "check/runner.hpp"
#include "proto/arg_reader.hpp"

#include <array>
#include <cstdint>
#include <string_view>

using rf::ArgReader;

namespace {

struct Pair {
    uint32_t first;
    uint32_t second;
};

std::span<const std::byte> bytes(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

constexpr std::string_view kEight("\1\0\0\0\2\0\0\0", 8);

} // namespace

START_TEST(a_struct_is_copied_whole)
{
    ArgReader args(bytes(kEight));
    Pair out;
    ck_assert(args.read_struct(out));
    ck_assert_uint_eq(out.first, 1);
    ck_assert_uint_eq(out.second, 2);
    ck_assert_uint_eq(args.remaining(), 0);
    ck_assert(args.ok());
}
END_TEST

START_TEST(a_short_struct_gets_a_zero_tail)
{
    ArgReader args(bytes(kEight));
    Pair out{7, 7};
    ck_assert(args.read_struct(out, 4));
    ck_assert_uint_eq(out.first, 1);
    ck_assert_uint_eq(out.second, 0);
    ck_assert_uint_eq(args.remaining(), 4);
}
END_TEST

START_TEST(a_struct_of_no_bytes_is_all_zero_and_no_failure)
{
    ArgReader args({});
    Pair out{7, 7};
    ck_assert(args.read_struct(out, 0));
    ck_assert_uint_eq(out.first, 0);
    ck_assert(args.ok());
}
END_TEST

START_TEST(a_missing_byte_fails_and_zeroes_the_struct)
{
    ArgReader args(bytes(kEight.substr(0, 7)));
    Pair out{7, 7};
    ck_assert(!args.read_struct(out));
    ck_assert_uint_eq(out.first, 0);
    ck_assert_uint_eq(out.second, 0);
    ck_assert(!args.ok());
}
END_TEST

START_TEST(more_wire_bytes_than_the_struct_has_fails)
{
    ArgReader args(bytes(kEight));
    uint32_t out = 7;
    ck_assert(!args.read_struct(out, 5));
    ck_assert_uint_eq(out, 0);
}
END_TEST

START_TEST(a_failed_reader_stays_failed)
{
    ArgReader args(bytes("ab"));
    Pair pair;
    ck_assert(!args.read_struct(pair));
    char one;
    ck_assert(!args.read_struct(one));
    ck_assert(!args.read_struct(one, 0));
    ck_assert_ptr_null(args.read_name());
    ck_assert(args.read_bytes(1).empty());
    ck_assert(args.read_bytes(0).data() == nullptr);
    ck_assert(!args.ok());
}
END_TEST

START_TEST(no_struct_straddles_two_pieces)
{
    ArgReader args(bytes(kEight.substr(0, 4)), bytes(kEight.substr(4)));
    ck_assert_uint_eq(args.remaining(), 4);
    Pair out;
    ck_assert(!args.read_struct(out));
}
END_TEST

START_TEST(the_second_piece_follows_a_finished_first)
{
    ArgReader args(bytes(kEight.substr(0, 4)), bytes(std::string_view("name\0xy", 7)));
    uint32_t out;
    ck_assert(args.read_struct(out));
    ck_assert_uint_eq(args.remaining(), 7);
    ck_assert_str_eq(args.read_name(), "name");
    const std::span<const std::byte> data = args.read_bytes(2);
    ck_assert_mem_eq(data.data(), "xy", 2);
    ck_assert(args.ok());
}
END_TEST

START_TEST(an_empty_first_piece_is_skipped)
{
    ArgReader args({}, bytes(std::string_view("name\0", 5)));
    ck_assert_uint_eq(args.remaining(), 5);
    ck_assert_str_eq(args.read_name(), "name");
}
END_TEST

START_TEST(a_name_never_continues_in_the_second_piece)
{
    ArgReader args(bytes("na"), bytes(std::string_view("me\0", 3)));
    ck_assert_ptr_null(args.read_name());
    ck_assert(!args.ok());
}
END_TEST

START_TEST(a_name_without_nul_fails)
{
    ArgReader args(bytes("name"));
    ck_assert_ptr_null(args.read_name());
    ck_assert(!args.ok());
}
END_TEST

START_TEST(a_name_in_nothing_fails)
{
    ArgReader args({});
    ck_assert_ptr_null(args.read_name());
    ck_assert(!args.ok());
}
END_TEST

START_TEST(names_may_be_empty_or_any_bytes)
{
    ArgReader args(bytes(std::string_view("\0\xff/\n\0", 5)));
    ck_assert_str_eq(args.read_name(), "");
    ck_assert_str_eq(args.read_name(), "\xff/\n");
    ck_assert_uint_eq(args.remaining(), 0);
}
END_TEST

START_TEST(reading_no_bytes_always_works)
{
    ArgReader args({});
    ck_assert(args.read_bytes(0).empty());
    ck_assert(args.ok());
}
END_TEST

START_TEST(a_huge_count_fails_without_wrapping)
{
    ArgReader args(bytes(kEight));
    ck_assert(args.read_bytes(SIZE_MAX).empty());
    ck_assert(!args.ok());
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        a_struct_is_copied_whole,
        a_short_struct_gets_a_zero_tail,
        a_struct_of_no_bytes_is_all_zero_and_no_failure,
        a_missing_byte_fails_and_zeroes_the_struct,
        more_wire_bytes_than_the_struct_has_fails,
        a_failed_reader_stays_failed,
        no_struct_straddles_two_pieces,
        the_second_piece_follows_a_finished_first,
        an_empty_first_piece_is_skipped,
        a_name_never_continues_in_the_second_piece,
        a_name_without_nul_fails,
        a_name_in_nothing_fails,
        names_may_be_empty_or_any_bytes,
        reading_no_bytes_always_works,
        a_huge_count_fails_without_wrapping,
    };
    return rf::test::run_tests("arg_reader", tests);
}
