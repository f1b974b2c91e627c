// Directory records and IOCTL retry vectors, byte for byte.
#include "check/runner.hpp"
#include "proto/encode.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

using namespace rf;

namespace {

constexpr std::byte kUntouched{0xaa};

std::vector<std::byte> buffer_of(size_t bytes)
{
    return std::vector<std::byte>(bytes, kUntouched);
}

bool untouched(std::span<const std::byte> bytes)
{
    for (std::byte each : bytes)
        if (each != kUntouched)
            return false;
    return true;
}

struct iovec area(uintptr_t base, size_t bytes)
{
    return {reinterpret_cast<void*>(base), bytes};
}

} // namespace

START_TEST(record_sizes_are_multiples_of_eight)
{
    const struct {
        size_t namelen;
        size_t plain;
        size_t plus;
    } rows[] = {{0, 24, 152}, {1, 32, 160}, {8, 32, 160}, {9, 40, 168}, {255, 280, 408}};
    for (const auto& row : rows) {
        ck_assert_uint_eq(dirent_bytes(row.namelen), row.plain);
        ck_assert_uint_eq(dirent_plus_bytes(row.namelen), row.plus);
    }
}
END_TEST

START_TEST(a_record_is_header_name_and_zeroes)
{
    std::vector<std::byte> buffer = buffer_of(48);
    ck_assert_uint_eq(add_dirent(buffer, "abc", 7, S_IFDIR | 0755, 99), 32);
    kern::fuse_dirent head;
    std::memcpy(&head, buffer.data(), sizeof(head));
    ck_assert_uint_eq(head.ino, 7);
    ck_assert_uint_eq(head.off, 99);
    ck_assert_uint_eq(head.namelen, 3);
    ck_assert_uint_eq(head.type, 4); // DT_DIR
    ck_assert_mem_eq(buffer.data() + 24, "abc\0\0\0\0\0", 8);
    ck_assert(untouched(std::span(buffer).subspan(32)));
}
END_TEST

START_TEST(every_file_type_has_its_number)
{
    const struct {
        mode_t mode;
        uint32_t type;
    } rows[] = {{S_IFIFO, 1},  {S_IFCHR, 2},   {S_IFDIR, 4}, {S_IFBLK, 6}, {S_IFREG, 8},
                {S_IFLNK, 10}, {S_IFSOCK, 12}, {0, 0},       {07777, 0}};
    for (const auto& row : rows) {
        std::vector<std::byte> buffer = buffer_of(32);
        ck_assert_uint_eq(add_dirent(buffer, "x", 1, row.mode, 0), 32);
        kern::fuse_dirent head;
        std::memcpy(&head, buffer.data(), sizeof(head));
        ck_assert_uint_eq(head.type, row.type);
    }
}
END_TEST

START_TEST(a_record_that_does_not_fit_is_only_measured)
{
    const std::string name(255, 'n');
    for (size_t room = 0; room < 280; ++room) {
        std::vector<std::byte> buffer = buffer_of(room);
        ck_assert_uint_eq(add_dirent(buffer, name.c_str(), 1, S_IFREG, 1), 280);
        ck_assert(untouched(buffer));
    }
    std::vector<std::byte> exact = buffer_of(280);
    ck_assert_uint_eq(add_dirent(exact, name.c_str(), 1, S_IFREG, 1), 280);
    ck_assert_mem_eq(exact.data() + 24, name.data(), 255);
    ck_assert(exact.back() == std::byte{0});
    ck_assert_uint_eq(add_dirent({}, name.c_str(), 1, S_IFREG, 1), 280);
}
END_TEST

START_TEST(a_plus_record_starts_with_the_entry)
{
    kern::fuse_entry_out entry{};
    entry.nodeid = 42;
    entry.attr.ino = 43;
    std::vector<std::byte> buffer = buffer_of(168);
    ck_assert_uint_eq(add_dirent_plus(buffer, "abc", 7, S_IFLNK, 99, entry), 160);
    ck_assert_mem_eq(buffer.data(), &entry, sizeof(entry));
    kern::fuse_dirent head;
    std::memcpy(&head, buffer.data() + 128, sizeof(head));
    ck_assert_uint_eq(head.ino, 7);
    ck_assert_uint_eq(head.off, 99);
    ck_assert_uint_eq(head.namelen, 3);
    ck_assert_uint_eq(head.type, 10); // DT_LNK
    ck_assert_mem_eq(buffer.data() + 152, "abc\0\0\0\0\0", 8);
    ck_assert(untouched(std::span(buffer).subspan(160)));
}
END_TEST

START_TEST(a_plus_record_that_does_not_fit_is_only_measured)
{
    std::vector<std::byte> buffer = buffer_of(159);
    ck_assert_uint_eq(add_dirent_plus(buffer, "abc", 7, S_IFLNK, 99, {}), 160);
    ck_assert(untouched(buffer));
}
END_TEST

START_TEST(a_retry_lists_in_before_out)
{
    const struct iovec in[] = {area(0x1000, 8), area(0x2000, 16)};
    const struct iovec out[] = {area(0x3000, 24)};
    for (uint32_t minor : {15u, 16u, 45u}) { // on 64-bit machines both forms are the same bytes
        std::vector<std::byte> buffer = buffer_of(kIoctlRetryMaxBytes);
        ck_assert_int_eq(encode_ioctl_retry(minor, in, out, buffer), 16 + 3 * 16);
        kern::fuse_ioctl_out head;
        std::memcpy(&head, buffer.data(), sizeof(head));
        ck_assert_int_eq(head.result, 0);
        ck_assert_uint_eq(head.flags, kern::kIoctlRetry);
        ck_assert_uint_eq(head.in_iovs, 2);
        ck_assert_uint_eq(head.out_iovs, 1);
        const uint64_t want[] = {0x1000, 8, 0x2000, 16, 0x3000, 24};
        ck_assert_mem_eq(buffer.data() + 16, want, sizeof(want));
        ck_assert(untouched(std::span(buffer).subspan(64)));
    }
}
END_TEST

START_TEST(a_retry_may_ask_for_nothing)
{
    std::array<std::byte, 16> buffer{};
    ck_assert_int_eq(encode_ioctl_retry(45, {}, {}, buffer), 16);
}
END_TEST

START_TEST(a_retry_takes_256_vectors_and_no_more)
{
    const std::vector<struct iovec> many(257, area(0x1000, 1));
    const std::span<const struct iovec> all(many);
    std::vector<std::byte> buffer = buffer_of(kIoctlRetryMaxBytes + 64);
    ck_assert_int_eq(encode_ioctl_retry(45, all.first(256), {}, buffer), int{kIoctlRetryMaxBytes});
    ck_assert_int_eq(encode_ioctl_retry(45, all.first(128), all.first(128), buffer),
                     int{kIoctlRetryMaxBytes});
    ck_assert_int_eq(encode_ioctl_retry(45, all, {}, buffer), -EINVAL);
    ck_assert_int_eq(encode_ioctl_retry(45, {}, all, buffer), -EINVAL);
    ck_assert_int_eq(encode_ioctl_retry(45, all.first(129), all.first(128), buffer), -EINVAL);
}
END_TEST

START_TEST(a_retry_without_room_writes_nothing)
{
    const struct iovec in[] = {area(0x1000, 8)};
    std::vector<std::byte> buffer = buffer_of(31);
    ck_assert_int_eq(encode_ioctl_retry(45, in, {}, buffer), -ENOSPC);
    ck_assert(untouched(buffer));
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        record_sizes_are_multiples_of_eight,   a_record_is_header_name_and_zeroes,
        every_file_type_has_its_number,        a_record_that_does_not_fit_is_only_measured,
        a_plus_record_starts_with_the_entry,   a_plus_record_that_does_not_fit_is_only_measured,
        a_retry_lists_in_before_out,           a_retry_may_ask_for_nothing,
        a_retry_takes_256_vectors_and_no_more, a_retry_without_room_writes_nothing,
    };
    return rf::test::run_tests("encode_records", tests);
}
