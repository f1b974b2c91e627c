// Numbers of the FUSE protocol 7.46: opcodes, flag bits, notification codes, device ioctls, limits.
//
// Included through kernel.hpp. Names are the kernel's without their FUSE_ prefix: the installed headers
// define macros that start so, and this file has to live beside them in one translation unit.
// Not so <linux/fuse.h>: its FOPEN_ and FATTR_ macros break the names below, include one of the two only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rf::kern {

enum Opcode : uint32_t {
    OP_LOOKUP = 1,
    OP_FORGET = 2,
    OP_GETATTR = 3,
    OP_SETATTR = 4,
    OP_READLINK = 5,
    OP_SYMLINK = 6,
    OP_MKNOD = 8,
    OP_MKDIR = 9,
    OP_UNLINK = 10,
    OP_RMDIR = 11,
    OP_RENAME = 12,
    OP_LINK = 13,
    OP_OPEN = 14,
    OP_READ = 15,
    OP_WRITE = 16,
    OP_STATFS = 17,
    OP_RELEASE = 18,
    OP_FSYNC = 20,
    OP_SETXATTR = 21,
    OP_GETXATTR = 22,
    OP_LISTXATTR = 23,
    OP_REMOVEXATTR = 24,
    OP_FLUSH = 25,
    OP_INIT = 26,
    OP_OPENDIR = 27,
    OP_READDIR = 28,
    OP_RELEASEDIR = 29,
    OP_FSYNCDIR = 30,
    OP_GETLK = 31,
    OP_SETLK = 32,
    OP_SETLKW = 33,
    OP_ACCESS = 34,
    OP_CREATE = 35,
    OP_INTERRUPT = 36,
    OP_BMAP = 37,
    OP_DESTROY = 38,
    OP_IOCTL = 39,
    OP_POLL = 40,
    OP_NOTIFY_REPLY = 41,
    OP_BATCH_FORGET = 42,
    OP_FALLOCATE = 43,
    OP_READDIRPLUS = 44,
    OP_RENAME2 = 45,
    OP_LSEEK = 46,
    OP_COPY_FILE_RANGE = 47,
    OP_SETUPMAPPING = 48,  // virtiofs DAX only; we have no row for it
    OP_REMOVEMAPPING = 49, // likewise
    OP_SYNCFS = 50,
    OP_TMPFILE = 51,
    OP_STATX = 52,
    OP_COPY_FILE_RANGE_64 = 53,
    OP_CUSE_INIT = 4096,
};

// INIT flags as one 64-bit value. Bits 32 and up travel in flags2, valid only beside INIT_EXT.
constexpr uint64_t INIT_ASYNC_READ = 1ull << 0;
constexpr uint64_t INIT_POSIX_LOCKS = 1ull << 1;
constexpr uint64_t INIT_FILE_OPS = 1ull << 2;
constexpr uint64_t INIT_ATOMIC_O_TRUNC = 1ull << 3;
constexpr uint64_t INIT_EXPORT_SUPPORT = 1ull << 4;
constexpr uint64_t INIT_BIG_WRITES = 1ull << 5;
constexpr uint64_t INIT_DONT_MASK = 1ull << 6;
constexpr uint64_t INIT_SPLICE_WRITE = 1ull << 7;
constexpr uint64_t INIT_SPLICE_MOVE = 1ull << 8;
constexpr uint64_t INIT_SPLICE_READ = 1ull << 9;
constexpr uint64_t INIT_FLOCK_LOCKS = 1ull << 10;
constexpr uint64_t INIT_HAS_IOCTL_DIR = 1ull << 11;
constexpr uint64_t INIT_AUTO_INVAL_DATA = 1ull << 12;
constexpr uint64_t INIT_DO_READDIRPLUS = 1ull << 13;
constexpr uint64_t INIT_READDIRPLUS_AUTO = 1ull << 14;
constexpr uint64_t INIT_ASYNC_DIO = 1ull << 15;
constexpr uint64_t INIT_WRITEBACK_CACHE = 1ull << 16;
constexpr uint64_t INIT_NO_OPEN_SUPPORT = 1ull << 17;
constexpr uint64_t INIT_PARALLEL_DIROPS = 1ull << 18;
constexpr uint64_t INIT_HANDLE_KILLPRIV = 1ull << 19;
constexpr uint64_t INIT_POSIX_ACL = 1ull << 20;
constexpr uint64_t INIT_ABORT_ERROR = 1ull << 21;
constexpr uint64_t INIT_MAX_PAGES = 1ull << 22;
constexpr uint64_t INIT_CACHE_SYMLINKS = 1ull << 23;
constexpr uint64_t INIT_NO_OPENDIR_SUPPORT = 1ull << 24;
constexpr uint64_t INIT_EXPLICIT_INVAL_DATA = 1ull << 25;
constexpr uint64_t INIT_MAP_ALIGNMENT = 1ull << 26;
constexpr uint64_t INIT_SUBMOUNTS = 1ull << 27;
constexpr uint64_t INIT_HANDLE_KILLPRIV_V2 = 1ull << 28;
constexpr uint64_t INIT_SETXATTR_EXT = 1ull << 29;
constexpr uint64_t INIT_EXT = 1ull << 30;
constexpr uint64_t INIT_RESERVED = 1ull << 31; // never sent by anybody
constexpr uint64_t INIT_SECURITY_CTX = 1ull << 32;
constexpr uint64_t INIT_HAS_INODE_DAX = 1ull << 33;
constexpr uint64_t INIT_CREATE_SUPP_GROUP = 1ull << 34;
constexpr uint64_t INIT_HAS_EXPIRE_ONLY = 1ull << 35;
constexpr uint64_t INIT_DIRECT_IO_ALLOW_MMAP = 1ull << 36;
constexpr uint64_t INIT_PASSTHROUGH = 1ull << 37;
constexpr uint64_t INIT_NO_EXPORT_SUPPORT = 1ull << 38;
constexpr uint64_t INIT_HAS_RESEND = 1ull << 39;
constexpr uint64_t INIT_ALLOW_IDMAP = 1ull << 40;
constexpr uint64_t INIT_OVER_IO_URING = 1ull << 41;
constexpr uint64_t INIT_REQUEST_TIMEOUT = 1ull << 42;
constexpr uint64_t INIT_HAS_IO_URING_BUFPOOL = 1ull << 43; // 7.46

// fuse_open_out.open_flags
constexpr uint32_t FOPEN_DIRECT_IO = 1u << 0;
constexpr uint32_t FOPEN_KEEP_CACHE = 1u << 1;
constexpr uint32_t FOPEN_NONSEEKABLE = 1u << 2;
constexpr uint32_t FOPEN_CACHE_DIR = 1u << 3;
constexpr uint32_t FOPEN_STREAM = 1u << 4;
constexpr uint32_t FOPEN_NOFLUSH = 1u << 5;
constexpr uint32_t FOPEN_PARALLEL_DIRECT_WRITES = 1u << 6;
constexpr uint32_t FOPEN_PASSTHROUGH = 1u << 7; // backing_id is valid
constexpr uint32_t FOPEN_IO_URING_ZERO_COPY = 1u << 8;

// fuse_setattr_in.valid
constexpr uint32_t FATTR_MODE = 1u << 0;
constexpr uint32_t FATTR_UID = 1u << 1;
constexpr uint32_t FATTR_GID = 1u << 2;
constexpr uint32_t FATTR_SIZE = 1u << 3;
constexpr uint32_t FATTR_ATIME = 1u << 4;
constexpr uint32_t FATTR_MTIME = 1u << 5;
constexpr uint32_t FATTR_FH = 1u << 6;
constexpr uint32_t FATTR_ATIME_NOW = 1u << 7;
constexpr uint32_t FATTR_MTIME_NOW = 1u << 8;
constexpr uint32_t FATTR_LOCKOWNER = 1u << 9;
constexpr uint32_t FATTR_CTIME = 1u << 10;
constexpr uint32_t FATTR_KILL_SUIDGID = 1u << 11;

// Small flag sets, named after the operation they belong to.
constexpr uint32_t GETATTR_FH = 1u << 0; // fuse_getattr_in and fuse_statx_in
constexpr uint32_t LK_FLOCK = 1u << 0;
constexpr uint32_t WRITE_CACHE = 1u << 0;
constexpr uint32_t WRITE_LOCKOWNER = 1u << 1;
constexpr uint32_t WRITE_KILL_SUIDGID = 1u << 2;
constexpr uint32_t READ_LOCKOWNER = 1u << 1; // bit 1, although bit 0 is unused
constexpr uint32_t RELEASE_FLUSH = 1u << 0;  // Linux never sets it
constexpr uint32_t RELEASE_FLOCK_UNLOCK = 1u << 1;
constexpr uint32_t POLL_SCHEDULE_NOTIFY = 1u << 0;
constexpr uint32_t FSYNC_FDATASYNC = 1u << 0;
constexpr uint32_t ATTR_SUBMOUNT = 1u << 0;
constexpr uint32_t ATTR_DAX = 1u << 1;
constexpr uint32_t OPEN_KILL_SUIDGID = 1u << 0;
constexpr uint32_t SETXATTR_ACL_KILL_SGID = 1u << 0;
constexpr uint32_t EXPIRE_ONLY = 1u << 0; // fuse_notify_inval_entry_out.flags

constexpr uint32_t kIoctlCompat = 1u << 0;
constexpr uint32_t kIoctlUnrestricted = 1u << 1;
constexpr uint32_t kIoctlRetry = 1u << 2;
constexpr uint32_t kIoctl32Bit = 1u << 3;
constexpr uint32_t kIoctlDir = 1u << 4;
constexpr uint32_t kIoctlCompatX32 = 1u << 5;
constexpr uint32_t kIoctlMaxIov = 256; // in and out vectors of one retry together

constexpr uint32_t kCuseUnrestrictedIoctl = 1u << 0;
constexpr size_t kCuseInitInfoMax = 4096;

/// Code of a notification: travels as a positive fuse_out_header.error with unique 0.
enum NotifyCode : int32_t {
    NOTIFY_POLL = 1,
    NOTIFY_INVAL_INODE = 2,
    NOTIFY_INVAL_ENTRY = 3,
    NOTIFY_STORE = 4,
    NOTIFY_RETRIEVE = 5,
    NOTIFY_DELETE = 6,
    NOTIFY_RESEND = 7,
    NOTIFY_INC_EPOCH = 8,
    NOTIFY_PRUNE = 9,
};

/// cmd_op of an IORING_OP_URING_CMD on a /dev/fuse descriptor.
enum UringCmd : uint32_t {
    URING_CMD_REGISTER = 1,
    URING_CMD_COMMIT_AND_FETCH = 2,
    URING_CMD_ADD_QUEUE = 3,   // 7.46
    URING_CMD_ADD_BUFPOOL = 4, // 7.46
};

// fuse_uring_ent_in_out.flags and the flags of ADD_QUEUE, both 7.46.
constexpr uint64_t URING_ENT_ZERO_COPY = 1ull << 0;
constexpr uint64_t URING_ZERO_COPY = 1ull << 0;

// ioctl(2) requests of /dev/fuse.
constexpr unsigned long kDevIocClone = 0x8004E500;        // uint32_t*: an attached descriptor
constexpr unsigned long kDevIocBackingOpen = 0x4010E501;  // fuse_backing_map*
constexpr unsigned long kDevIocBackingClose = 0x4004E502; // uint32_t*: backing id
constexpr unsigned long kDevIocSyncInit = 0x0000E503;     // no argument; before mounting

// Versions. The structures are 7.46's; we speak 7.45, so no 7.46 field is ever negotiated.
constexpr uint32_t kMajor = 7;
constexpr uint32_t kMinor = 45;

// Identities and limits.
constexpr uint64_t kRootId = 1;
constexpr size_t kMinReadBuffer = 8192;
constexpr uint32_t kInvalidUidGid = 0xffffffff; // idmapped mounts: the caller's ids have no mapping
constexpr uint64_t kUniqueInterrupt = 1;        // set in the unique of an INTERRUPT message
constexpr uint64_t kUniqueResend = 1ull << 63;  // a resent request; answer with the bit kept
constexpr uint32_t kMaxReplyError = 511;        // largest errno a reply may carry
constexpr uint32_t kPageBytes = 4096;           // unit of max_pages on x86-64
constexpr uint32_t kDefaultMaxPages = 32;       // in force unless MAX_PAGES is negotiated
constexpr uint32_t kMinMaxWrite = 4096;         // the kernel raises anything smaller
constexpr uint32_t kMaxStackDepth = 2;          // largest usable fuse_init_out.max_stack_depth
constexpr uint32_t kExtGroups = 32;             // second word of a groups extension; below: security context
constexpr size_t kRingAreaBytes = 128;          // in_out and op_in of fuse_uring_req_header

// Sizes on the wire for peers of an old minor (or, for setxattr, without SETXATTR_EXT).
constexpr size_t kCompatStatfsOutBytes = 48; // minor < 4
constexpr size_t kCompatInitOutBytes = 8;    // minor < 5
constexpr size_t kCompat22InitOutBytes = 24; // minor < 23
constexpr size_t kCompatEntryOutBytes = 120; // minor < 9
constexpr size_t kCompatAttrOutBytes = 96;   // minor < 9
constexpr size_t kCompatWriteInBytes = 24;   // minor < 9
constexpr size_t kCompatReadInBytes = 24;    // minor < 9, kernels of that age only
constexpr size_t kCompatLkInBytes = 40;      // minor < 9, kernels of that age only
constexpr size_t kCompatMknodInBytes = 8;    // minor < 12
constexpr size_t kCompatCreateInBytes = 8;   // minor < 12
constexpr size_t kCompatSetxattrInBytes = 8;
constexpr size_t kCompatInitInBytes = 16;      // minor < 36
constexpr size_t kCompatUringCmdReqBytes = 24; // minor < 46

} // namespace rf::kern
