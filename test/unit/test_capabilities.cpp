// FUSE_CAP_* and INIT flags: two numberings of one thing.
#include "session/capabilities.hpp"

#include "check/runner.hpp"
#include "proto/kernel.hpp"

#include <bit>

using namespace rf;

namespace {

constexpr std::uint64_t bit(int index)
{
    return std::uint64_t{1} << index;
}

// Flags the library settles itself, without a word of the filesystem's.
constexpr std::uint64_t kOurs = kern::INIT_FILE_OPS | kern::INIT_BIG_WRITES | kern::INIT_ABORT_ERROR |
                                kern::INIT_MAX_PAGES | kern::INIT_MAP_ALIGNMENT | kern::INIT_SUBMOUNTS |
                                kern::INIT_EXT | kern::INIT_RESERVED | kern::INIT_HAS_INODE_DAX |
                                kern::INIT_CREATE_SUPP_GROUP | kern::INIT_HAS_RESEND |
                                kern::INIT_REQUEST_TIMEOUT | kern::INIT_HAS_IO_URING_BUFPOOL;

fuse_lowlevel_ops everything()
{
    fuse_lowlevel_ops ops{};
    ops.write_buf = [](fuse_req_t, fuse_ino_t, fuse_bufvec*, off_t, fuse_file_info*) {};
    ops.getlk = [](fuse_req_t, fuse_ino_t, fuse_file_info*, struct flock*) {};
    ops.setlk = [](fuse_req_t, fuse_ino_t, fuse_file_info*, struct flock*, int) {};
    ops.flock = [](fuse_req_t, fuse_ino_t, fuse_file_info*, int) {};
    ops.readdir = [](fuse_req_t, fuse_ino_t, size_t, off_t, fuse_file_info*) {};
    ops.readdirplus = ops.readdir;
    return ops;
}

constexpr std::uint64_t kAlways = FUSE_CAP_ASYNC_READ | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO |
                                  FUSE_CAP_IOCTL_DIR | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_OVER_IO_URING;

} // namespace

START_TEST(every_init_flag_is_ours_or_has_one_capability)
{
    for (int i = 0; i < 64; ++i) {
        const std::uint64_t flag = bit(i);
        const std::uint64_t capability = capabilities_of(flag);
        // From bit 44 on nothing is defined in the protocol we speak.
        const bool expected = i < 44 && !(flag & kOurs);
        ck_assert_msg(std::popcount(capability) == (expected ? 1 : 0), "INIT bit %d", i);
        if (expected)
            ck_assert_msg(init_flags_of(capability) == flag, "INIT bit %d", i);
    }
}
END_TEST

START_TEST(no_two_flags_share_a_capability)
{
    std::uint64_t seen = 0;
    for (int i = 0; i < 64; ++i) {
        const std::uint64_t capability = capabilities_of(bit(i));
        ck_assert_uint_eq(seen & capability, 0);
        seen |= capability;
    }
    ck_assert_uint_eq(capabilities_of(~std::uint64_t{0}), seen);
    ck_assert_uint_eq(capabilities_of(init_flags_of(seen)), seen);
}
END_TEST

START_TEST(the_numberings_differ_where_they_do)
{
    // Where a slip between the two would go unnoticed: the places at which the bit is another.
    ck_assert_uint_eq(capabilities_of(kern::INIT_HAS_EXPIRE_ONLY), FUSE_CAP_EXPIRE_ONLY);
    ck_assert_uint_eq(capabilities_of(kern::INIT_SETXATTR_EXT), FUSE_CAP_SETXATTR_EXT);
    ck_assert_uint_eq(capabilities_of(kern::INIT_OVER_IO_URING), FUSE_CAP_OVER_IO_URING);
    ck_assert_uint_eq(capabilities_of(kern::INIT_PASSTHROUGH), FUSE_CAP_PASSTHROUGH);
    ck_assert_uint_eq(capabilities_of(0), 0);
    ck_assert_uint_eq(init_flags_of(0), 0);
}
END_TEST

START_TEST(a_bare_filesystem_wants_what_everybody_can_have)
{
    ck_assert_uint_eq(default_capabilities(fuse_lowlevel_ops{}), kAlways);
}
END_TEST

START_TEST(operations_bring_the_capabilities_that_need_them)
{
    ck_assert_uint_eq(default_capabilities(everything()),
                      kAlways | FUSE_CAP_SPLICE_READ | FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS |
                          FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    fuse_lowlevel_ops ops = everything();
    ops.setlk = nullptr;
    ck_assert_uint_eq(default_capabilities(ops) & FUSE_CAP_POSIX_LOCKS, 0);
    ops.readdir = nullptr;
    ck_assert(default_capabilities(ops) & FUSE_CAP_READDIRPLUS);
    ck_assert_uint_eq(default_capabilities(ops) & FUSE_CAP_READDIRPLUS_AUTO, 0);
    ops.readdirplus = nullptr;
    ck_assert_uint_eq(default_capabilities(ops) & FUSE_CAP_READDIRPLUS, 0);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_init_flag_is_ours_or_has_one_capability,
        no_two_flags_share_a_capability,
        the_numberings_differ_where_they_do,
        a_bare_filesystem_wants_what_everybody_can_have,
        operations_bring_the_capabilities_that_need_them,
    };
    return rf::test::run_tests("capabilities", tests);
}
