// Requests about open files and directories.
#include "cases.hpp"

#include <fcntl.h>
#include <sys/file.h>

namespace rf::fake {
namespace {

using namespace std::string_view_literals;

void answer_open(fuse_req_t req)
{
    const fuse_file_info fi = sample_open();
    fuse_reply_open(req, &fi);
}

void answer_count(fuse_req_t req)
{
    fuse_reply_write(req, 91);
}

void answer_lock(fuse_req_t req)
{
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 10;
    lock.l_len = 5;
    lock.l_pid = 92;
    fuse_reply_lock(req, &lock);
}

void answer_ioctl(fuse_req_t req)
{
    fuse_reply_ioctl(req, -93, "out", 3);
}

void answer_poll(fuse_req_t req)
{
    fuse_reply_poll(req, 94);
}

void answer_position(fuse_req_t req)
{
    fuse_reply_lseek(req, 95);
}

kern::fuse_lk_in lock_in(std::uint64_t end, std::uint32_t type, std::uint32_t flags)
{
    return {.fh = 1,
            .owner = 2,
            .lk = {.start = 3, .end = end, .type = type, .pid = 5},
            .lk_flags = flags,
            .padding = 0};
}

constexpr kern::fuse_ioctl_in kIoctl{.fh = 1, .flags = 0, .cmd = 2, .arg = 3, .in_size = 4, .out_size = 5};

std::vector<Case> lock_cases()
{
    using namespace kern;
    constexpr std::uint64_t kToTheEnd = 0x7fffffffffffffff;
    const Bytes lock = bytes_of(fuse_file_lock{10, 14, F_WRLCK, 92});
    return {
        {"getlk", OP_GETLK, bytes_of(lock_in(9, F_WRLCK, 0)), "getlk 7 fh 1 flags 0 owner 2 lock 1 0 3 7 5",
         answer_lock, lock},
        {"setlk", OP_SETLK, bytes_of(lock_in(9, F_UNLCK, 0)), "setlk 7 fh 1 flags 0 owner 2 lock 2 0 3 7 5 0",
         answer_ok},
        {"setlk to the end and waiting", OP_SETLKW, bytes_of(lock_in(kToTheEnd, F_RDLCK, 0)),
         "setlk 7 fh 1 flags 0 owner 2 lock 0 0 3 0 5 1", answer_ok},
        {"flock shared", OP_SETLKW, bytes_of(lock_in(kToTheEnd, F_RDLCK, LK_FLOCK)),
         call("flock", 7, "fh 1 flags 0 owner 2", LOCK_SH), answer_ok},
        {"flock exclusive without waiting", OP_SETLK, bytes_of(lock_in(kToTheEnd, F_WRLCK, LK_FLOCK)),
         call("flock", 7, "fh 1 flags 0 owner 2", LOCK_EX | LOCK_NB), answer_ok},
        {"flock released", OP_SETLK, bytes_of(lock_in(kToTheEnd, F_UNLCK, LK_FLOCK)),
         call("flock", 7, "fh 1 flags 0 owner 2", LOCK_UN | LOCK_NB), answer_ok},
    };
}

std::vector<Case> device_cases()
{
    using namespace kern;
    fuse_ioctl_in without_data = kIoctl;
    without_data.in_size = 0;
    fuse_ioctl_in of_directory = kIoctl;
    of_directory.flags = kIoctlDir;
    const Bytes ioctl = bytes_of(fuse_ioctl_out{-93, 0, 0, 0}) + text("out");
    const Bytes poll = bytes_of(fuse_poll_out{94, 0});
    return {
        {"ioctl", OP_IOCTL, bytes_of(kIoctl) + text("data"), "ioctl 7 2 3 fh 1 flags 0 owner 0 0 'data' 5",
         answer_ioctl, ioctl},
        {"ioctl without data", OP_IOCTL, bytes_of(without_data), "ioctl 7 2 3 fh 1 flags 0 owner 0 0 none 5",
         answer_ioctl, ioctl},
        {"ioctl of a directory", OP_IOCTL, bytes_of(of_directory) + text("data"),
         "ioctl 7 2 3 fh 1 flags 0 owner 0 16 'data' 5", answer_ioctl, ioctl},
        {"poll", OP_POLL, bytes_of(fuse_poll_in{1, 2, 0, 3}), "poll 7 fh 1 flags 0 owner 0 events 3 once",
         answer_poll, poll},
        {"poll with a wish to be told", OP_POLL, bytes_of(fuse_poll_in{1, 2, POLL_SCHEDULE_NOTIFY, 3}),
         "poll 7 fh 1 flags 0 owner 0 events 3 notify", answer_poll, poll},
    };
}

} // namespace

std::vector<Case> file_cases()
{
    using namespace kern;
    const Bytes opened = bytes_of(sample_wire_open());
    const fuse_copy_file_range_in range{1, 2, 3, 4, 5, 6, 7};
    std::vector<Case> cases = {
        {"open", OP_OPEN, bytes_of(fuse_open_in{1, 0}), "open 7 fh 0 flags 1 owner 0", answer_open, opened},
        {"read", OP_READ, bytes_of(fuse_read_in{1, 2, 3, READ_LOCKOWNER, 4, 5, 0}),
         "read 7 3 2 fh 1 flags 5 owner 4", answer_buffer, text("content")},
        {"write", OP_WRITE, bytes_of(fuse_write_in{1, 2, 4, 0, 4, 5, 0}) + text("data"),
         "write_buf 7 'data' 2 fh 1 flags 5 owner 4", answer_count, bytes_of(fuse_write_out{91, 0})},
        {"write from the page cache", OP_WRITE,
         bytes_of(fuse_write_in{1, 2, 4, WRITE_CACHE, 4, 5, 0}) + text("data"),
         "write_buf 7 'data' 2 fh 1 flags 5 owner 4 writepage", answer_count,
         bytes_of(fuse_write_out{91, 0})},
        {"flush", OP_FLUSH, bytes_of(fuse_flush_in{1, 0, 0, 2}), "flush 7 fh 1 flags 0 owner 2 flush",
         answer_ok},
        {"release",
         OP_RELEASE,
         bytes_of(fuse_release_in{1, 2, 0, 3}),
         "release 7 fh 1 flags 2 owner 3",
         answer_ok,
         {},
         0},
        {"release with flush and unlock",
         OP_RELEASE,
         bytes_of(fuse_release_in{1, 2, 3, 3}),
         "release 7 fh 1 flags 2 owner 3 flush flock_release",
         answer_ok,
         {},
         0},
        {"fsync", OP_FSYNC, bytes_of(fuse_fsync_in{1, 0, 0}), "fsync 7 0 fh 1 flags 0 owner 0", answer_ok},
        {"fdatasync", OP_FSYNC, bytes_of(fuse_fsync_in{1, 1, 0}), "fsync 7 1 fh 1 flags 0 owner 0",
         answer_ok},
        {"fallocate", OP_FALLOCATE, bytes_of(fuse_fallocate_in{1, 2, 3, 4, 0}),
         "fallocate 7 4 2 3 fh 1 flags 0 owner 0", answer_ok},
        {"lseek", OP_LSEEK, bytes_of(fuse_lseek_in{1, 2, SEEK_HOLE, 0}), "lseek 7 2 4 fh 1 flags 0 owner 0",
         answer_position, bytes_of(fuse_lseek_out{95})},
        {"copy_file_range", OP_COPY_FILE_RANGE, bytes_of(range),
         "copy_file_range 7 2 fh 1 flags 0 owner 0 3 5 fh 4 flags 0 owner 0 6 7", answer_count,
         bytes_of(fuse_write_out{91, 0})},
        {"copy_file_range with a wide answer", OP_COPY_FILE_RANGE_64, bytes_of(range),
         "copy_file_range 7 2 fh 1 flags 0 owner 0 3 5 fh 4 flags 0 owner 0 6 7", answer_count,
         bytes_of(fuse_copy_file_range_out{91})},
    };
    for (const std::vector<Case>& more : {lock_cases(), device_cases()})
        cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

std::vector<Case> directory_cases()
{
    using namespace kern;
    const Bytes opened = bytes_of(sample_wire_open());
    return {
        {"opendir", OP_OPENDIR, bytes_of(fuse_open_in{1, 0}), "opendir 7 fh 0 flags 1 owner 0", answer_open,
         opened},
        {"readdir", OP_READDIR, bytes_of(fuse_read_in{1, 2, 3, 0, 0, 0, 0}),
         "readdir 7 3 2 fh 1 flags 0 owner 0", answer_buffer, text("content")},
        {"readdirplus", OP_READDIRPLUS, bytes_of(fuse_read_in{1, 2, 3, 0, 0, 0, 0}),
         "readdirplus 7 3 2 fh 1 flags 0 owner 0", answer_buffer, text("content")},
        {"releasedir",
         OP_RELEASEDIR,
         bytes_of(fuse_release_in{1, 2, 0, 0}),
         "releasedir 7 fh 1 flags 2 owner 0",
         answer_ok,
         {},
         0},
        {"fsyncdir", OP_FSYNCDIR, bytes_of(fuse_fsync_in{1, 1, 0}), "fsyncdir 7 1 fh 1 flags 0 owner 0",
         answer_ok},
    };
}

} // namespace rf::fake
