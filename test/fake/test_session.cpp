// Sessions as a whole: how they are made, on which descriptors, and what they say about themselves.
#include "cases.hpp"
#include "check/runner.hpp"

#include <fuse_opt.h>
#include <ringfuse/ringfuse.h>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

ssize_t failing_read(int, void*, std::size_t, void*)
{
    errno = EIO;
    return -1;
}

ssize_t some_writev(int, iovec*, int, void*)
{
    return 0;
}

fuse_session* new_session(std::vector<const char*> words, const fuse_lowlevel_ops* ops, std::size_t op_size)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    for (const char* word : words)
        ck_assert_int_eq(fuse_opt_add_arg(&args, word), 0);
    const libfuse_version version{3, 19, 0, 0};
    fuse_session* session = fuse_session_new_versioned(&args, ops, op_size, &version, nullptr);
    fuse_opt_free_args(&args);
    return session;
}

} // namespace

START_TEST(custom_io_needs_its_functions_and_a_descriptor)
{
    const fuse_lowlevel_ops ops = recording_ops();
    fuse_session* session = new_session({"fake"}, &ops, sizeof(ops));
    ck_assert_ptr_nonnull(session);
    fuse_custom_io io{};
    ck_assert_int_eq(fuse_session_custom_io_317(session, nullptr, sizeof(io), 5), -EINVAL);
    ck_assert_int_eq(fuse_session_custom_io_317(session, &io, sizeof(io), 5), -EINVAL);
    io.read = failing_read;
    ck_assert_int_eq(fuse_session_custom_io_317(session, &io, sizeof(io), 5), -EINVAL);
    io.writev = some_writev;
    ck_assert_int_eq(fuse_session_custom_io_317(session, &io, sizeof(io), -1), -EBADF);
    ck_assert_int_eq(fuse_session_custom_io_317(nullptr, &io, sizeof(io), 5), -EBADF);
    // A size that ends before `read` hides it.
    ck_assert_int_eq(fuse_session_custom_io_317(session, &io, offsetof(fuse_custom_io, read), 5), -EINVAL);
    ck_assert_int_eq(fuse_session_fd(session), -1);
    const int fd = ::dup(STDERR_FILENO);
    ck_assert_int_eq(fuse_session_custom_io_30(session, &io, fd), 0);
    ck_assert_int_eq(fuse_session_fd(session), fd);
    fuse_session_destroy(session);
    // The descriptor was the session's.
    ck_assert_int_eq(::close(fd), -1);
}
END_TEST

START_TEST(unmount_gives_the_descriptor_up)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    fuse_session_exit(kernel.session());
    ck_assert_int_eq(kernel.loop_result(), 0);
    const int fd = fuse_session_fd(kernel.session());
    ck_assert_int_ge(fd, 0);
    fuse_session_unmount(kernel.session());
    ck_assert_int_eq(fuse_session_fd(kernel.session()), -1);
    ck_assert_int_eq(::close(fd), -1);
    ck_assert_int_eq(fuse_lowlevel_notify_inval_inode(kernel.session(), 1, 0, 0), -ENOTCONN);
    fuse_session_unmount(kernel.session());
}
END_TEST

START_TEST(a_loop_without_a_descriptor_is_an_error)
{
    const fuse_lowlevel_ops ops = recording_ops();
    fuse_session* session = new_session({"fake"}, &ops, sizeof(ops));
    ck_assert_int_lt(fuse_session_loop(session), 0);
    fuse_buf buf{};
    ck_assert_int_eq(fuse_session_receive_buf(session, &buf), -EINVAL);
    fuse_session_destroy(session);
}
END_TEST

START_TEST(operations_behind_op_size_are_not_called)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .op_size = offsetof(fuse_lowlevel_ops, readlink)});
    kernel.connect();
    check_reply(kernel.ask(kern::OP_GETATTR, Bytes(16)), 0);
    check_reply(kernel.ask(kern::OP_READLINK), -ENOSYS);
    check_calls(fs, "init\ngetattr 7 no-file\n");
}
END_TEST

START_TEST(operations_from_the_future_are_ignored)
{
    struct {
        fuse_lowlevel_ops known = recording_ops();
        void (*unknown[4])() = {};
    } newer;
    RecordingFs fs;
    FakeKernel kernel(newer.known, {.userdata = &fs, .op_size = sizeof(newer)});
    check_logged("op_size=");
    kernel.connect();
    check_reply(kernel.ask(kern::OP_READLINK), 0);
}
END_TEST

START_TEST(wrong_arguments_make_no_session)
{
    const fuse_lowlevel_ops ops = recording_ops();
    ck_assert_ptr_null(new_session({}, &ops, sizeof(ops)));
    ck_assert_ptr_null(new_session({"fake"}, nullptr, sizeof(ops)));
    ck_assert_ptr_null(new_session({"fake"}, &ops, 0));
    ck_assert_ptr_null(new_session({"fake", "--no-such-option"}, &ops, sizeof(ops)));
    ck_assert_ptr_null(new_session({"fake", "-otransport=telepathy"}, &ops, sizeof(ops)));
}
END_TEST

START_TEST(debug_says_what_comes_and_goes)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.options = {"-d"}, .userdata = &fs});
    kernel.connect();
    (void)take_log();
    const std::uint64_t unique = kernel.send(kern::OP_READLINK);
    kernel.receive();
    const std::string log = take_log();
    ck_assert_msg(log.find("unique=" + std::to_string(unique) + " op=READLINK") != std::string::npos, "%s",
                  log.c_str());
    ck_assert_msg(log.find("answer: unique=" + std::to_string(unique)) != std::string::npos, "%s",
                  log.c_str());
    fuse_session_set_debug(kernel.session(), 0);
    (void)take_log();
    kernel.ask(kern::OP_READLINK);
    kernel.expect_silence();
    const std::string silence = take_log();
    ck_assert_str_eq(silence.c_str(), "");
}
END_TEST

START_TEST(allow_root_keeps_others_out)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.options = {"-oallow_root"}, .userdata = &fs});
    kernel.connect();
    const std::uint32_t stranger = ::getuid() + 12345;
    const Bytes name = text("a\0"sv);
    check_reply(kernel.ask(kern::OP_LOOKUP, name, {.uid = stranger}), -EACCES);
    check_reply(kernel.ask(kern::OP_OPEN, Bytes(8), {.uid = stranger}), -EACCES);
    check_reply(kernel.ask(kern::OP_LOOKUP, name, {.uid = 0}), 0);
    check_reply(kernel.ask(kern::OP_LOOKUP, name, {.uid = ::getuid()}), 0);
    // What is open already goes on, and lookups are given back.
    for (const std::uint32_t opcode : {kern::OP_READ, kern::OP_READDIR, kern::OP_RELEASE, kern::OP_RELEASEDIR,
                                       kern::OP_FSYNC, kern::OP_FSYNCDIR, kern::OP_WRITE})
        check_reply(kernel.ask(opcode, Bytes(40), {.uid = stranger}), 0);
    check_calls(fs, "init\nlookup 7 a\nlookup 7 a\nread 7 0 0 fh 0 flags 0 owner 0\n"
                    "readdir 7 0 0 fh 0 flags 0 owner 0\nrelease 7 fh 0 flags 0 owner 0\n"
                    "releasedir 7 fh 0 flags 0 owner 0\nfsync 7 0 fh 0 flags 0 owner 0\n"
                    "fsyncdir 7 0 fh 0 flags 0 owner 0\nwrite_buf 7 '' 0 fh 0 flags 0 owner 0\n");
    kernel.send_with_unique(0, kern::OP_FORGET, bytes_of(kern::fuse_forget_in{3}), {.uid = stranger});
    kernel.expect_silence();
    check_calls(fs, "forget 7 3\n");
}
END_TEST

START_TEST(a_session_on_a_descriptor_says_so)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    ck_assert_str_eq(ringfuse_transport_name(kernel.session()), "none");
    kernel.connect();
    kernel.ask(kern::OP_READLINK);
    ck_assert_str_eq(ringfuse_transport_name(kernel.session()), "custom_io");
    ringfuse_stats stats{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &stats, sizeof(stats)), 0);
    ck_assert_uint_eq(stats.ring_requests, 0);
    ck_assert_uint_eq(stats.device_requests, 2);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        custom_io_needs_its_functions_and_a_descriptor,
        unmount_gives_the_descriptor_up,
        a_loop_without_a_descriptor_is_an_error,
        operations_behind_op_size_are_not_called,
        operations_from_the_future_are_ignored,
        wrong_arguments_make_no_session,
        debug_says_what_comes_and_goes,
        allow_root_keeps_others_out,
        a_session_on_a_descriptor_says_so,
    };
    return run_tests("fake_session", tests);
}
