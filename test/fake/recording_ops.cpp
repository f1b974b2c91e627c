// The operations of RecordingFs.
#include "recording_fs.hpp"

#include <utility>

namespace rf::fake {
namespace {

void done(fuse_req_t req, std::string line)
{
    RecordingFs& fs = RecordingFs::of(req);
    fs.note(std::move(line));
    fs.answer(req);
}

std::string bytes_word(const void* data, std::size_t size)
{
    return "'" + std::string(static_cast<const char*>(data), size) + "'";
}

std::string buffers_word(const fuse_bufvec& vector)
{
    std::string all;
    for (std::size_t i = 0; i < vector.count; ++i)
        all += bytes_word(vector.buf[i].mem, vector.buf[i].size);
    return all;
}

std::string attr_word(const struct stat& attr)
{
    return call("mode", attr.st_mode, "uid", attr.st_uid, "gid", attr.st_gid, "size", attr.st_size, "atime",
                attr.st_atim.tv_sec, attr.st_atim.tv_nsec, "mtime", attr.st_mtim.tv_sec, attr.st_mtim.tv_nsec,
                "ctime", attr.st_ctim.tv_sec, attr.st_ctim.tv_nsec);
}

std::string lock_word(const struct flock& lock)
{
    return call("lock", lock.l_type, lock.l_whence, lock.l_start, lock.l_len, lock.l_pid);
}

std::string umask_word(fuse_req_t req)
{
    return call("umask", fuse_req_ctx(req)->umask);
}

void add_connection(fuse_lowlevel_ops& ops)
{
    ops.init = [](void* fs, fuse_conn_info* conn) { static_cast<RecordingFs*>(fs)->init(conn); };
    ops.destroy = [](void* fs) { static_cast<RecordingFs*>(fs)->note("destroy"); };
    ops.forget = [](fuse_req_t req, fuse_ino_t ino, uint64_t count) {
        RecordingFs::of(req).note(call("forget", ino, count));
        fuse_reply_none(req);
    };
    ops.forget_multi = [](fuse_req_t req, size_t count, fuse_forget_data* all) {
        std::string line = call("forget_multi", count);
        for (size_t i = 0; i < count; ++i)
            line += " " + word(all[i].ino) + ":" + word(all[i].nlookup);
        RecordingFs::of(req).note(line);
        fuse_reply_none(req);
    };
    ops.retrieve_reply = [](fuse_req_t req, void* cookie, fuse_ino_t ino, off_t offset, fuse_bufvec* data) {
        RecordingFs::of(req).note(
            call("retrieve_reply", reinterpret_cast<uintptr_t>(cookie), ino, offset, buffers_word(*data)));
        fuse_reply_none(req);
    };
    ops.statfs = [](fuse_req_t req, fuse_ino_t ino) { done(req, call("statfs", ino)); };
    ops.syncfs = [](fuse_req_t req, fuse_ino_t ino) { done(req, call("syncfs", ino)); };
}

void add_names(fuse_lowlevel_ops& ops)
{
    ops.lookup = [](fuse_req_t req, fuse_ino_t ino, const char* name) {
        done(req, call("lookup", ino, name));
    };
    ops.readlink = [](fuse_req_t req, fuse_ino_t ino) { done(req, call("readlink", ino)); };
    ops.mknod = [](fuse_req_t req, fuse_ino_t ino, const char* name, mode_t mode, dev_t rdev) {
        done(req, call("mknod", ino, name, mode, rdev, umask_word(req)));
    };
    ops.mkdir = [](fuse_req_t req, fuse_ino_t ino, const char* name, mode_t mode) {
        done(req, call("mkdir", ino, name, mode, umask_word(req)));
    };
    ops.unlink = [](fuse_req_t req, fuse_ino_t ino, const char* name) {
        done(req, call("unlink", ino, name));
    };
    ops.rmdir = [](fuse_req_t req, fuse_ino_t ino, const char* name) { done(req, call("rmdir", ino, name)); };
    ops.symlink = [](fuse_req_t req, const char* target, fuse_ino_t ino, const char* name) {
        done(req, call("symlink", target, ino, name));
    };
    ops.rename = [](fuse_req_t req, fuse_ino_t ino, const char* name, fuse_ino_t to, const char* newname,
                    unsigned flags) { done(req, call("rename", ino, name, to, newname, flags)); };
    ops.link = [](fuse_req_t req, fuse_ino_t ino, fuse_ino_t to, const char* name) {
        done(req, call("link", ino, to, name));
    };
    ops.create = [](fuse_req_t req, fuse_ino_t ino, const char* name, mode_t mode, fuse_file_info* fi) {
        done(req, call("create", ino, name, mode, fi, umask_word(req)));
    };
    ops.tmpfile = [](fuse_req_t req, fuse_ino_t ino, mode_t mode, fuse_file_info* fi) {
        done(req, call("tmpfile", ino, mode, fi, umask_word(req)));
    };
}

void add_attributes(fuse_lowlevel_ops& ops)
{
    ops.getattr = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
        done(req, call("getattr", ino, fi));
    };
    ops.setattr = [](fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set, fuse_file_info* fi) {
        done(req, call("setattr", ino, attr_word(*attr), to_set, fi));
    };
    ops.statx = [](fuse_req_t req, fuse_ino_t ino, int flags, int mask, fuse_file_info* fi) {
        done(req, call("statx", ino, flags, mask, fi));
    };
    ops.access = [](fuse_req_t req, fuse_ino_t ino, int mask) { done(req, call("access", ino, mask)); };
    ops.setxattr = [](fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size,
                      int flags) { done(req, call("setxattr", ino, name, bytes_word(value, size), flags)); };
    ops.getxattr = [](fuse_req_t req, fuse_ino_t ino, const char* name, size_t size) {
        done(req, call("getxattr", ino, name, size));
    };
    ops.listxattr = [](fuse_req_t req, fuse_ino_t ino, size_t size) {
        done(req, call("listxattr", ino, size));
    };
    ops.removexattr = [](fuse_req_t req, fuse_ino_t ino, const char* name) {
        done(req, call("removexattr", ino, name));
    };
    ops.bmap = [](fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t block) {
        done(req, call("bmap", ino, blocksize, block));
    };
}

void add_files(fuse_lowlevel_ops& ops)
{
    ops.open = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) { done(req, call("open", ino, fi)); };
    ops.read = [](fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi) {
        done(req, call("read", ino, size, off, fi));
    };
    ops.write = [](fuse_req_t req, fuse_ino_t ino, const char* data, size_t size, off_t off,
                   fuse_file_info* fi) { done(req, call("write", ino, bytes_word(data, size), off, fi)); };
    ops.write_buf = [](fuse_req_t req, fuse_ino_t ino, fuse_bufvec* data, off_t off, fuse_file_info* fi) {
        done(req, call("write_buf", ino, buffers_word(*data), off, fi));
    };
    ops.flush = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) { done(req, call("flush", ino, fi)); };
    ops.release = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
        done(req, call("release", ino, fi));
    };
    ops.fsync = [](fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi) {
        done(req, call("fsync", ino, datasync, fi));
    };
    ops.fallocate = [](fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t length,
                       fuse_file_info* fi) { done(req, call("fallocate", ino, mode, off, length, fi)); };
    ops.lseek = [](fuse_req_t req, fuse_ino_t ino, off_t off, int whence, fuse_file_info* fi) {
        done(req, call("lseek", ino, off, whence, fi));
    };
    ops.copy_file_range = [](fuse_req_t req, fuse_ino_t from, off_t from_off, fuse_file_info* from_fi,
                             fuse_ino_t to, off_t to_off, fuse_file_info* to_fi, size_t length, int flags) {
        done(req, call("copy_file_range", from, from_off, from_fi, to, to_off, to_fi, length, flags));
    };
}

void add_locks_and_devices(fuse_lowlevel_ops& ops)
{
    ops.getlk = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock) {
        done(req, call("getlk", ino, fi, lock_word(*lock)));
    };
    ops.setlk = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock, int sleep) {
        done(req, call("setlk", ino, fi, lock_word(*lock), sleep));
    };
    ops.flock = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, int operation) {
        done(req, call("flock", ino, fi, operation));
    };
    ops.ioctl = [](fuse_req_t req, fuse_ino_t ino, unsigned cmd, void* arg, fuse_file_info* fi,
                   unsigned flags, const void* in, size_t in_size, size_t out_size) {
        done(req, call("ioctl", ino, cmd, reinterpret_cast<uintptr_t>(arg), fi, flags,
                       in ? bytes_word(in, in_size) : "none", out_size));
    };
    ops.poll = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, fuse_pollhandle* handle) {
        fuse_pollhandle_destroy(handle);
        done(req, call("poll", ino, fi, handle ? "notify" : "once"));
    };
}

void add_directories(fuse_lowlevel_ops& ops)
{
    ops.opendir = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
        done(req, call("opendir", ino, fi));
    };
    ops.readdir = [](fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi) {
        done(req, call("readdir", ino, size, off, fi));
    };
    ops.readdirplus = [](fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi) {
        done(req, call("readdirplus", ino, size, off, fi));
    };
    ops.releasedir = [](fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
        done(req, call("releasedir", ino, fi));
    };
    ops.fsyncdir = [](fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi) {
        done(req, call("fsyncdir", ino, datasync, fi));
    };
}

} // namespace

fuse_lowlevel_ops recording_ops()
{
    fuse_lowlevel_ops ops{};
    add_connection(ops);
    add_names(ops);
    add_attributes(ops);
    add_files(ops);
    add_locks_and_devices(ops);
    add_directories(ops);
    return ops;
}

} // namespace rf::fake
