// Kernels of every age: the sizes of requests and answers that each minor knows.
#include "cases.hpp"
#include "check/runner.hpp"

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

START_TEST(every_minor_gets_a_reply_of_its_size)
{
    const std::uint32_t minor = static_cast<std::uint32_t>(_i);
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.start();
    kernel.send_init({.minor = minor, .bytes = minor < 6 ? 8u : minor < 36 ? 16u : 64u});
    const Reply reply = kernel.receive();
    ck_assert_int_eq(reply.header.error, 0);
    ck_assert_uint_eq(reply.body.size(), minor < 5 ? 8 : minor < 23 ? 24 : 64);
    kern::fuse_init_out out{};
    std::memcpy(&out, reply.body.data(), reply.body.size());
    ck_assert_uint_eq(out.major, 7);
    ck_assert_uint_eq(out.minor, minor < 45 ? minor : 45);
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(answers_have_the_size_the_minor_knows)
{
    const std::uint32_t minor = static_cast<std::uint32_t>(_i);
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kSingle, {.minor = minor});
    const Bytes entry = bytes_of(sample_wire_entry(), minor < 9 ? 120 : 128);
    fs.set_answer(answer_entry);
    check_reply(kernel.ask(kern::OP_LOOKUP, text("a\0"sv)), 0, entry);
    fs.set_answer(answer_attr);
    ck_assert_uint_eq(kernel.ask(kern::OP_GETATTR, Bytes(16)).body.size(), minor < 9 ? 96 : 104);
    fs.set_answer(answer_statfs);
    check_reply(kernel.ask(kern::OP_STATFS), 0, bytes_of(sample_wire_statfs(), minor < 4 ? 48 : 80));
    fs.set_answer(answer_create);
    const std::size_t create_bytes = minor < 12 ? 8 : 16;
    check_reply(
        kernel.ask(kern::OP_CREATE, bytes_of(kern::fuse_create_in{1, 2, 3, 0}, create_bytes) + text("a\0"sv)),
        0, entry + bytes_of(sample_wire_open()));
}
END_TEST

START_TEST(old_requests_are_understood)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kSingle, {.minor = 8});
    check_calls(fs, "init\n");
    const kern::fuse_write_in write{1, 2, 4, 0, 0, 0, 0};
    kernel.ask(kern::OP_WRITE, bytes_of(write, 24) + text("data"));
    kernel.ask(kern::OP_READ, bytes_of(kern::fuse_read_in{1, 2, 3, 0, 0, 0, 0}, 24));
    kernel.ask(kern::OP_GETATTR);
    kernel.ask(kern::OP_MKNOD, bytes_of(kern::fuse_mknod_in{1, 2, 0, 0}, 8) + text("a\0"sv));
    kernel.ask(kern::OP_MKDIR, bytes_of(kern::fuse_mkdir_in{1, 99}) + text("a\0"sv));
    check_calls(
        fs, "write_buf 7 'data' 2 fh 1 flags 0 owner 0\nread 7 3 2 fh 1 flags 0 owner 0\ngetattr 7 no-file\n"
            "mknod 7 a 1 2 umask 0\nmkdir 7 a 1 umask 0\n");
}
END_TEST

START_TEST(a_missing_name_is_an_error_before_7_12)
{
    for (const std::uint32_t minor : {11u, 12u}) {
        RecordingFs fs;
        FakeKernel kernel(recording_ops(), {.userdata = &fs});
        kernel.connect(Loop::kSingle, {.minor = minor});
        fs.set_answer([](fuse_req_t req) {
            const fuse_entry_param nothing{};
            fuse_reply_entry(req, &nothing);
        });
        const Reply reply = kernel.ask(kern::OP_LOOKUP, text("a\0"sv));
        if (minor < 12)
            check_reply(reply, -ENOENT);
        else
            check_reply(reply, 0, bytes_of(kern::fuse_entry_out{}));
    }
}
END_TEST

START_TEST(setxattr_is_short_unless_agreed)
{
    RecordingFs fs;
    fs.set_init([](fuse_conn_info*) {});
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kernel.ask(kern::OP_SETXATTR, bytes_of(kern::fuse_setxattr_in{1, 2, 0, 0}, 8) + text("user.a\0v"sv));
    check_calls(fs, "init\nsetxattr 7 user.a 'v' 2\n");
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        {every_minor_gets_a_reply_of_its_size, 0, 51},
        {answers_have_the_size_the_minor_knows, 0, 51},
        old_requests_are_understood,
        a_missing_name_is_an_error_before_7_12,
        setxattr_is_short_unless_agreed,
    };
    return run_tests("fake_minors", tests);
}
