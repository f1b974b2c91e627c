// What a request asks for, as one typed call per opcode: the decoders call it, the session implements it.
//
// Structures arrive in their newest size, fields an older peer does not send are zero. Structures are the
// decoder's and live for the call; names and data point into the message and live as long as that does.
// Nothing is aligned except the structures. Header fields (nodeid, unique, caller) are not repeated here.
#pragma once

#include "proto/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace rf {
inline namespace proto {

/// Called on the thread that decodes, exactly once per well-formed message.
class Operations {
public:
    using Bytes = std::span<const std::byte>;

    // The connection.
    virtual void init(const kern::fuse_init_in& in, size_t wire_bytes) = 0;
    virtual void destroy() = 0;
    virtual void interrupt(const kern::fuse_interrupt_in& in) = 0;
    virtual void notify_reply(const kern::fuse_notify_retrieve_in& in, Bytes data) = 0;
    virtual void cuse_init(const kern::cuse_init_in& in) = 0;

    // Inodes.
    virtual void lookup(const char* name) = 0;
    virtual void forget(const kern::fuse_forget_in& in) = 0;
    /// `records` holds `count` whole fuse_forget_one, unaligned.
    virtual void batch_forget(Bytes records, uint32_t count) = 0;
    virtual void getattr(const kern::fuse_getattr_in& in) = 0;
    virtual void setattr(const kern::fuse_setattr_in& in) = 0;
    virtual void statx(const kern::fuse_statx_in& in) = 0;
    virtual void access(const kern::fuse_access_in& in) = 0;
    virtual void readlink() = 0;
    virtual void statfs() = 0;
    virtual void syncfs() = 0;
    virtual void bmap(const kern::fuse_bmap_in& in) = 0;

    // Names in a directory.
    virtual void symlink(const char* name, const char* target) = 0;
    virtual void mknod(const kern::fuse_mknod_in& in, const char* name) = 0;
    virtual void mkdir(const kern::fuse_mkdir_in& in, const char* name) = 0;
    virtual void unlink(const char* name) = 0;
    virtual void rmdir(const char* name) = 0;
    /// RENAME (flags 0) and RENAME2.
    virtual void rename(uint64_t newdir, uint32_t flags, const char* oldname, const char* newname) = 0;
    virtual void link(const kern::fuse_link_in& in, const char* newname) = 0;
    virtual void create(const kern::fuse_create_in& in, const char* name) = 0;
    /// `name` means nothing; it only travels along.
    virtual void tmpfile(const kern::fuse_create_in& in, const char* name) = 0;

    // Open files.
    virtual void open(const kern::fuse_open_in& in) = 0;
    virtual void read(const kern::fuse_read_in& in) = 0;
    /// data.size() == in.size
    virtual void write(const kern::fuse_write_in& in, Bytes data) = 0;
    virtual void flush(const kern::fuse_flush_in& in) = 0;
    virtual void release(const kern::fuse_release_in& in) = 0;
    virtual void fsync(const kern::fuse_fsync_in& in) = 0;
    virtual void getlk(const kern::fuse_lk_in& in) = 0;
    /// SETLK and, with `sleep`, SETLKW. flock(2) comes here too: LK_FLOCK in in.lk_flags.
    virtual void setlk(const kern::fuse_lk_in& in, bool sleep) = 0;
    /// data.size() == in.in_size
    virtual void ioctl(const kern::fuse_ioctl_in& in, Bytes data) = 0;
    virtual void poll(const kern::fuse_poll_in& in) = 0;
    virtual void fallocate(const kern::fuse_fallocate_in& in) = 0;
    virtual void lseek(const kern::fuse_lseek_in& in) = 0;
    /// `wide`: COPY_FILE_RANGE_64, answered with fuse_copy_file_range_out; else with fuse_write_out.
    virtual void copy_file_range(const kern::fuse_copy_file_range_in& in, bool wide) = 0;

    // Open directories.
    virtual void opendir(const kern::fuse_open_in& in) = 0;
    virtual void readdir(const kern::fuse_read_in& in) = 0;
    virtual void readdirplus(const kern::fuse_read_in& in) = 0;
    virtual void releasedir(const kern::fuse_release_in& in) = 0;
    virtual void fsyncdir(const kern::fuse_fsync_in& in) = 0;

    // Extended attributes.
    /// value.size() == in.size
    virtual void setxattr(const kern::fuse_setxattr_in& in, const char* name, Bytes value) = 0;
    virtual void getxattr(const kern::fuse_getxattr_in& in, const char* name) = 0;
    virtual void listxattr(const kern::fuse_getxattr_in& in) = 0;
    virtual void removexattr(const char* name) = 0;

protected:
    ~Operations() = default; // never owned through this interface
};

} // namespace proto
} // namespace rf
