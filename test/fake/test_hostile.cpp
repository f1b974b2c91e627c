// Messages no kernel should send: each is refused, and the session goes on.
#include "cases.hpp"
#include "check/runner.hpp"

#include <random>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

kern::fuse_in_header header_of(std::uint32_t opcode, std::size_t bytes)
{
    kern::fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(bytes);
    header.opcode = opcode;
    header.unique = 4711;
    header.nodeid = 1;
    return header;
}

} // namespace

START_TEST(a_message_shorter_than_a_header_is_skipped)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (std::size_t bytes = 1; bytes < sizeof(kern::fuse_in_header); ++bytes)
        kernel.send_raw(bytes_of(header_of(kern::OP_READLINK, bytes), bytes));
    kernel.expect_silence();
    check_logged("header does not fit the message bytes=39");
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(a_length_that_is_not_the_message_s_is_skipped)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (const std::size_t bytes : {0u, 39u, 41u, 48u, 0xffffffffu})
        kernel.send_raw(bytes_of(header_of(kern::OP_READLINK, bytes)));
    kernel.expect_silence();
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(extensions_longer_than_the_message_are_skipped)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kern::fuse_in_header header = header_of(kern::OP_LOOKUP, sizeof(header) + 8);
    for (const unsigned units : {2u, 100u, 0xffffu}) {
        header.total_extlen = static_cast<std::uint16_t>(units);
        kernel.send_raw(bytes_of(header) + text("name\0\0\0\0"sv));
    }
    kernel.expect_silence();
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(extensions_are_no_part_of_the_arguments)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    // All of the body is said to be an extension: there is no name.
    check_reply(kernel.ask(kern::OP_LOOKUP, {}, {.extensions = text("name\0\0\0\0"sv)}), -EIO);
    check_reply(kernel.ask(kern::OP_LOOKUP, text("name"), {.extensions = Bytes(8)}), -EIO);
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(names_without_an_end_get_eio)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    const Bytes endless(5000, std::byte{'a'});
    for (const std::uint32_t opcode :
         {kern::OP_LOOKUP, kern::OP_UNLINK, kern::OP_RMDIR, kern::OP_SYMLINK, kern::OP_REMOVEXATTR})
        check_reply(kernel.ask(opcode, endless), -EIO);
    check_reply(kernel.ask(kern::OP_SYMLINK, text("name\0"sv) + endless), -EIO);
    check_reply(kernel.ask(kern::OP_RENAME, Bytes(8) + text("name\0"sv) + endless), -EIO);
    check_reply(kernel.ask(kern::OP_RENAME2, Bytes(16) + text("name\0"sv) + endless), -EIO);
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(sizes_beyond_the_message_get_eio)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (const std::uint32_t size : {5u, 4096u, 0x7fffffffu, 0xffffffffu}) {
        check_reply(
            kernel.ask(kern::OP_WRITE, bytes_of(kern::fuse_write_in{1, 0, size, 0, 0, 0, 0}) + text("data")),
            -EIO);
        check_reply(kernel.ask(kern::OP_SETXATTR,
                               bytes_of(kern::fuse_setxattr_in{size, 0, 0, 0}) + text("a\0data"sv)),
                    -EIO);
        kern::fuse_ioctl_in ioctl{};
        ioctl.in_size = size;
        check_reply(kernel.ask(kern::OP_IOCTL, bytes_of(ioctl) + text("data")), -EIO);
    }
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(malformed_requests_nobody_waits_for_stay_unanswered)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (const std::uint32_t opcode :
         {kern::OP_FORGET, kern::OP_BATCH_FORGET, kern::OP_INTERRUPT, kern::OP_NOTIFY_REPLY})
        kernel.send(opcode, Bytes(7));
    for (const std::uint32_t count : {2u, 0x10000000u, 0xffffffffu})
        kernel.send(kern::OP_BATCH_FORGET, bytes_of(kern::fuse_batch_forget_in{count, 0}) + Bytes(16));
    kern::fuse_notify_retrieve_in reply{};
    reply.size = 100;
    kernel.send(kern::OP_NOTIFY_REPLY, bytes_of(reply) + Bytes(99));
    kernel.expect_silence();
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(a_flock_of_no_known_kind_gets_einval)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kern::fuse_lk_in in{};
    in.lk.type = 77;
    in.lk_flags = kern::LK_FLOCK;
    check_reply(kernel.ask(kern::OP_SETLK, bytes_of(in)), -EINVAL);
    check_calls(fs, "init\n");
}
END_TEST

START_TEST(random_messages_do_no_harm)
{
    constexpr int kMessages = 3000;
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    std::mt19937 random(static_cast<unsigned>(_i));
    for (int i = 0; i < kMessages; ++i) {
        Bytes body(random() % 200);
        for (std::byte& each : body)
            each = static_cast<std::byte>(random() % 4 ? random() % 3 : random());
        kern::fuse_in_header header = header_of(random() % 56, sizeof(header) + body.size());
        header.unique = (std::uint64_t{1} << 40) + random();
        header.total_extlen = static_cast<std::uint16_t>(random() % 8 ? 0 : random() % 30);
        kernel.send_raw(bytes_of(header) + body);
        // Whatever was answered to it, a well-formed request is served after it.
        const std::uint64_t good = kernel.send(kern::OP_READLINK);
        Reply reply = kernel.receive();
        while (reply.header.unique != good) {
            ck_assert_uint_eq(reply.header.unique, header.unique);
            reply = kernel.receive();
        }
        check_reply(reply, 0);
    }
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        a_message_shorter_than_a_header_is_skipped,
        a_length_that_is_not_the_message_s_is_skipped,
        extensions_longer_than_the_message_are_skipped,
        extensions_are_no_part_of_the_arguments,
        names_without_an_end_get_eio,
        sizes_beyond_the_message_get_eio,
        malformed_requests_nobody_waits_for_stay_unanswered,
        a_flock_of_no_known_kind_gets_einval,
        {random_messages_do_no_harm, 0, 4},
    };
    return run_tests("fake_hostile", tests);
}
