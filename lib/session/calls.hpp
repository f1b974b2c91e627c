// What each decoded request becomes: a call of one low-level operation, with libfuse's answer where the
// filesystem lacks it.
#pragma once

#include "proto/operations.hpp"
#include "session/session.hpp"

namespace rf {

/// Lives on the stack of the thread that delivers. Implementations by topic: calls_tree.cpp (names and
/// inodes), calls_file.cpp (open files), calls_dir.cpp (directories and extended attributes),
/// calls_connection.cpp.
class Calls final : public Operations {
public:
    Calls(Session& session, Request& request) noexcept
        : session_(session), request_(request), req_(handle_of(request)), ops_(session.ops()),
          node_(request.in.header.nodeid)
    {}

    void init(const kern::fuse_init_in& in, size_t wire_bytes) override;
    void destroy() override;
    void interrupt(const kern::fuse_interrupt_in& in) override;
    void notify_reply(const kern::fuse_notify_retrieve_in& in, Bytes data) override;
    void cuse_init(const kern::cuse_init_in& in) override;

    void lookup(const char* name) override;
    void forget(const kern::fuse_forget_in& in) override;
    void batch_forget(Bytes records, uint32_t count) override;
    void getattr(const kern::fuse_getattr_in& in) override;
    void setattr(const kern::fuse_setattr_in& in) override;
    void statx(const kern::fuse_statx_in& in) override;
    void access(const kern::fuse_access_in& in) override;
    void readlink() override;
    void statfs() override;
    void syncfs() override;
    void bmap(const kern::fuse_bmap_in& in) override;

    void symlink(const char* name, const char* target) override;
    void mknod(const kern::fuse_mknod_in& in, const char* name) override;
    void mkdir(const kern::fuse_mkdir_in& in, const char* name) override;
    void unlink(const char* name) override;
    void rmdir(const char* name) override;
    void rename(uint64_t newdir, uint32_t flags, const char* oldname, const char* newname) override;
    void link(const kern::fuse_link_in& in, const char* newname) override;
    void create(const kern::fuse_create_in& in, const char* name) override;
    void tmpfile(const kern::fuse_create_in& in, const char* name) override;

    void open(const kern::fuse_open_in& in) override;
    void read(const kern::fuse_read_in& in) override;
    void write(const kern::fuse_write_in& in, Bytes data) override;
    void flush(const kern::fuse_flush_in& in) override;
    void release(const kern::fuse_release_in& in) override;
    void fsync(const kern::fuse_fsync_in& in) override;
    void getlk(const kern::fuse_lk_in& in) override;
    void setlk(const kern::fuse_lk_in& in, bool sleep) override;
    void ioctl(const kern::fuse_ioctl_in& in, Bytes data) override;
    void poll(const kern::fuse_poll_in& in) override;
    void fallocate(const kern::fuse_fallocate_in& in) override;
    void lseek(const kern::fuse_lseek_in& in) override;
    void copy_file_range(const kern::fuse_copy_file_range_in& in, bool wide) override;

    void opendir(const kern::fuse_open_in& in) override;
    void readdir(const kern::fuse_read_in& in) override;
    void readdirplus(const kern::fuse_read_in& in) override;
    void releasedir(const kern::fuse_release_in& in) override;
    void fsyncdir(const kern::fuse_fsync_in& in) override;

    void setxattr(const kern::fuse_setxattr_in& in, const char* name, Bytes value) override;
    void getxattr(const kern::fuse_getxattr_in& in, const char* name) override;
    void listxattr(const kern::fuse_getxattr_in& in) override;
    void removexattr(const char* name) override;

private:
    void missing() { request_.finish(-ENOSYS); }
    void done() { request_.finish(0); }
    /// Creating requests carry the caller's umask; kernels that do not send it have applied it.
    void take_umask(std::uint32_t umask) noexcept
    {
        if (session_.peer().minor >= 12)
            request_.ctx.umask = umask;
    }
    void open_missing(std::uint64_t no_open_capability);
    void run_flock(const kern::fuse_lk_in& in, bool sleep);

    Session& session_;
    Request& request_;
    fuse_req_t req_;
    const fuse_lowlevel_ops& ops_;
    const fuse_ino_t node_;
};

} // namespace rf
