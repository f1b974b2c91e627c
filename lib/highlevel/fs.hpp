// One filesystem as an object: its operations, and what a call means when the operation is missing. The core
// calls the topmost one; modules, and applications that stack filesystems, call the one below.
//
// From here upwards everything is in the application's layout (struct families A to D): paths, fi, bufvecs
// and the configuration are handed on untouched. The core translates before it calls.
#pragma once

#include "base/log.hpp"
#include "highlevel/context.hpp"

#include <cstddef>
#include <cstdint>
#include <fuse.h>

namespace rf::hl {
class Module;
}

/// The handle of the C API. Constant after init, so any thread may call.
struct fuse_fs final {
    fuse_operations op{};             // null where the application has none, or knows a shorter table
    void* user_data = nullptr;        // fuse_context.private_data during operations; what init returned
    bool debug = false;               // one line per call at debug level
    fuse_fs* below = nullptr;         // what a module's filesystem lies on; ended by the module's own destroy
    rf::hl::Module* module = nullptr; // the code behind op: one reference
};

namespace rf::hl {

/// Copies at most op_size bytes of *op; a longer table than ours is cut with a message. nullptr: no memory,
/// logged.
[[nodiscard]] fuse_fs* fs_new(const fuse_operations* op, std::size_t op_size, void* user_data);

/// Turns down what the operations cannot serve, calls init and keeps what it returns. `config` is what the
/// application is to see.
void fs_init(fuse_fs& fs, fuse_conn_info& conn, fuse_config* config);

/// Calls destroy if there is one, drops the module, frees. The destroy of a module ends the filesystem below
/// it. Null is allowed.
void fs_destroy(fuse_fs* fs);

/// Ends a stack whose init never ran: as fs_destroy(), but the application's own destroy is not called. May
/// be null.
void fs_discard(fuse_fs* fs);

/// Frees a list from fs_read_buf() and its memory pieces; may be null.
void free_bufvec(fuse_bufvec* buf) noexcept;

// The operations. 0 or more is success, negative is -errno. Without the operation: -ENOSYS, except that open,
// release, opendir and releasedir succeed, statfs gives the minimum, ioctl is -ENOTTY, and read and write
// stand in for read_buf and write_buf and the other way round. Any thread.

// fs_attr.cpp
[[nodiscard]] int fs_getattr(fuse_fs& fs, const char* path, struct stat* st, fuse_file_info* fi);
[[nodiscard]] int fs_statx(fuse_fs& fs, const char* path, int flags, int mask, struct statx* stx,
                           fuse_file_info* fi);
[[nodiscard]] int fs_chmod(fuse_fs& fs, const char* path, mode_t mode, fuse_file_info* fi);
[[nodiscard]] int fs_chown(fuse_fs& fs, const char* path, uid_t uid, gid_t gid, fuse_file_info* fi);
[[nodiscard]] int fs_truncate(fuse_fs& fs, const char* path, off_t size, fuse_file_info* fi);
[[nodiscard]] int fs_utimens(fuse_fs& fs, const char* path, const timespec* tv, fuse_file_info* fi);
[[nodiscard]] int fs_access(fuse_fs& fs, const char* path, int mask);
[[nodiscard]] int fs_statfs(fuse_fs& fs, const char* path, struct statvfs* out);

// fs_names.cpp
[[nodiscard]] int fs_mknod(fuse_fs& fs, const char* path, mode_t mode, dev_t rdev);
[[nodiscard]] int fs_mkdir(fuse_fs& fs, const char* path, mode_t mode);
[[nodiscard]] int fs_unlink(fuse_fs& fs, const char* path);
[[nodiscard]] int fs_rmdir(fuse_fs& fs, const char* path);
[[nodiscard]] int fs_symlink(fuse_fs& fs, const char* target, const char* path);
[[nodiscard]] int fs_readlink(fuse_fs& fs, const char* path, char* buf, std::size_t size);
[[nodiscard]] int fs_rename(fuse_fs& fs, const char* from, const char* to, unsigned flags);
[[nodiscard]] int fs_link(fuse_fs& fs, const char* from, const char* to);

// fs_file.cpp
[[nodiscard]] int fs_open(fuse_fs& fs, const char* path, fuse_file_info* fi);
[[nodiscard]] int fs_create(fuse_fs& fs, const char* path, mode_t mode, fuse_file_info* fi);
[[nodiscard]] int fs_flush(fuse_fs& fs, const char* path, fuse_file_info* fi);
int fs_release(fuse_fs& fs, const char* path, fuse_file_info* fi);
[[nodiscard]] int fs_fsync(fuse_fs& fs, const char* path, int datasync, fuse_file_info* fi);
[[nodiscard]] int fs_lock(fuse_fs& fs, const char* path, fuse_file_info* fi, int cmd, struct flock* lock);
[[nodiscard]] int fs_flock(fuse_fs& fs, const char* path, fuse_file_info* fi, int op);
[[nodiscard]] int fs_ioctl(fuse_fs& fs, const char* path, unsigned cmd, void* arg, fuse_file_info* fi,
                           unsigned flags, void* data);
[[nodiscard]] int fs_poll(fuse_fs& fs, const char* path, fuse_file_info* fi, fuse_pollhandle* ph,
                          unsigned* revents);
[[nodiscard]] int fs_bmap(fuse_fs& fs, const char* path, std::size_t block_bytes, std::uint64_t* index);
[[nodiscard]] int fs_syncfs(fuse_fs& fs, const char* path);

// fs_data.cpp
/// What an operation reports beyond `size` is logged and passed on.
[[nodiscard]] int fs_read(fuse_fs& fs, const char* path, char* buf, std::size_t size, off_t off,
                          fuse_file_info* fi);
/// 0 or -errno. *out is the caller's, for free_bufvec(); null on error.
[[nodiscard]] int fs_read_buf(fuse_fs& fs, const char* path, fuse_bufvec** out, std::size_t size, off_t off,
                              fuse_file_info* fi);
[[nodiscard]] int fs_write(fuse_fs& fs, const char* path, const char* buf, std::size_t size, off_t off,
                           fuse_file_info* fi);
[[nodiscard]] int fs_write_buf(fuse_fs& fs, const char* path, fuse_bufvec* buf, off_t off,
                               fuse_file_info* fi);
[[nodiscard]] int fs_fallocate(fuse_fs& fs, const char* path, int mode, off_t off, off_t length,
                               fuse_file_info* fi);
[[nodiscard]] ssize_t fs_copy_file_range(fuse_fs& fs, const char* path_in, fuse_file_info* fi_in,
                                         off_t off_in, const char* path_out, fuse_file_info* fi_out,
                                         off_t off_out, std::size_t size, int flags);
[[nodiscard]] off_t fs_lseek(fuse_fs& fs, const char* path, off_t off, int whence, fuse_file_info* fi);

// fs_dir.cpp
[[nodiscard]] int fs_opendir(fuse_fs& fs, const char* path, fuse_file_info* fi);
[[nodiscard]] int fs_readdir(fuse_fs& fs, const char* path, void* buf, fuse_fill_dir_t filler, off_t off,
                             fuse_file_info* fi, fuse_readdir_flags flags);
int fs_releasedir(fuse_fs& fs, const char* path, fuse_file_info* fi);
[[nodiscard]] int fs_fsyncdir(fuse_fs& fs, const char* path, int datasync, fuse_file_info* fi);

// fs_xattr.cpp
[[nodiscard]] int fs_setxattr(fuse_fs& fs, const char* path, const char* name, const char* value,
                              std::size_t size, int flags);
[[nodiscard]] int fs_getxattr(fuse_fs& fs, const char* path, const char* name, char* value, std::size_t size);
[[nodiscard]] int fs_listxattr(fuse_fs& fs, const char* path, char* list, std::size_t size);
[[nodiscard]] int fs_removexattr(fuse_fs& fs, const char* path, const char* name);

} // namespace rf::hl
