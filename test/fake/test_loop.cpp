// How loops end and with what, loops of the application's own, and what is called at the end.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "recording_fs.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;

namespace {

ssize_t failing_read(int, void*, std::size_t, void*)
{
    errno = EIO;
    return -1;
}

/// Fails in each way that is no reason to stop, then reads.
ssize_t stumbling_read(int fd, void* buffer, std::size_t bytes, void*)
{
    static const int errors[] = {ENOENT, EINTR, EAGAIN, ENOENT};
    static std::size_t at = 0;
    if (at < std::size(errors)) {
        errno = errors[at++];
        return -1;
    }
    return ::read(fd, buffer, bytes);
}

ssize_t unmounted_read(int, void*, std::size_t, void*)
{
    errno = ENODEV;
    return -1;
}

fuse_session* g_session = nullptr;
int g_clones = 0;

} // namespace

START_TEST(the_end_of_the_connection_ends_the_loop_with_0)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        kernel.connect(loop);
        check_reply(kernel.ask(kern::OP_READLINK), 0);
        kernel.hang_up();
        ck_assert_int_eq(kernel.loop_result(), 0);
    }
}
END_TEST

START_TEST(exit_from_an_operation_ends_the_loop_with_0)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        kernel.connect(loop);
        g_session = kernel.session();
        fs.set_answer([](fuse_req_t req) {
            fuse_session_exit(g_session);
            fuse_reply_err(req, 0);
        });
        check_reply(kernel.ask(kern::OP_READLINK), 0);
        ck_assert_int_eq(kernel.loop_result(), 0);
    }
}
END_TEST

START_TEST(exit_from_another_thread_ends_an_idle_loop)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        kernel.connect(loop);
        ck_assert_int_eq(fuse_session_exited(kernel.session()), 0);
        fuse_session_exit(kernel.session());
        ck_assert_int_eq(kernel.loop_result(), 0);
    }
}
END_TEST

START_TEST(exit_before_the_loop_ends_it_at_once)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        fuse_session_exit(kernel.session());
        ck_assert_int_ne(fuse_session_exited(kernel.session()), 0);
        kernel.start(loop);
        ck_assert_int_eq(kernel.loop_result(), 0);
        check_calls(fs, "");
    }
}
END_TEST

START_TEST(a_session_can_loop_again)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (const Loop loop : {Loop::kThreads, Loop::kSingle, Loop::kThreads}) {
        fuse_session_exit(kernel.session());
        ck_assert_int_eq(kernel.loop_result(), 0);
        ck_assert_int_eq(fuse_session_exited(kernel.session()), 0);
        kernel.start(loop);
        check_reply(kernel.ask(kern::OP_READLINK), 0);
    }
    check_calls(fs, "init\nreadlink 7\nreadlink 7\nreadlink 7\n");
}
END_TEST

START_TEST(reset_takes_an_exit_back)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_session_exit(kernel.session());
    fuse_session_reset(kernel.session());
    ck_assert_int_eq(fuse_session_exited(kernel.session()), 0);
    kernel.connect();
    check_reply(kernel.ask(kern::OP_READLINK), 0);
}
END_TEST

START_TEST(a_signal_ends_the_loop_with_its_number)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        ck_assert_int_eq(fuse_set_signal_handlers(kernel.session()), 0);
        kernel.connect(loop);
        // SIGTERM and SIGINT are taken by the test runner.
        ck_assert_int_eq(::kill(::getpid(), SIGHUP), 0);
        ck_assert_int_eq(kernel.loop_result(), SIGHUP);
        fuse_remove_signal_handlers(kernel.session());
    }
}
END_TEST

START_TEST(a_failing_read_ends_the_loop_with_its_error)
{
    for (const Loop loop : {Loop::kSingle, Loop::kThreads}) {
        RecordingFs fs;
        fuse_custom_io io{};
        io.read = failing_read;
        FakeKernel kernel(recording_ops(), {.userdata = &fs, .io = io});
        kernel.start(loop);
        kernel.send(kern::OP_READLINK);
        ck_assert_int_eq(kernel.loop_result(), -EIO);
    }
}
END_TEST

START_TEST(a_read_that_stumbles_is_tried_again)
{
    RecordingFs fs;
    fuse_custom_io io{};
    io.read = stumbling_read;
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .io = io});
    kernel.connect(_i ? Loop::kThreads : Loop::kSingle);
    check_reply(kernel.ask(kern::OP_READLINK), 0);
}
END_TEST

START_TEST(enodev_is_an_unmount)
{
    RecordingFs fs;
    fuse_custom_io io{};
    io.read = unmounted_read;
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .io = io});
    kernel.start(_i ? Loop::kThreads : Loop::kSingle);
    kernel.send(kern::OP_READLINK);
    ck_assert_int_eq(kernel.loop_result(), 0);
}
END_TEST

START_TEST(destroy_is_called_once_at_the_request)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_reply(kernel.ask(kern::OP_DESTROY), 0);
    check_calls(fs, "init\ndestroy\n");
    check_reply(kernel.ask(kern::OP_DESTROY), 0);
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), 0);
    kernel.destroy_session();
    check_calls(fs, "");
}
END_TEST

START_TEST(destroy_is_called_with_the_session_s_end_if_it_was_not_asked_for)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), 0);
    check_calls(fs, "init\n");
    kernel.destroy_session();
    check_calls(fs, "destroy\n");
}
END_TEST

START_TEST(destroy_is_not_called_without_init)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.destroy_session();
    check_calls(fs, "");
}
END_TEST

START_TEST(a_loop_of_the_application_serves_requests)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_buf buf{};
    const auto step = [&] {
        const int bytes = fuse_session_receive_buf(kernel.session(), &buf);
        if (bytes > 0)
            fuse_session_process_buf(kernel.session(), &buf);
        return bytes;
    };
    kernel.send_init({});
    ck_assert_int_eq(step(), 40 + 64);
    ck_assert_int_eq(kernel.receive().header.error, 0);
    const void* mem = buf.mem;
    kernel.send(kern::OP_READLINK);
    ck_assert_int_eq(step(), 40);
    ck_assert_ptr_eq(buf.mem, mem);
    ck_assert_uint_eq(buf.size, 40);
    check_reply(kernel.receive(), 0);
    check_calls(fs, "init\nreadlink 7\n");
    ck_assert_int_eq(fuse_session_exited(kernel.session()), 0);
    kernel.hang_up();
    ck_assert_int_eq(step(), 0);
    ck_assert_int_ne(fuse_session_exited(kernel.session()), 0);
    std::free(buf.mem);
}
END_TEST

START_TEST(a_message_in_a_pipe_is_processed)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kern::fuse_in_header header{};
    header.len = sizeof(header);
    header.opcode = kern::OP_READLINK;
    header.unique = 99;
    int ends[2];
    ck_assert_int_eq(::pipe(ends), 0);
    ck_assert_int_eq(::write(ends[1], &header, sizeof(header)), static_cast<ssize_t>(sizeof(header)));
    fuse_buf buf{};
    buf.flags = FUSE_BUF_IS_FD;
    buf.fd = ends[0];
    buf.size = sizeof(header);
    fuse_session_process_buf(kernel.session(), &buf);
    const Reply reply = kernel.receive();
    ck_assert_uint_eq(reply.header.unique, 99);
    check_reply(reply, -EIO); // no INIT yet
    ::close(ends[0]);
    ::close(ends[1]);
}
END_TEST

START_TEST(threads_read_from_clones_of_the_descriptor)
{
    RecordingFs fs;
    fuse_custom_io io{};
    io.clone_fd = [](int fd) {
        ++g_clones;
        return ::dup(fd);
    };
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .io = io, .clone_fd = true});
    kernel.connect(Loop::kThreads);
    for (int i = 0; i < 20; ++i)
        check_reply(kernel.ask(kern::OP_READLINK), 0);
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), 0);
    ck_assert_int_ge(g_clones, 1);
}
END_TEST

START_TEST(an_answer_outlives_the_clone_its_request_came_through)
{
    RecordingFs fs;
    fuse_custom_io io{};
    io.clone_fd = [](int fd) { return ::dup(fd); };
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .io = io, .clone_fd = true});
    kernel.connect(Loop::kThreads);
    fs.set_answer(answer_later);
    const std::uint64_t unique = kernel.send(kern::OP_READLINK);
    fuse_req_t req = fs.take_held();
    fuse_session_exit(kernel.session());
    ck_assert_int_eq(kernel.loop_result(), 0);
    ck_assert_int_eq(fuse_reply_err(req, 0), 0);
    const Reply reply = kernel.receive();
    ck_assert_uint_eq(reply.header.unique, unique);
    check_reply(reply, 0);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_cloned_is_shared)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs, .clone_fd = true});
    kernel.connect(Loop::kThreads);
    check_reply(kernel.ask(kern::OP_READLINK), 0);
    check_logged("clone of /dev/fuse failed");
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        the_end_of_the_connection_ends_the_loop_with_0,
        exit_from_an_operation_ends_the_loop_with_0,
        exit_from_another_thread_ends_an_idle_loop,
        exit_before_the_loop_ends_it_at_once,
        a_session_can_loop_again,
        reset_takes_an_exit_back,
        a_signal_ends_the_loop_with_its_number,
        a_failing_read_ends_the_loop_with_its_error,
        {a_read_that_stumbles_is_tried_again, 0, 2},
        {enodev_is_an_unmount, 0, 2},
        destroy_is_called_once_at_the_request,
        destroy_is_called_with_the_session_s_end_if_it_was_not_asked_for,
        destroy_is_not_called_without_init,
        a_loop_of_the_application_serves_requests,
        a_message_in_a_pipe_is_processed,
        threads_read_from_clones_of_the_descriptor,
        an_answer_outlives_the_clone_its_request_came_through,
        a_descriptor_that_cannot_be_cloned_is_shared,
    };
    return run_tests("fake_loop", tests);
}
