// A filesystem that writes down which operation it got with which paths, to lie below the modules under test.
#pragma once

#include "check/runner.hpp"
#include "highlevel/fs.hpp"
#include "highlevel/modules.hpp"

#include <cstring>
#include <string>
#include <sys/statvfs.h>
#include <utility>

namespace module_probe {

inline std::string g_log;                    // "name path [path]" of the last call
inline std::string g_target;                 // what readlink answers
inline const char* const* g_names = nullptr; // what readdir lists, up to a null
inline int g_destroyed = 0;

inline int note(const char* name, const char* path, const char* second = nullptr)
{
    g_log = std::string(name) + " " + (path ? path : "(null)");
    if (second)
        g_log += std::string(" ") + second;
    return 1;
}

inline fuse_operations operations()
{
    fuse_operations op{};
    op.getattr = [](const char* p, struct stat*, fuse_file_info*) { return note("getattr", p); };
    op.readlink = [](const char* p, char* buf, size_t size) {
        note("readlink", p);
        std::snprintf(buf, size, "%s", g_target.c_str());
        return 0;
    };
    op.mknod = [](const char* p, mode_t, dev_t) { return note("mknod", p); };
    op.mkdir = [](const char* p, mode_t) { return note("mkdir", p); };
    op.unlink = [](const char* p) { return note("unlink", p); };
    op.rmdir = [](const char* p) { return note("rmdir", p); };
    op.symlink = [](const char* target, const char* p) { return note("symlink", target, p); };
    op.rename = [](const char* a, const char* b, unsigned) { return note("rename", a, b); };
    op.link = [](const char* a, const char* b) { return note("link", a, b); };
    op.chmod = [](const char* p, mode_t, fuse_file_info*) { return note("chmod", p); };
    op.chown = [](const char* p, uid_t, gid_t, fuse_file_info*) { return note("chown", p); };
    op.truncate = [](const char* p, off_t, fuse_file_info*) { return note("truncate", p); };
    op.open = [](const char* p, fuse_file_info*) { return note("open", p); };
    op.read = [](const char* p, char*, size_t, off_t, fuse_file_info*) { return note("read", p); };
    op.write = [](const char* p, const char*, size_t, off_t, fuse_file_info*) { return note("write", p); };
    op.statfs = [](const char* p, struct statvfs*) { return note("statfs", p); };
    op.flush = [](const char* p, fuse_file_info*) { return note("flush", p); };
    op.release = [](const char* p, fuse_file_info*) { return note("release", p); };
    op.fsync = [](const char* p, int, fuse_file_info*) { return note("fsync", p); };
    op.setxattr = [](const char* p, const char*, const char*, size_t, int) { return note("setxattr", p); };
    op.getxattr = [](const char* p, const char*, char*, size_t) { return note("getxattr", p); };
    op.listxattr = [](const char* p, char*, size_t) { return note("listxattr", p); };
    op.removexattr = [](const char* p, const char*) { return note("removexattr", p); };
    op.opendir = [](const char* p, fuse_file_info*) { return note("opendir", p); };
    op.readdir = [](const char* p, void* buf, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                    fuse_readdir_flags) {
        note("readdir", p);
        off_t at = 0;
        for (const char* const* name = g_names; name && *name; ++name)
            if (fill(buf, *name, nullptr, ++at, FUSE_FILL_DIR_DEFAULTS) != 0)
                break;
        return 0;
    };
    op.releasedir = [](const char* p, fuse_file_info*) { return note("releasedir", p); };
    op.fsyncdir = [](const char* p, int, fuse_file_info*) { return note("fsyncdir", p); };
    op.destroy = [](void*) { ++g_destroyed; };
    op.access = [](const char* p, int) { return note("access", p); };
    op.create = [](const char* p, mode_t, fuse_file_info*) { return note("create", p); };
    op.lock = [](const char* p, fuse_file_info*, int, struct flock*) { return note("lock", p); };
    op.utimens = [](const char* p, const struct timespec*, fuse_file_info*) { return note("utimens", p); };
    op.bmap = [](const char* p, size_t, uint64_t*) { return note("bmap", p); };
    op.ioctl = [](const char* p, unsigned, void*, fuse_file_info*, unsigned, void*) {
        return note("ioctl", p);
    };
    op.poll = [](const char* p, fuse_file_info*, fuse_pollhandle*, unsigned*) { return note("poll", p); };
    op.flock = [](const char* p, fuse_file_info*, int) { return note("flock", p); };
    op.fallocate = [](const char* p, int, off_t, off_t, fuse_file_info*) { return note("fallocate", p); };
    op.copy_file_range = [](const char* a, fuse_file_info*, off_t, const char* b, fuse_file_info*, off_t,
                            size_t, int) -> ssize_t { return note("copy_file_range", a, b); };
    op.lseek = [](const char* p, off_t, int, fuse_file_info*) -> off_t { return note("lseek", p); };
    op.statx = [](const char* p, int, int, struct statx*, fuse_file_info*) { return note("statx", p); };
    op.syncfs = [](const char* p) { return note("syncfs", p); };
    return op;
}

/// The probe with a stack of modules on it; null if that was refused.
class Stack {
public:
    Stack(const char* modules, const char* options)
    {
        fuse_args args = FUSE_ARGS_INIT(0, nullptr);
        ck_assert_int_eq(fuse_opt_add_arg(&args, "program"), 0);
        if (*options) {
            ck_assert_int_eq(fuse_opt_add_arg(&args, "-o"), 0);
            ck_assert_int_eq(fuse_opt_add_arg(&args, options), 0);
        }
        const fuse_operations op = operations();
        top_ = rf::hl::fs_new(&op, sizeof(op), nullptr);
        rc_ = rf::hl::push_modules(top_, modules, args);
        left_ = args.argc - 1;
        fuse_opt_free_args(&args);
        g_destroyed = 0;
    }
    ~Stack() { rf::hl::fs_destroy(top_); }
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    [[nodiscard]] int rc() const { return rc_; }
    [[nodiscard]] int arguments_left() const { return left_; }
    fuse_fs& operator*() { return *top_; }
    fuse_fs* release() { return std::exchange(top_, nullptr); }

private:
    fuse_fs* top_ = nullptr;
    int rc_ = 0;
    int left_ = 0;
};

/// Runs every operation that takes `path`, and fails unless the probe saw `below` each time. null for both:
/// open files without a path.
inline void expect_everywhere(fuse_fs& fs, const char* path, const char* below)
{
    using namespace rf::hl;
    const std::string seen = below ? below : "(null)";
    const auto expect = [&](long rc, const char* name, const std::string& paths) {
        ck_assert_msg(rc == 1, "%s: %ld", name, rc);
        const std::string wanted = std::string(name) + " " + paths;
        ck_assert_msg(g_log == wanted, "got %.200s, wanted %.200s", g_log.c_str(), wanted.c_str());
    };
    fuse_file_info fi{};
    struct stat st {};
    struct statx stx {};
    struct flock lock {};
    struct timespec tv[2] = {};
    unsigned events = 0;
    char buf[64] = {};
    fuse_bufvec list = FUSE_BUFVEC_INIT(sizeof(buf));
    list.buf[0].mem = buf;
    expect(fs_getattr(fs, path, &st, &fi), "getattr", seen);
    expect(fs_statx(fs, path, 0, 0, &stx, &fi), "statx", seen);
    expect(fs_chmod(fs, path, 0, &fi), "chmod", seen);
    expect(fs_chown(fs, path, 0, 0, &fi), "chown", seen);
    expect(fs_truncate(fs, path, 0, &fi), "truncate", seen);
    expect(fs_utimens(fs, path, tv, &fi), "utimens", seen);
    expect(fs_read(fs, path, buf, sizeof(buf), 0, &fi), "read", seen);
    expect(fs_write(fs, path, buf, sizeof(buf), 0, &fi), "write", seen);
    expect(fs_write_buf(fs, path, &list, 0, &fi), "write", seen);
    fuse_bufvec* made = nullptr;
    ck_assert_int_eq(fs_read_buf(fs, path, &made, 8, 0, &fi), 0);
    ck_assert_uint_eq(fuse_buf_size(made), 1);
    free_bufvec(made);
    expect(1, "read", seen);
    expect(fs_flush(fs, path, &fi), "flush", seen);
    expect(fs_release(fs, path, &fi), "release", seen);
    expect(fs_fsync(fs, path, 0, &fi), "fsync", seen);
    expect(fs_lock(fs, path, &fi, 0, &lock), "lock", seen);
    expect(fs_flock(fs, path, &fi, 0), "flock", seen);
    expect(fs_ioctl(fs, path, 0, nullptr, &fi, 0, nullptr), "ioctl", seen);
    expect(fs_poll(fs, path, &fi, nullptr, &events), "poll", seen);
    expect(fs_fallocate(fs, path, 0, 0, 1, &fi), "fallocate", seen);
    expect(fs_lseek(fs, path, 0, 0, &fi), "lseek", seen);
    expect(fs_releasedir(fs, path, &fi), "releasedir", seen);
    expect(fs_fsyncdir(fs, path, 0, &fi), "fsyncdir", seen);
    const auto fill = [](void*, const char*, const struct stat*, off_t, fuse_fill_dir_flags) { return 0; };
    g_names = nullptr;
    expect(fs_readdir(fs, path, nullptr, fill, 0, &fi, FUSE_READDIR_DEFAULTS) + 1, "readdir", seen);
    if (!path)
        return;
    const std::string both = seen + " " + seen;
    expect(fs_copy_file_range(fs, path, &fi, 0, path, &fi, 0, 1, 0), "copy_file_range", both);
    expect(fs_rename(fs, path, path, 0), "rename", both);
    expect(fs_link(fs, path, path), "link", both);
    expect(fs_access(fs, path, 0), "access", seen);
    struct statvfs whole {};
    expect(fs_statfs(fs, path, &whole), "statfs", seen);
    expect(fs_mknod(fs, path, 0, 0), "mknod", seen);
    expect(fs_mkdir(fs, path, 0), "mkdir", seen);
    expect(fs_unlink(fs, path), "unlink", seen);
    expect(fs_rmdir(fs, path), "rmdir", seen);
    expect(fs_open(fs, path, &fi), "open", seen);
    expect(fs_create(fs, path, 0, &fi), "create", seen);
    expect(fs_opendir(fs, path, &fi), "opendir", seen);
    std::uint64_t block = 0;
    expect(fs_bmap(fs, path, 1, &block), "bmap", seen);
    expect(fs_syncfs(fs, path), "syncfs", seen);
    expect(fs_setxattr(fs, path, "user.a", "", 0, 0), "setxattr", seen);
    expect(fs_getxattr(fs, path, "user.a", buf, sizeof(buf)), "getxattr", seen);
    expect(fs_listxattr(fs, path, buf, sizeof(buf)), "listxattr", seen);
    expect(fs_removexattr(fs, path, "user.a"), "removexattr", seen);
    expect(fs_readlink(fs, path, buf, sizeof(buf)) + 1, "readlink", seen);
}

} // namespace module_probe
