// Replies from the C library's structures, by protocol minor, and the conversions back.
#include "check/runner.hpp"
#include "proto/encode.hpp"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <sys/sysmacros.h>

using namespace rf;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr off_t kLastOffset = std::numeric_limits<int64_t>::max();

struct stat sample_stat()
{
    struct stat st {};
    st.st_ino = 0x1122334455667788;
    st.st_size = 1ll << 40;
    st.st_blocks = 9;
    st.st_atim = {.tv_sec = -1, .tv_nsec = 1};
    st.st_mtim = {.tv_sec = 1ll << 33, .tv_nsec = 999999999};
    st.st_ctim = {.tv_sec = 3, .tv_nsec = 3};
    st.st_mode = S_IFREG | 0640;
    st.st_nlink = 4;
    st.st_uid = 1000;
    st.st_gid = 4294967294u;
    st.st_rdev = makedev(259, 0x12345);
    st.st_blksize = 8192;
    return st;
}

void expect_sample(const kern::fuse_attr& attr)
{
    ck_assert_uint_eq(attr.ino, 0x1122334455667788);
    ck_assert_uint_eq(attr.size, 1ull << 40);
    ck_assert_uint_eq(attr.blocks, 9);
    ck_assert_uint_eq(attr.atime, UINT64_MAX);
    ck_assert_uint_eq(attr.mtime, 1ull << 33);
    ck_assert_uint_eq(attr.ctime, 3);
    ck_assert_uint_eq(attr.atimensec, 1);
    ck_assert_uint_eq(attr.mtimensec, 999999999);
    ck_assert_uint_eq(attr.ctimensec, 3);
    ck_assert_uint_eq(attr.mode, S_IFREG | 0640);
    ck_assert_uint_eq(attr.nlink, 4);
    ck_assert_uint_eq(attr.uid, 1000);
    ck_assert_uint_eq(attr.gid, 4294967294u);
    // The kernel's 32-bit form: low byte of the minor, major, rest of the minor.
    ck_assert_uint_eq(attr.rdev, 0x45u | 259u << 8 | 0x12300u << 12);
    ck_assert_uint_eq(attr.blksize, 8192);
    ck_assert_uint_eq(attr.flags, 0);
}

struct statx_timestamp stamp(int64_t seconds, uint32_t nanoseconds)
{
    struct statx_timestamp out {};
    out.tv_sec = seconds;
    out.tv_nsec = nanoseconds;
    return out;
}

struct flock range(short type, off_t start, off_t length)
{
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    lock.l_pid = 77;
    return lock;
}

template <class T>
T filled()
{
    T out;
    std::memset(static_cast<void*>(&out), 0xff, sizeof(out));
    return out;
}

} // namespace

START_TEST(timeouts_split_into_seconds_and_nanoseconds)
{
    const struct {
        double in;
        uint64_t seconds;
        uint32_t nanoseconds;
    } rows[] = {
        {0.0, 0, 0},
        {1.0, 1, 0},
        {0.5, 0, 500000000},
        {86400.25, 86400, 250000000},
        {1e-9, 0, 1},
        {1e-10, 0, 0},
        {-0.0, 0, 0},
        {-1.0, 0, 0},
        {-kInfinity, 0, 0},
        {std::nan(""), 0, 0},
        {0x1p62, 1ull << 62, 0},
        {0x1p63, INT64_MAX, 0},
        {1e30, INT64_MAX, 0},
        {kInfinity, INT64_MAX, 0},
    };
    for (const auto& row : rows) {
        const Timeout got = split_timeout(row.in);
        ck_assert_msg(got.seconds == row.seconds && got.nanoseconds == row.nanoseconds, "%g: %llu %u", row.in,
                      static_cast<unsigned long long>(got.seconds), got.nanoseconds);
    }
}
END_TEST

START_TEST(nanoseconds_stay_below_a_second)
{
    ck_assert_uint_lt(split_timeout(std::nextafter(1.0, 0.0)).nanoseconds, 1000000000);
    ck_assert_uint_eq(split_timeout(std::nextafter(1.0, 0.0)).seconds, 0);
    ck_assert_uint_lt(split_timeout(std::nextafter(1e6, 0.0)).nanoseconds, 1000000000);
}
END_TEST

START_TEST(attributes_keep_every_field)
{
    auto attr = filled<kern::fuse_attr>();
    encode_attr(sample_stat(), attr);
    expect_sample(attr);
}
END_TEST

START_TEST(too_many_links_saturate)
{
    struct stat st = sample_stat();
    st.st_nlink = 1ull << 33;
    kern::fuse_attr attr;
    encode_attr(st, attr);
    ck_assert_uint_eq(attr.nlink, UINT32_MAX);
}
END_TEST

START_TEST(entries_carry_both_timeouts)
{
    const struct stat st = sample_stat();
    auto out = filled<kern::fuse_entry_out>();
    encode_entry({.nodeid = 5, .generation = 6, .entry_timeout = 1.5, .attr_timeout = 2.25, .attr = &st},
                 out);
    ck_assert_uint_eq(out.nodeid, 5);
    ck_assert_uint_eq(out.generation, 6);
    ck_assert_uint_eq(out.entry_valid, 1);
    ck_assert_uint_eq(out.entry_valid_nsec, 500000000);
    ck_assert_uint_eq(out.attr_valid, 2);
    ck_assert_uint_eq(out.attr_valid_nsec, 250000000);
    expect_sample(out.attr);
}
END_TEST

START_TEST(a_negative_entry_has_no_attributes)
{
    auto out = filled<kern::fuse_entry_out>();
    encode_entry({.nodeid = 0, .entry_timeout = 1, .attr = nullptr}, out);
    const kern::fuse_attr none{};
    ck_assert_mem_eq(&out.attr, &none, sizeof(none));
    ck_assert_uint_eq(out.nodeid, 0);
    ck_assert_uint_eq(out.entry_valid, 1);
}
END_TEST

START_TEST(attr_replies_carry_the_timeout)
{
    auto out = filled<kern::fuse_attr_out>();
    encode_attr_out(sample_stat(), 0.5, out);
    ck_assert_uint_eq(out.attr_valid, 0);
    ck_assert_uint_eq(out.attr_valid_nsec, 500000000);
    ck_assert_uint_eq(out.dummy, 0);
    expect_sample(out.attr);
}
END_TEST

START_TEST(replies_shrink_for_old_minors)
{
    for (uint32_t minor = 0; minor < 50; ++minor) {
        ck_assert_uint_eq(entry_out_bytes(minor), minor < 9 ? 120 : 128);
        ck_assert_uint_eq(attr_out_bytes(minor), minor < 9 ? 96 : 104);
        ck_assert_uint_eq(statfs_out_bytes(minor), minor < 4 ? 48 : 80);
    }
}
END_TEST

START_TEST(filesystem_statistics_keep_every_field)
{
    struct statvfs st {};
    st.f_bsize = 1;
    st.f_frsize = 2;
    st.f_blocks = 1ull << 40;
    st.f_bfree = 4;
    st.f_bavail = 5;
    st.f_files = 6;
    st.f_ffree = 7;
    st.f_namemax = 255;
    auto out = filled<kern::fuse_statfs_out>();
    encode_statfs(st, out);
    const kern::fuse_kstatfs want{1ull << 40, 4, 5, 6, 7, 1, 255, 2, 0, {}};
    ck_assert_mem_eq(&out.st, &want, sizeof(want));
    st.f_bsize = 1ull << 33;
    encode_statfs(st, out);
    ck_assert_uint_eq(out.st.bsize, UINT32_MAX);
}
END_TEST

START_TEST(statx_keeps_every_field)
{
    struct statx in {};
    in.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
    in.stx_blksize = 4096;
    in.stx_attributes = 0x10;
    in.stx_nlink = 2;
    in.stx_uid = 3;
    in.stx_gid = 4;
    in.stx_mode = S_IFDIR | 0755;
    in.stx_ino = 5;
    in.stx_size = 6;
    in.stx_blocks = 7;
    in.stx_attributes_mask = 0x30;
    in.stx_atime = stamp(-8, 8);
    in.stx_btime = stamp(9, 10);
    in.stx_ctime = stamp(11, 12);
    in.stx_mtime = stamp(13, 14);
    in.stx_rdev_major = 15;
    in.stx_rdev_minor = 16;
    in.stx_dev_major = 17;
    in.stx_dev_minor = 18;
    auto out = filled<kern::fuse_statx_out>();
    encode_statx(in, 1.5, 19, out);
    kern::fuse_statx_out want{};
    want.attr_valid = 1;
    want.attr_valid_nsec = 500000000;
    want.flags = 19;
    want.stat = {STATX_BASIC_STATS | STATX_BTIME,
                 4096,
                 0x10,
                 2,
                 3,
                 4,
                 S_IFDIR | 0755,
                 {},
                 5,
                 6,
                 7,
                 0x30,
                 {-8, 8, 0},
                 {9, 10, 0},
                 {11, 12, 0},
                 {13, 14, 0},
                 15,
                 16,
                 17,
                 18,
                 {}};
    ck_assert_mem_eq(&out, &want, sizeof(want));
}
END_TEST

START_TEST(lock_ranges_survive_both_ways)
{
    const struct {
        off_t start;
        off_t length;
        uint64_t end;
    } rows[] = {
        {0, 0, uint64_t(kLastOffset)},
        {0, 1, 0},
        {10, 5, 14},
        {10, 0, uint64_t(kLastOffset)},
        {kLastOffset - 1, 1, uint64_t(kLastOffset - 1)},
    };
    for (const auto& row : rows) {
        auto wire = filled<kern::fuse_file_lock>();
        encode_lock(range(F_WRLCK, row.start, row.length), wire);
        ck_assert_uint_eq(wire.start, static_cast<uint64_t>(row.start));
        ck_assert_uint_eq(wire.end, row.end);
        ck_assert_uint_eq(wire.type, F_WRLCK);
        ck_assert_uint_eq(wire.pid, 77);
        auto back = filled<struct flock>();
        decode_lock(wire, back);
        ck_assert_int_eq(back.l_type, F_WRLCK);
        ck_assert_int_eq(back.l_whence, SEEK_SET);
        ck_assert_int_eq(back.l_start, row.start);
        ck_assert_int_eq(back.l_len, row.length);
        ck_assert_int_eq(back.l_pid, 77);
    }
}
END_TEST

START_TEST(lock_ranges_past_the_last_offset_end_there)
{
    kern::fuse_file_lock wire;
    for (off_t length : {off_t{2}, off_t{3}, kLastOffset, std::numeric_limits<off_t>::min(), off_t{-1}}) {
        encode_lock(range(F_RDLCK, kLastOffset - 1, length), wire);
        ck_assert_uint_eq(wire.end, uint64_t(kLastOffset));
    }
    encode_lock(range(F_RDLCK, -1, 1), wire);
    ck_assert_uint_eq(wire.end, uint64_t(kLastOffset));
}
END_TEST

START_TEST(no_lock_has_no_range)
{
    auto wire = filled<kern::fuse_file_lock>();
    encode_lock(range(F_UNLCK, 10, 5), wire);
    ck_assert_uint_eq(wire.start, 0);
    ck_assert_uint_eq(wire.end, 0);
    ck_assert_uint_eq(wire.type, F_UNLCK);
}
END_TEST

START_TEST(hostile_lock_ranges_are_decoded_without_overflow)
{
    struct flock lock;
    decode_lock({.start = UINT64_MAX, .end = 0, .type = F_RDLCK, .pid = UINT32_MAX}, lock);
    ck_assert_int_eq(lock.l_len, 2);
    decode_lock({.start = 0, .end = UINT64_MAX, .type = F_RDLCK, .pid = 0}, lock);
    ck_assert_int_eq(lock.l_len, 0);
}
END_TEST

START_TEST(setattr_values_arrive_with_their_nanoseconds)
{
    kern::fuse_setattr_in in{};
    in.size = 1ull << 40;
    in.atime = UINT64_MAX; // one second before the epoch
    in.mtime = 2;
    in.ctime = 3;
    in.atimensec = 4;
    in.mtimensec = 5;
    in.ctimensec = 6;
    in.mode = 0600;
    in.uid = 7;
    in.gid = 8;
    auto st = filled<struct stat>();
    decode_setattr(in, st);
    struct stat want {};
    want.st_size = 1ll << 40;
    want.st_atim = {.tv_sec = -1, .tv_nsec = 4};
    want.st_mtim = {.tv_sec = 2, .tv_nsec = 5};
    want.st_ctim = {.tv_sec = 3, .tv_nsec = 6};
    want.st_mode = 0600;
    want.st_uid = 7;
    want.st_gid = 8;
    ck_assert_int_eq(st.st_size, want.st_size);
    ck_assert_mem_eq(&st.st_atim, &want.st_atim, sizeof(want.st_atim));
    ck_assert_mem_eq(&st.st_mtim, &want.st_mtim, sizeof(want.st_mtim));
    ck_assert_mem_eq(&st.st_ctim, &want.st_ctim, sizeof(want.st_ctim));
    ck_assert_uint_eq(st.st_mode, 0600);
    ck_assert_uint_eq(st.st_uid, 7);
    ck_assert_uint_eq(st.st_gid, 8);
    ck_assert_uint_eq(st.st_ino, 0);
    ck_assert_uint_eq(st.st_nlink, 0);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        timeouts_split_into_seconds_and_nanoseconds,
        nanoseconds_stay_below_a_second,
        attributes_keep_every_field,
        too_many_links_saturate,
        entries_carry_both_timeouts,
        a_negative_entry_has_no_attributes,
        attr_replies_carry_the_timeout,
        replies_shrink_for_old_minors,
        filesystem_statistics_keep_every_field,
        statx_keeps_every_field,
        lock_ranges_survive_both_ways,
        lock_ranges_past_the_last_offset_end_there,
        no_lock_has_no_range,
        hostile_lock_ranges_are_decoded_without_overflow,
        setattr_values_arrive_with_their_nanoseconds,
    };
    return rf::test::run_tests("encode", tests);
}
