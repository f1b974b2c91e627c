// What a call of a filesystem object means: missing operations, stand-ins, the context, the end.
// Longer than other tests: one recording filesystem serves all of them, and each call has its own rule when
// the operation is missing.
#include "highlevel/fs.hpp"

#include "check/runner.hpp"
#include "family/family.hpp"
#include "log_capture.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

using namespace rf::hl;

namespace {

struct Seen {
    int calls = 0;
    int destroyed = 0;
    void* private_data = nullptr;
    std::string path;
    std::string data;
    off_t off = 0;
    std::uint64_t fh = 0;
};
Seen g_seen;

void note(const char* path)
{
    ++g_seen.calls;
    g_seen.path = path ? path : "(null)";
    g_seen.private_data = thread_context().private_data;
}

constexpr char kContents[] = "0123456789";

int read_plain(const char* path, char* buf, size_t size, off_t off, fuse_file_info*)
{
    note(path);
    if (off >= 10)
        return 0;
    const size_t n = std::min<size_t>(size, 10 - static_cast<size_t>(off));
    std::memcpy(buf, kContents + off, n);
    return static_cast<int>(n);
}

int write_plain(const char* path, const char* buf, size_t size, off_t off, fuse_file_info*)
{
    note(path);
    g_seen.data.assign(buf, size);
    g_seen.off = off;
    return static_cast<int>(size);
}

// Two pieces, "012" in memory and "3456" in a descriptor.
int read_pieces(const char* path, fuse_bufvec** out, size_t, off_t, fuse_file_info*)
{
    note(path);
    auto* list = static_cast<fuse_bufvec*>(std::calloc(1, sizeof(fuse_bufvec) + sizeof(fuse_buf)));
    list->count = 2;
    list->buf[0] = {3, static_cast<fuse_buf_flags>(0), strdup("012"), -1, 0, 0};
    const int fd = ::memfd_create("pieces", MFD_CLOEXEC);
    ck_assert_int_eq(::write(fd, "3456", 4), 4);
    fuse_buf& second = (&list->buf[0])[1];
    second = {4, static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK), nullptr, fd, 0, 0};
    g_seen.fh = static_cast<std::uint64_t>(fd);
    *out = list;
    return 0;
}

int read_fails(const char* path, char*, size_t, off_t, fuse_file_info*)
{
    note(path);
    return -EISDIR;
}

int read_buf_without_data(const char* path, fuse_bufvec**, size_t, off_t, fuse_file_info*)
{
    note(path);
    return 0;
}

int read_too_much(const char* path, char*, size_t size, off_t, fuse_file_info*)
{
    note(path);
    return static_cast<int>(size) + 1;
}

int write_pieces(const char* path, fuse_bufvec* list, off_t off, fuse_file_info*)
{
    note(path);
    g_seen.off = off;
    char bytes[64];
    fuse_bufvec target = FUSE_BUFVEC_INIT(sizeof(bytes));
    target.buf[0].mem = bytes;
    const ssize_t n = fuse_buf_copy(&target, list, static_cast<fuse_buf_copy_flags>(0));
    g_seen.data.assign(bytes, static_cast<size_t>(n));
    return static_cast<int>(n);
}

/// A filesystem that lives as long as the test.
class Fs {
public:
    explicit Fs(const fuse_operations& op, void* user_data = nullptr)
        : fs_(fs_new(&op, sizeof(op), user_data))
    {
        ck_assert_ptr_nonnull(fs_);
    }
    ~Fs() { fs_destroy(fs_); }
    Fs(const Fs&) = delete;
    Fs& operator=(const Fs&) = delete;
    fuse_fs& operator*() { return *fs_; }

private:
    fuse_fs* fs_;
};

void reset()
{
    g_seen = {};
    thread_context() = {};
    log_capture::start();
}

} // namespace

START_TEST(missing_operations_are_enosys)
{
    Fs fs({});
    fuse_file_info fi{};
    struct stat st {};
    struct flock lock {};
    struct timespec tv[2] = {};
    struct statx stx {};
    unsigned events = 0;
    std::uint64_t block = 0;
    char buf[8];
    fuse_bufvec list = FUSE_BUFVEC_INIT(sizeof(buf));
    list.buf[0].mem = buf;
    fuse_bufvec* made = &list;
    const auto fill = [](void*, const char*, const struct stat*, off_t, fuse_fill_dir_flags) { return 0; };
    const long results[] = {
        fs_getattr(*fs, "/", &st, nullptr),
        fs_statx(*fs, "/", 0, 0, &stx, nullptr),
        fs_chmod(*fs, "/", 0, nullptr),
        fs_chown(*fs, "/", 0, 0, nullptr),
        fs_truncate(*fs, "/", 0, nullptr),
        fs_utimens(*fs, "/", tv, nullptr),
        fs_access(*fs, "/", 0),
        fs_mknod(*fs, "/a", S_IFREG, 0),
        fs_mkdir(*fs, "/a", 0),
        fs_unlink(*fs, "/a"),
        fs_rmdir(*fs, "/a"),
        fs_symlink(*fs, "b", "/a"),
        fs_readlink(*fs, "/a", buf, sizeof(buf)),
        fs_rename(*fs, "/a", "/b", 0),
        fs_link(*fs, "/a", "/b"),
        fs_create(*fs, "/a", S_IFREG, &fi),
        fs_flush(*fs, "/a", &fi),
        fs_fsync(*fs, "/a", 0, &fi),
        fs_lock(*fs, "/a", &fi, F_GETLK, &lock),
        fs_flock(*fs, "/a", &fi, 0),
        fs_poll(*fs, "/a", &fi, nullptr, &events),
        fs_bmap(*fs, "/a", 512, &block),
        fs_syncfs(*fs, "/"),
        fs_read(*fs, "/a", buf, sizeof(buf), 0, &fi),
        fs_read_buf(*fs, "/a", &made, sizeof(buf), 0, &fi),
        fs_write(*fs, "/a", buf, sizeof(buf), 0, &fi),
        fs_write_buf(*fs, "/a", &list, 0, &fi),
        fs_fallocate(*fs, "/a", 0, 0, 1, &fi),
        fs_copy_file_range(*fs, "/a", &fi, 0, "/b", &fi, 0, 1, 0),
        fs_lseek(*fs, "/a", 0, SEEK_DATA, &fi),
        fs_readdir(*fs, "/", nullptr, fill, 0, &fi, FUSE_READDIR_DEFAULTS),
        fs_fsyncdir(*fs, "/", 0, &fi),
        fs_setxattr(*fs, "/", "user.a", "", 0, 0),
        fs_getxattr(*fs, "/", "user.a", buf, sizeof(buf)),
        fs_listxattr(*fs, "/", buf, sizeof(buf)),
        fs_removexattr(*fs, "/", "user.a"),
    };
    for (size_t i = 0; i < sizeof(results) / sizeof(*results); ++i)
        ck_assert_msg(results[i] == -ENOSYS, "call %zu: %ld", i, results[i]);
    ck_assert_ptr_null(made);
}
END_TEST

START_TEST(opening_and_closing_need_no_operation)
{
    Fs fs({});
    fuse_file_info fi{};
    fi.fh = 7;
    ck_assert_int_eq(fs_open(*fs, "/a", &fi), 0);
    ck_assert_int_eq(fs_release(*fs, "/a", &fi), 0);
    ck_assert_int_eq(fs_opendir(*fs, "/", &fi), 0);
    ck_assert_int_eq(fs_releasedir(*fs, nullptr, &fi), 0);
    ck_assert_uint_eq(fi.fh, 7);
}
END_TEST

START_TEST(statfs_without_operation_is_the_minimum)
{
    Fs fs({});
    struct statvfs out {};
    ck_assert_int_eq(fs_statfs(*fs, "/", &out), 0);
    ck_assert_uint_eq(out.f_namemax, 255);
    ck_assert_uint_eq(out.f_bsize, 512);
    ck_assert_uint_eq(out.f_blocks, 0);
}
END_TEST

START_TEST(ioctl_without_operation_is_enotty)
{
    Fs fs({});
    fuse_file_info fi{};
    ck_assert_int_eq(fs_ioctl(*fs, "/a", 1, nullptr, &fi, 0, nullptr), -ENOTTY);
}
END_TEST

START_TEST(read_stands_in_for_read_buf)
{
    fuse_operations op{};
    op.read = read_plain;
    Fs fs(op);
    fuse_bufvec* list = nullptr;
    ck_assert_int_eq(fs_read_buf(*fs, "/a", &list, 100, 4, nullptr), 0);
    ck_assert_uint_eq(list->count, 1);
    ck_assert_uint_eq(list->buf[0].size, 6);
    ck_assert_mem_eq(list->buf[0].mem, "456789", 6);
    free_bufvec(list);
}
END_TEST

START_TEST(read_buf_stands_in_for_read)
{
    fuse_operations op{};
    op.read_buf = read_pieces;
    Fs fs(op);
    char buf[16] = {};
    ck_assert_int_eq(fs_read(*fs, nullptr, buf, sizeof(buf), 0, nullptr), 7);
    ck_assert_str_eq(buf, "0123456");
    ck_assert_str_eq(g_seen.path.c_str(), "(null)");
    // The descriptor is the filesystem's: freeing the list leaves it open.
    ck_assert_int_eq(::close(static_cast<int>(g_seen.fh)), 0);
}
END_TEST

START_TEST(pieces_of_programs_of_before_3_17_are_found_and_freed)
{
    rf::family::current_family = rf::family::Family::kB;
    fuse_operations op{};
    op.read_buf = [](const char*, fuse_bufvec** out, size_t, off_t, fuse_file_info*) {
        // Two pieces, each without mem_size.
        auto* list = static_cast<fuse_bufvec*>(std::calloc(1, 24 + 2 * 40));
        list->count = 2;
        const char* const texts[] = {"abc", "defg"};
        for (size_t i = 0; i < 2; ++i) {
            char* at = reinterpret_cast<char*>(list) + 24 + i * 40;
            const size_t size = std::strlen(texts[i]);
            char* text = strdup(texts[i]);
            std::memcpy(at, &size, sizeof(size));
            std::memcpy(at + 16, &text, sizeof(text));
        }
        *out = list;
        return 0;
    };
    Fs fs(op);
    char buf[16] = {};
    ck_assert_int_eq(fs_read(*fs, "/a", buf, sizeof(buf), 0, nullptr), 7);
    ck_assert_str_eq(buf, "abcdefg");
}
END_TEST

START_TEST(read_buf_is_preferred_to_read)
{
    fuse_operations op{};
    op.read = read_fails;
    op.read_buf = read_pieces;
    Fs fs(op);
    char buf[4];
    ck_assert_int_eq(fs_read(*fs, "/a", buf, sizeof(buf), 0, nullptr), 4);
    ck_assert_mem_eq(buf, "0123", 4);
    ck_assert_int_eq(::close(static_cast<int>(g_seen.fh)), 0);
}
END_TEST

START_TEST(a_failed_read_leaves_no_list)
{
    fuse_operations op{};
    op.read = read_fails;
    Fs fs(op);
    fuse_bufvec* list = nullptr;
    ck_assert_int_eq(fs_read_buf(*fs, "/a", &list, 10, 0, nullptr), -EISDIR);
    ck_assert_ptr_null(list);
    op.read_buf = read_buf_without_data;
    Fs empty(op);
    ck_assert_int_eq(fs_read_buf(*empty, "/a", &list, 10, 0, nullptr), -EIO);
    ck_assert_ptr_null(list);
}
END_TEST

START_TEST(reading_more_than_asked_for_is_logged)
{
    fuse_operations op{};
    op.read = read_too_much;
    Fs fs(op);
    char buf[4];
    ck_assert_int_eq(fs_read(*fs, "/a", buf, sizeof(buf), 0, nullptr), 5);
    ck_assert(log_capture::contains("path=/a"));
    ck_assert(log_capture::contains("bytes=5 size=4"));
}
END_TEST

START_TEST(write_stands_in_for_write_buf)
{
    fuse_operations op{};
    op.write = write_plain;
    Fs fs(op);
    char data[] = "abcdef";
    fuse_bufvec list = FUSE_BUFVEC_INIT(6);
    list.buf[0].mem = data;
    ck_assert_int_eq(fs_write_buf(*fs, "/a", &list, 11, nullptr), 6);
    ck_assert_str_eq(g_seen.data.c_str(), "abcdef");
    ck_assert_int_eq(g_seen.off, 11);
    // A list somebody has taken bytes from begins behind them.
    list.off = 2;
    ck_assert_int_eq(fs_write_buf(*fs, "/a", &list, 0, nullptr), 4);
    ck_assert_str_eq(g_seen.data.c_str(), "cdef");
}
END_TEST

START_TEST(write_gets_pieces_as_one)
{
    fuse_operations op{};
    op.write = write_plain;
    Fs fs(op);
    fuse_bufvec* list = nullptr;
    ck_assert_int_eq(read_pieces("/", &list, 0, 0, nullptr), 0);
    const int fd = static_cast<int>(g_seen.fh);
    ck_assert_int_eq(fs_write_buf(*fs, "/a", list, 5, nullptr), 7);
    ck_assert_str_eq(g_seen.data.c_str(), "0123456");
    free_bufvec(list);
    ck_assert_int_eq(::close(fd), 0);
}
END_TEST

START_TEST(write_buf_stands_in_for_write)
{
    fuse_operations op{};
    op.write_buf = write_pieces;
    Fs fs(op);
    ck_assert_int_eq(fs_write(*fs, "/a", "xyz", 3, 9, nullptr), 3);
    ck_assert_str_eq(g_seen.data.c_str(), "xyz");
    ck_assert_int_eq(g_seen.off, 9);
}
END_TEST

START_TEST(an_operation_sees_its_own_data_and_the_caller_finds_its_own_again)
{
    int above = 0;
    int below = 0;
    fuse_operations op{};
    op.unlink = [](const char* path) {
        note(path);
        return -EROFS;
    };
    Fs fs(op, &below);
    thread_context().private_data = &above;
    ck_assert_int_eq(fs_unlink(*fs, "/a"), -EROFS);
    ck_assert_ptr_eq(g_seen.private_data, &below);
    ck_assert_ptr_eq(thread_context().private_data, &above);
}
END_TEST

START_TEST(a_short_table_ends_in_nothing)
{
    fuse_operations op{};
    op.getattr = [](const char*, struct stat*, fuse_file_info*) { return 0; };
    op.lseek = [](const char*, off_t, int, fuse_file_info*) -> off_t { return 1; };
    fuse_fs* fs = fs_new(&op, offsetof(fuse_operations, lseek), nullptr);
    struct stat st {};
    ck_assert_int_eq(fs_getattr(*fs, "/", &st, nullptr), 0);
    ck_assert_int_eq(fs_lseek(*fs, "/", 0, SEEK_DATA, nullptr), -ENOSYS);
    ck_assert(log_capture::is_empty());
    fs_destroy(fs);
}
END_TEST

START_TEST(a_long_table_is_cut_with_a_message)
{
    struct {
        fuse_operations op;
        void (*unknown)();
    } newer{};
    fuse_fs* fs = fs_new(&newer.op, sizeof(newer), nullptr);
    ck_assert_ptr_nonnull(fs);
    ck_assert(log_capture::contains("newer than this library"));
    fs_destroy(fs);
}
END_TEST

START_TEST(init_decides_over_the_data_that_destroy_gets)
{
    static int made = 0;
    fuse_operations op{};
    op.init = [](fuse_conn_info*, fuse_config* config) -> void* {
        config->nullpath_ok = 1;
        return &made;
    };
    op.destroy = [](void* data) {
        ++g_seen.destroyed;
        g_seen.private_data = data;
    };
    int given = 0;
    fuse_fs* fs = fs_new(&op, sizeof(op), &given);
    fuse_conn_info conn{};
    fuse_config config{};
    fs_init(*fs, conn, &config);
    ck_assert_int_eq(config.nullpath_ok, 1);
    ck_assert_ptr_eq(fs->user_data, &made);
    fs_destroy(fs);
    ck_assert_int_eq(g_seen.destroyed, 1);
    ck_assert_ptr_eq(g_seen.private_data, &made);
}
END_TEST

START_TEST(a_filesystem_without_init_keeps_its_data)
{
    int given = 0;
    Fs fs({}, &given);
    fuse_conn_info conn{};
    fuse_config config{};
    fs_init(*fs, conn, &config);
    ck_assert_ptr_eq((*fs).user_data, &given);
}
END_TEST

START_TEST(init_turns_down_what_the_operations_cannot_serve)
{
    constexpr std::uint64_t kAll = FUSE_CAP_SPLICE_READ | FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS;
    fuse_operations op{};
    fuse_config config{};
    fuse_conn_info conn{};
    conn.capable_ext = kAll;
    ck_assert(fuse_set_feature_flag(&conn, kAll));
    Fs bare(op);
    fs_init(*bare, conn, &config);
    ck_assert_uint_eq(conn.want_ext, 0);

    ck_assert(fuse_set_feature_flag(&conn, kAll));
    op.write_buf = write_pieces;
    op.lock = [](const char*, fuse_file_info*, int, struct flock*) { return 0; };
    op.flock = [](const char*, fuse_file_info*, int) { return 0; };
    Fs able(op);
    fs_init(*able, conn, &config);
    ck_assert_uint_eq(conn.want_ext, kAll);
}
END_TEST

START_TEST(what_never_began_is_dropped_without_destroy)
{
    fuse_operations op{};
    op.destroy = [](void*) { ++g_seen.destroyed; };
    fs_discard(fs_new(&op, sizeof(op), nullptr));
    ck_assert_int_eq(g_seen.destroyed, 0);
    fs_discard(nullptr);
    fs_destroy(nullptr);
}
END_TEST

START_TEST(tracing_writes_one_line_per_call)
{
    rf::log::set_debug(true);
    fuse_operations op{};
    op.unlink = [](const char*) { return 0; };
    Fs fs(op);
    ck_assert_int_eq(fs_unlink(*fs, "/quiet"), 0);
    ck_assert(log_capture::is_empty());
    (*fs).debug = true;
    ck_assert_int_eq(fs_unlink(*fs, "/loud"), 0);
    ck_assert(log_capture::contains("unlink path=/loud"));
    ck_assert_int_eq(fs_unlink(*fs, nullptr), 0);
    rf::log::set_debug(false);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        missing_operations_are_enosys,
        opening_and_closing_need_no_operation,
        statfs_without_operation_is_the_minimum,
        ioctl_without_operation_is_enotty,
        read_stands_in_for_read_buf,
        read_buf_stands_in_for_read,
        pieces_of_programs_of_before_3_17_are_found_and_freed,
        read_buf_is_preferred_to_read,
        a_failed_read_leaves_no_list,
        reading_more_than_asked_for_is_logged,
        write_stands_in_for_write_buf,
        write_gets_pieces_as_one,
        write_buf_stands_in_for_write,
        an_operation_sees_its_own_data_and_the_caller_finds_its_own_again,
        a_short_table_ends_in_nothing,
        a_long_table_is_cut_with_a_message,
        init_decides_over_the_data_that_destroy_gets,
        a_filesystem_without_init_keeps_its_data,
        init_turns_down_what_the_operations_cannot_serve,
        what_never_began_is_dropped_without_destroy,
        tracing_writes_one_line_per_call,
    };
    return rf::test::run_tests("fs", tests, {.before = reset});
}
