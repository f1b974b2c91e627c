// Pages mapped twice, for the kernel and for us, and parted.
#include "base/memory.hpp"
#include "check/runner.hpp"

#include <cstring>

using namespace rf;

namespace {

constexpr std::size_t kBytes = 64 * 1024;

bool all(std::span<const std::byte> bytes, unsigned char value)
{
    for (const std::byte byte : bytes) {
        if (byte != std::byte{value})
            return false;
    }
    return true;
}

} // namespace

START_TEST(both_views_show_the_same_bytes)
{
    TwinMapping twins;
    ck_assert_int_eq(twins.map(kBytes), 0);
    ck_assert_uint_eq(twins.kernels().size(), kBytes);
    ck_assert_ptr_ne(twins.kernels().data(), twins.ours().data());
    std::memset(twins.kernels().data(), 1, kBytes);
    ck_assert(all(twins.ours(), 1));
    std::memset(twins.ours().data(), 2, kBytes);
    ck_assert(all(twins.kernels(), 2));
}
END_TEST

START_TEST(the_old_view_keeps_its_bytes_after_a_renewal)
{
    TwinMapping twins;
    ck_assert_int_eq(twins.map(kBytes), 0);
    std::memset(twins.ours().data(), 1, kBytes);
    const std::byte* const registered = twins.kernels().data();
    const std::byte* const before = twins.ours().data();
    MappedMemory old;
    ck_assert_int_eq(twins.renew(old), 0);
    // The kernel's address must not change; who reads the old pages finds them where they were.
    ck_assert_ptr_eq(twins.kernels().data(), registered);
    ck_assert_ptr_eq(old.bytes().data(), before);
    ck_assert_ptr_ne(twins.ours().data(), before);
    ck_assert(all(twins.ours(), 0));
    std::memset(twins.kernels().data(), 3, kBytes);
    ck_assert(all(old.bytes(), 1));
    ck_assert(all(twins.ours(), 3));
}
END_TEST

START_TEST(pages_given_back_read_as_zeros_in_both_views)
{
    TwinMapping twins;
    ck_assert_int_eq(twins.map(kBytes), 0);
    std::memset(twins.ours().data(), 7, kBytes);
    twins.give_back(16384);
    ck_assert(all(twins.ours().first(16384), 7));
    ck_assert(all(twins.ours().subspan(16384), 0));
    ck_assert(all(twins.kernels().subspan(16384), 0));
    twins.give_back(kBytes); // nothing
    ck_assert(all(twins.ours().first(16384), 7));
}
END_TEST

START_TEST(a_mapping_that_cannot_be_had_is_an_error)
{
    TwinMapping twins;
    ck_assert_int_lt(twins.map(std::size_t{1} << 60), 0);
    ck_assert(twins.ours().empty());
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        both_views_show_the_same_bytes,
        the_old_view_keeps_its_bytes_after_a_renewal,
        pages_given_back_read_as_zeros_in_both_views,
        a_mapping_that_cannot_be_had_is_an_error,
    };
    return rf::test::run_tests("memory", tests);
}
