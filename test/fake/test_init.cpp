// INIT: what is answered, what the filesystem sees of it, and what ends the
// session.
#include "cases.hpp"
#include "check/runner.hpp"

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

void want_too_much(fuse_conn_info* conn)
{
    conn->want_ext |= FUSE_CAP_WRITEBACK_CACHE;
}

void set_max_read(fuse_conn_info* conn)
{
    conn->max_read = 65536;
}

/// The session refuses the INIT with EPROTO and its loop ends with that.
void check_refused(FakeKernel& kernel, const Hello& hello)
{
    kernel.start();
    kernel.send_init(hello);
    check_reply(kernel.receive(), -EPROTO);
    ck_assert_int_eq(kernel.loop_result(), -EPROTO);
    kernel.destroy_session();
}

} // namespace

START_TEST(requests_before_init_get_eio)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.start();
    for (const Case& one : all_cases())
        check_reply(kernel.ask(one.opcode, one.body), -EIO);
    check_reply(kernel.ask(kern::OP_DESTROY), -EIO);
    check_reply(kernel.ask(63), -EIO);
    check_calls(fs, "");
}
END_TEST

START_TEST(forget_before_init_stays_unanswered)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.start();
    kernel.send_with_unique(0, kern::OP_FORGET, bytes_of(kern::fuse_forget_in{1}));
    kernel.expect_silence();
    check_calls(fs, "");
}
END_TEST

START_TEST(second_init_gets_eio_and_changes_nothing)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kernel.send_init({.minor = 8});
    check_reply(kernel.receive(), -EIO);
    check_calls(fs, "init\n");
    fs.set_answer(answer_entry);
    // Still the long form: the minor of the first INIT is in force.
    check_reply(kernel.ask(kern::OP_LOOKUP, text("a\0"sv)), 0, bytes_of(sample_wire_entry()));
}
END_TEST

START_TEST(a_future_major_is_told_ours_and_asks_again)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.start();
    kernel.send_init({.major = 8, .minor = 3});
    kern::fuse_init_out ours{};
    ours.major = 7;
    ours.minor = 45;
    check_reply(kernel.receive(), 0, bytes_of(ours));
    check_calls(fs, "");
    check_reply(kernel.ask(kern::OP_LOOKUP, text("a\0"sv)), -EIO);
    kernel.send_init({});
    ck_assert_int_eq(kernel.receive().header.error, 0);
    check_calls(fs, "init\n");
    check_reply(kernel.ask(kern::OP_LOOKUP, text("a\0"sv)), 0);
}
END_TEST

START_TEST(an_older_major_ends_the_session)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    check_refused(kernel, {.major = 6, .minor = 45});
    check_calls(fs, "");
}
END_TEST

START_TEST(an_init_without_a_version_gets_eio_and_the_next_works)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.start();
    for (std::size_t bytes = 0; bytes < 8; ++bytes) {
        kernel.send_init({.bytes = bytes});
        check_reply(kernel.receive(), -EIO);
    }
    check_calls(fs, "");
    kernel.send_init({});
    ck_assert_int_eq(kernel.receive().header.error, 0);
}
END_TEST

START_TEST(the_filesystem_sees_the_offer)
{
    RecordingFs fs;
    static fuse_conn_info seen;
    fs.set_init([](fuse_conn_info* conn) { seen = *conn; });
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kSingle, {.minor = 31,
                                   .max_readahead = 65536,
                                   .flags = kern::INIT_ASYNC_READ | kern::INIT_WRITEBACK_CACHE,
                                   .bytes = 16});
    check_calls(fs, "init\n");
    ck_assert_uint_eq(seen.proto_major, 7);
    ck_assert_uint_eq(seen.proto_minor, 31);
    ck_assert_uint_eq(seen.max_readahead, 65536);
    ck_assert_uint_ge(seen.max_write, 128 * 1024);
    ck_assert_uint_eq(seen.max_read, 0);
    ck_assert_uint_eq(seen.time_gran, 1);
    constexpr std::uint64_t kOffered = FUSE_CAP_ASYNC_READ | FUSE_CAP_WRITEBACK_CACHE;
    ck_assert_uint_eq(seen.capable_ext, kOffered);
    ck_assert_uint_eq(seen.capable, kOffered);
    ck_assert_uint_eq(seen.want_ext, FUSE_CAP_ASYNC_READ);
    ck_assert_uint_eq(seen.want, FUSE_CAP_ASYNC_READ);
}
END_TEST

START_TEST(what_the_filesystem_wants_is_answered)
{
    RecordingFs fs;
    fs.set_init([](fuse_conn_info* conn) {
        conn->max_write = 65536;
        conn->max_readahead = 4096;
        conn->max_background = 40;
        conn->congestion_threshold = 20;
        conn->time_gran = 1000;
        fuse_set_feature_flag(conn, FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_PASSTHROUGH);
        fuse_unset_feature_flag(conn, FUSE_CAP_ASYNC_READ);
    });
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    const kern::fuse_init_out out = kernel.connect();
    ck_assert_uint_eq(out.max_write, 65536);
    ck_assert_uint_eq(out.max_readahead, 4096);
    ck_assert_uint_eq(out.max_background, 40);
    ck_assert_uint_eq(out.congestion_threshold, 20);
    ck_assert_uint_eq(out.time_gran, 1000);
    ck_assert_uint_eq(out.max_pages, 16);
    ck_assert(out.flags & kern::INIT_WRITEBACK_CACHE);
    ck_assert(!(out.flags & kern::INIT_ASYNC_READ));
    // A custom descriptor carries no ring, whoever offers or wants one.
    ck_assert_uint_eq(out.flags2 & (kern::INIT_OVER_IO_URING >> 32), 0);
}
END_TEST

START_TEST(wanting_what_is_not_offered_ends_the_session)
{
    RecordingFs fs;
    fs.set_init(want_too_much);
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    check_refused(kernel, {.flags = kern::INIT_ASYNC_READ});
    // Its init() ran, so its destroy() does.
    check_calls(fs, "init\ndestroy\n");
}
END_TEST

START_TEST(changing_want_and_want_ext_differently_ends_the_session)
{
    RecordingFs fs;
    fs.set_init([](fuse_conn_info* conn) {
        conn->want |= FUSE_CAP_WRITEBACK_CACHE;
        conn->want_ext |= FUSE_CAP_PASSTHROUGH;
    });
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    check_refused(kernel, {});
}
END_TEST

START_TEST(a_max_read_the_mount_does_not_know_ends_the_session)
{
    RecordingFs fs;
    fs.set_init(set_max_read);
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    check_refused(kernel, {});
    check_logged("max_read=65536");
}
END_TEST

START_TEST(a_max_read_as_in_the_options_is_fine)
{
    RecordingFs fs;
    fs.set_init(set_max_read);
    FakeKernel kernel(recording_ops(), {.options = {"-omax_read=65536"}, .userdata = &fs});
    kernel.connect();
}
END_TEST

START_TEST(a_filesystem_that_asked_for_it_answers_opens_with_enosys)
{
    fuse_lowlevel_ops ops{};
    ops.init = [](void*, fuse_conn_info* conn) {
        fuse_set_feature_flag(conn, FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT);
    };
    FakeKernel kernel(ops);
    kernel.connect();
    check_reply(kernel.ask(kern::OP_OPEN, Bytes(8)), -ENOSYS);
    check_reply(kernel.ask(kern::OP_OPENDIR, Bytes(8)), -ENOSYS);
}
END_TEST

START_TEST(ioctl_of_a_directory_needs_its_flag)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kSingle, {.flags = 0});
    kern::fuse_ioctl_in in{};
    in.flags = kern::kIoctlDir;
    check_reply(kernel.ask(kern::OP_IOCTL, bytes_of(in)), -ENOTTY);
    check_calls(fs, "init\n");
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        requests_before_init_get_eio,
        forget_before_init_stays_unanswered,
        second_init_gets_eio_and_changes_nothing,
        a_future_major_is_told_ours_and_asks_again,
        an_older_major_ends_the_session,
        an_init_without_a_version_gets_eio_and_the_next_works,
        the_filesystem_sees_the_offer,
        what_the_filesystem_wants_is_answered,
        wanting_what_is_not_offered_ends_the_session,
        changing_want_and_want_ext_differently_ends_the_session,
        a_max_read_the_mount_does_not_know_ends_the_session,
        a_max_read_as_in_the_options_is_fine,
        a_filesystem_that_asked_for_it_answers_opens_with_enosys,
        ioctl_of_a_directory_needs_its_flag,
    };
    return run_tests("fake_init", tests);
}
