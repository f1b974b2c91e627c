// The protocol header against the system's own <linux/fuse.h>, as far as that goes, and against plain numbers
// for what is newer. (kernel_layout.cpp proves the layouts at compile time; this asks an independent
// witness.)
#include "check/runner.hpp"
#include "proto/kernel.hpp"

#include <cstddef>
#include <cstdint>

namespace {

// The system's header has macros of these names, so our values are collected before it is included.
constexpr uint32_t kOurFopen[] = {
    rf::kern::FOPEN_DIRECT_IO,
    rf::kern::FOPEN_KEEP_CACHE,
    rf::kern::FOPEN_NONSEEKABLE,
    rf::kern::FOPEN_CACHE_DIR,
    rf::kern::FOPEN_STREAM,
    rf::kern::FOPEN_NOFLUSH,
    rf::kern::FOPEN_PARALLEL_DIRECT_WRITES,
};
constexpr uint32_t kOurFattr[] = {
    rf::kern::FATTR_MODE,      rf::kern::FATTR_UID,       rf::kern::FATTR_GID,   rf::kern::FATTR_SIZE,
    rf::kern::FATTR_ATIME,     rf::kern::FATTR_MTIME,     rf::kern::FATTR_FH,    rf::kern::FATTR_ATIME_NOW,
    rf::kern::FATTR_MTIME_NOW, rf::kern::FATTR_LOCKOWNER, rf::kern::FATTR_CTIME, rf::kern::FATTR_KILL_SUIDGID,
};

} // namespace

#include <linux/fuse.h>
#include <sys/ioctl.h>
#include <vector>

namespace kern = rf::kern;

// The oldest header these comparisons were written for; older ones lack some of the names.
static_assert(FUSE_KERNEL_MINOR_VERSION >= 38, "the unit tests need linux/fuse.h 7.38 or newer");

#define SAME_SIZE(name) ck_assert_uint_eq(sizeof(kern::name), sizeof(struct ::name))
#define SAME_OPCODE(name) ck_assert_uint_eq(kern::OP_##name, static_cast<uint32_t>(FUSE_##name))
#define SAME_INIT(name) ck_assert_uint_eq(kern::INIT_##name, static_cast<uint64_t>(FUSE_##name))
#define SAME(name) ck_assert_uint_eq(static_cast<uint64_t>(kern::name), static_cast<uint64_t>(FUSE_##name))
#define SAME_AS(ours, theirs)                                                                                \
    ck_assert_uint_eq(static_cast<uint64_t>(kern::ours), static_cast<uint64_t>(theirs))

START_TEST(structures_are_as_big_as_the_systems)
{
    SAME_SIZE(fuse_attr);
    SAME_SIZE(fuse_kstatfs);
    SAME_SIZE(fuse_file_lock);
    SAME_SIZE(fuse_entry_out);
    SAME_SIZE(fuse_forget_in);
    SAME_SIZE(fuse_forget_one);
    SAME_SIZE(fuse_batch_forget_in);
    SAME_SIZE(fuse_getattr_in);
    SAME_SIZE(fuse_attr_out);
    SAME_SIZE(fuse_mknod_in);
    SAME_SIZE(fuse_mkdir_in);
    SAME_SIZE(fuse_rename_in);
    SAME_SIZE(fuse_rename2_in);
    SAME_SIZE(fuse_link_in);
    SAME_SIZE(fuse_setattr_in);
    SAME_SIZE(fuse_open_in);
    SAME_SIZE(fuse_create_in);
    SAME_SIZE(fuse_open_out);
    SAME_SIZE(fuse_release_in);
    SAME_SIZE(fuse_flush_in);
    SAME_SIZE(fuse_read_in);
    SAME_SIZE(fuse_write_in);
    SAME_SIZE(fuse_write_out);
    SAME_SIZE(fuse_statfs_out);
    SAME_SIZE(fuse_fsync_in);
    SAME_SIZE(fuse_setxattr_in);
    SAME_SIZE(fuse_getxattr_in);
    SAME_SIZE(fuse_getxattr_out);
    SAME_SIZE(fuse_lk_in);
    SAME_SIZE(fuse_lk_out);
    SAME_SIZE(fuse_access_in);
    SAME_SIZE(fuse_init_in);
    SAME_SIZE(fuse_init_out);
    SAME_SIZE(cuse_init_in);
    SAME_SIZE(cuse_init_out);
    SAME_SIZE(fuse_interrupt_in);
    SAME_SIZE(fuse_bmap_in);
    SAME_SIZE(fuse_bmap_out);
    SAME_SIZE(fuse_ioctl_in);
    SAME_SIZE(fuse_ioctl_iovec);
    SAME_SIZE(fuse_ioctl_out);
    SAME_SIZE(fuse_poll_in);
    SAME_SIZE(fuse_poll_out);
    SAME_SIZE(fuse_notify_poll_wakeup_out);
    SAME_SIZE(fuse_fallocate_in);
    SAME_SIZE(fuse_in_header);
    SAME_SIZE(fuse_out_header);
    SAME_SIZE(fuse_dirent);
    SAME_SIZE(fuse_direntplus);
    SAME_SIZE(fuse_notify_inval_inode_out);
    SAME_SIZE(fuse_notify_inval_entry_out);
    SAME_SIZE(fuse_notify_delete_out);
    SAME_SIZE(fuse_notify_store_out);
    SAME_SIZE(fuse_notify_retrieve_out);
    SAME_SIZE(fuse_notify_retrieve_in);
    SAME_SIZE(fuse_lseek_in);
    SAME_SIZE(fuse_lseek_out);
    SAME_SIZE(fuse_copy_file_range_in);
    SAME_SIZE(fuse_setupmapping_in);
    SAME_SIZE(fuse_removemapping_in);
    SAME_SIZE(fuse_removemapping_one);
    SAME_SIZE(fuse_syncfs_in);
    SAME_SIZE(fuse_secctx);
    SAME_SIZE(fuse_secctx_header);
    SAME_SIZE(fuse_ext_header);
}
END_TEST

START_TEST(opcodes_are_the_systems)
{
    SAME_OPCODE(LOOKUP);
    SAME_OPCODE(FORGET);
    SAME_OPCODE(GETATTR);
    SAME_OPCODE(SETATTR);
    SAME_OPCODE(READLINK);
    SAME_OPCODE(SYMLINK);
    SAME_OPCODE(MKNOD);
    SAME_OPCODE(MKDIR);
    SAME_OPCODE(UNLINK);
    SAME_OPCODE(RMDIR);
    SAME_OPCODE(RENAME);
    SAME_OPCODE(LINK);
    SAME_OPCODE(OPEN);
    SAME_OPCODE(READ);
    SAME_OPCODE(WRITE);
    SAME_OPCODE(STATFS);
    SAME_OPCODE(RELEASE);
    SAME_OPCODE(FSYNC);
    SAME_OPCODE(SETXATTR);
    SAME_OPCODE(GETXATTR);
    SAME_OPCODE(LISTXATTR);
    SAME_OPCODE(REMOVEXATTR);
    SAME_OPCODE(FLUSH);
    SAME_OPCODE(INIT);
    SAME_OPCODE(OPENDIR);
    SAME_OPCODE(READDIR);
    SAME_OPCODE(RELEASEDIR);
    SAME_OPCODE(FSYNCDIR);
    SAME_OPCODE(GETLK);
    SAME_OPCODE(SETLK);
    SAME_OPCODE(SETLKW);
    SAME_OPCODE(ACCESS);
    SAME_OPCODE(CREATE);
    SAME_OPCODE(INTERRUPT);
    SAME_OPCODE(BMAP);
    SAME_OPCODE(DESTROY);
    SAME_OPCODE(IOCTL);
    SAME_OPCODE(POLL);
    SAME_OPCODE(NOTIFY_REPLY);
    SAME_OPCODE(BATCH_FORGET);
    SAME_OPCODE(FALLOCATE);
    SAME_OPCODE(READDIRPLUS);
    SAME_OPCODE(RENAME2);
    SAME_OPCODE(LSEEK);
    SAME_OPCODE(COPY_FILE_RANGE);
    SAME_OPCODE(SETUPMAPPING);
    SAME_OPCODE(REMOVEMAPPING);
    SAME_OPCODE(SYNCFS);
    SAME_OPCODE(TMPFILE);
    ck_assert_uint_eq(kern::OP_STATX, 52);
    ck_assert_uint_eq(kern::OP_COPY_FILE_RANGE_64, 53);
}
END_TEST

START_TEST(init_flags_are_the_systems)
{
    SAME_INIT(ASYNC_READ);
    SAME_INIT(POSIX_LOCKS);
    SAME_INIT(FILE_OPS);
    SAME_INIT(ATOMIC_O_TRUNC);
    SAME_INIT(EXPORT_SUPPORT);
    SAME_INIT(BIG_WRITES);
    SAME_INIT(DONT_MASK);
    SAME_INIT(SPLICE_WRITE);
    SAME_INIT(SPLICE_MOVE);
    SAME_INIT(SPLICE_READ);
    SAME_INIT(FLOCK_LOCKS);
    SAME_INIT(HAS_IOCTL_DIR);
    SAME_INIT(AUTO_INVAL_DATA);
    SAME_INIT(DO_READDIRPLUS);
    SAME_INIT(READDIRPLUS_AUTO);
    SAME_INIT(ASYNC_DIO);
    SAME_INIT(WRITEBACK_CACHE);
    SAME_INIT(NO_OPEN_SUPPORT);
    SAME_INIT(PARALLEL_DIROPS);
    SAME_INIT(HANDLE_KILLPRIV);
    SAME_INIT(POSIX_ACL);
    SAME_INIT(ABORT_ERROR);
    SAME_INIT(MAX_PAGES);
    SAME_INIT(CACHE_SYMLINKS);
    SAME_INIT(NO_OPENDIR_SUPPORT);
    SAME_INIT(EXPLICIT_INVAL_DATA);
    SAME_INIT(MAP_ALIGNMENT);
    SAME_INIT(SUBMOUNTS);
    SAME_INIT(HANDLE_KILLPRIV_V2);
    SAME_INIT(SETXATTR_EXT);
    SAME_INIT(SECURITY_CTX);
    SAME_INIT(HAS_INODE_DAX);
    SAME_INIT(HAS_EXPIRE_ONLY);
    ck_assert_uint_eq(kern::INIT_RESERVED, 0x80000000u);
    ck_assert_uint_eq(kern::INIT_CREATE_SUPP_GROUP, 1ull << 34);
    ck_assert_uint_eq(kern::INIT_DIRECT_IO_ALLOW_MMAP, 1ull << 36);
    ck_assert_uint_eq(kern::INIT_PASSTHROUGH, 1ull << 37);
    ck_assert_uint_eq(kern::INIT_NO_EXPORT_SUPPORT, 1ull << 38);
    ck_assert_uint_eq(kern::INIT_HAS_RESEND, 1ull << 39);
    ck_assert_uint_eq(kern::INIT_ALLOW_IDMAP, 1ull << 40);
    ck_assert_uint_eq(kern::INIT_OVER_IO_URING, 1ull << 41);
    ck_assert_uint_eq(kern::INIT_REQUEST_TIMEOUT, 1ull << 42);
    ck_assert_uint_eq(kern::INIT_HAS_IO_URING_BUFPOOL, 1ull << 43);
}
END_TEST

START_TEST(small_numbers_are_the_systems)
{
    SAME(NOTIFY_POLL);
    SAME(NOTIFY_INVAL_INODE);
    SAME(NOTIFY_INVAL_ENTRY);
    SAME(NOTIFY_STORE);
    SAME(NOTIFY_RETRIEVE);
    SAME(NOTIFY_DELETE);
    SAME(RELEASE_FLUSH);
    SAME(RELEASE_FLOCK_UNLOCK);
    SAME(GETATTR_FH);
    SAME(LK_FLOCK);
    SAME(WRITE_CACHE);
    SAME(WRITE_LOCKOWNER);
    SAME(WRITE_KILL_SUIDGID);
    SAME(READ_LOCKOWNER);
    SAME(POLL_SCHEDULE_NOTIFY);
    SAME(FSYNC_FDATASYNC);
    SAME(ATTR_SUBMOUNT);
    SAME(ATTR_DAX);
    SAME(OPEN_KILL_SUIDGID);
    SAME(SETXATTR_ACL_KILL_SGID);
    SAME(EXPIRE_ONLY);
    SAME(INIT_EXT);
    SAME_AS(kIoctlCompat, FUSE_IOCTL_COMPAT);
    SAME_AS(kIoctlUnrestricted, FUSE_IOCTL_UNRESTRICTED);
    SAME_AS(kIoctlRetry, FUSE_IOCTL_RETRY);
    SAME_AS(kIoctl32Bit, FUSE_IOCTL_32BIT);
    SAME_AS(kIoctlDir, FUSE_IOCTL_DIR);
    SAME_AS(kIoctlCompatX32, FUSE_IOCTL_COMPAT_X32);
    SAME_AS(kIoctlMaxIov, FUSE_IOCTL_MAX_IOV);
    SAME_AS(kRootId, FUSE_ROOT_ID);
    SAME_AS(kMinReadBuffer, FUSE_MIN_READ_BUFFER);
    SAME_AS(kCompatEntryOutBytes, FUSE_COMPAT_ENTRY_OUT_SIZE);
    SAME_AS(kCompatAttrOutBytes, FUSE_COMPAT_ATTR_OUT_SIZE);
    SAME_AS(kCompatMknodInBytes, FUSE_COMPAT_MKNOD_IN_SIZE);
    SAME_AS(kCompatWriteInBytes, FUSE_COMPAT_WRITE_IN_SIZE);
    SAME_AS(kCompatStatfsOutBytes, FUSE_COMPAT_STATFS_SIZE);
    SAME_AS(kCompatSetxattrInBytes, FUSE_COMPAT_SETXATTR_IN_SIZE);
    SAME_AS(kCompatInitOutBytes, FUSE_COMPAT_INIT_OUT_SIZE);
    SAME_AS(kCompat22InitOutBytes, FUSE_COMPAT_22_INIT_OUT_SIZE);
    SAME_AS(kDevIocClone, FUSE_DEV_IOC_CLONE);
    SAME_AS(kCuseUnrestrictedIoctl, CUSE_UNRESTRICTED_IOCTL);
    SAME_AS(kCuseInitInfoMax, CUSE_INIT_INFO_MAX);
    SAME_AS(OP_CUSE_INIT, CUSE_INIT);
    ck_assert_int_eq(kern::NOTIFY_RESEND, 7);
    ck_assert_int_eq(kern::NOTIFY_INC_EPOCH, 8);
    ck_assert_int_eq(kern::NOTIFY_PRUNE, 9);
}
END_TEST

START_TEST(open_and_setattr_bits_are_the_systems)
{
    const uint32_t fopen[] = {FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NONSEEKABLE,           FOPEN_CACHE_DIR,
                              FOPEN_STREAM,    FOPEN_NOFLUSH,    FOPEN_PARALLEL_DIRECT_WRITES};
    const uint32_t fattr[] = {FATTR_MODE,      FATTR_UID,       FATTR_GID,   FATTR_SIZE,
                              FATTR_ATIME,     FATTR_MTIME,     FATTR_FH,    FATTR_ATIME_NOW,
                              FATTR_MTIME_NOW, FATTR_LOCKOWNER, FATTR_CTIME, FATTR_KILL_SUIDGID};
    ck_assert_mem_eq(kOurFopen, fopen, sizeof(fopen));
    ck_assert_mem_eq(kOurFattr, fattr, sizeof(fattr));
}
END_TEST

START_TEST(device_ioctls_are_built_like_the_kernels)
{
    constexpr unsigned kMagic = 229;
    ck_assert_uint_eq(kern::kDevIocClone, _IOR(kMagic, 0, uint32_t));
    ck_assert_uint_eq(kern::kDevIocBackingOpen, _IOW(kMagic, 1, kern::fuse_backing_map));
    ck_assert_uint_eq(kern::kDevIocBackingClose, _IOW(kMagic, 2, uint32_t));
    ck_assert_uint_eq(kern::kDevIocSyncInit, _IO(kMagic, 3));
}
END_TEST

START_TEST(ring_structures_have_the_documented_bytes)
{
    kern::fuse_uring_req_header header{};
    header.ring_ent_in_out.commit_id = 0x1111;
    header.ring_ent_in_out.payload_sz = 0x2222;
    header.ring_ent_in_out.offset = 0x3333;
    std::vector<unsigned char> want(288);
    want[256 + 8] = want[256 + 9] = 0x11;
    want[256 + 16] = want[256 + 17] = 0x22;
    want[256 + 20] = want[256 + 21] = 0x33;
    ck_assert_uint_eq(sizeof(header), want.size());
    ck_assert_mem_eq(&header, want.data(), want.size());

    kern::fuse_uring_cmd_req command{};
    command.commit_id = 0x1111;
    command.qid = 0x2222;
    command.bufpool.len = 0x3333;
    want.assign(40, 0);
    want[8] = want[9] = 0x11;
    want[16] = want[17] = 0x22;
    want[32] = want[33] = 0x33;
    ck_assert_uint_eq(sizeof(command), want.size());
    ck_assert_mem_eq(&command, want.data(), want.size());
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        structures_are_as_big_as_the_systems,
        opcodes_are_the_systems,
        init_flags_are_the_systems,
        small_numbers_are_the_systems,
        open_and_setattr_bits_are_the_systems,
        device_ioctls_are_built_like_the_kernels,
        ring_structures_have_the_documented_bytes,
    };
    return rf::test::run_tests("kernel_layout", tests);
}
