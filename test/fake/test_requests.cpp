// Every answered opcode: decoded, delivered with the right arguments, answered byte for byte.
#include "cases.hpp"

#include "check/runner.hpp"
#include "proto/opcodes.hpp"

#include <array>
#include <cerrno>
#include <set>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

std::vector<Case> g_cases;

// These are answered by the session itself or not at all.
constexpr std::uint32_t kTestedElsewhere[] = {kern::OP_INIT,      kern::OP_DESTROY,
                                              kern::OP_FORGET,    kern::OP_BATCH_FORGET,
                                              kern::OP_INTERRUPT, kern::OP_NOTIFY_REPLY};

/// The answer to a request that needs no operation.
Bytes opened_as_is()
{
    return bytes_of(kern::fuse_open_out{});
}

} // namespace

START_TEST(each_request_arrives_and_its_answer_leaves)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    fs.set_answer(one.answer);
    const Reply reply = kernel.ask(one.opcode, one.body);
    check_calls(fs, one.call + "\n");
    check_reply(reply, 0, one.reply);
}
END_TEST

START_TEST(the_loop_of_threads_does_the_same)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kThreads);
    check_calls(fs, "init\n");
    fs.set_answer(one.answer);
    const Reply reply = kernel.ask(one.opcode, one.body);
    check_calls(fs, one.call + "\n");
    check_reply(reply, 0, one.reply);
}
END_TEST

START_TEST(an_operation_may_refuse)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    fs.set_answer([](fuse_req_t req) { fuse_reply_err(req, EDQUOT); });
    check_reply(kernel.ask(one.opcode, one.body), -EDQUOT);
}
END_TEST

START_TEST(a_missing_operation_has_its_default)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    FakeKernel kernel(fuse_lowlevel_ops{});
    // NO_OPEN_SUPPORT and its sibling are offered, but nobody asked for them: open and opendir succeed.
    kernel.connect();
    const Reply reply = kernel.ask(one.opcode, one.body);
    if (one.opcode == kern::OP_OPEN || one.opcode == kern::OP_OPENDIR)
        check_reply(reply, 0, opened_as_is());
    else
        check_reply(reply, one.missing_error, one.missing_reply);
}
END_TEST

START_TEST(bytes_behind_the_arguments_are_ignored)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    fs.set_answer(one.answer);
    check_reply(kernel.ask(one.opcode, one.body + Bytes(24, std::byte{0xee})), 0, one.reply);
    check_calls(fs, one.call + "\n");
}
END_TEST

START_TEST(a_request_cut_short_anywhere_gets_eio)
{
    const Case& one = g_cases[static_cast<std::size_t>(_i)];
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    for (std::size_t bytes = 0; bytes < one.body.size(); ++bytes) {
        const Bytes part(one.body.begin(), one.body.begin() + static_cast<std::ptrdiff_t>(bytes));
        check_reply(kernel.ask(one.opcode, part), -EIO);
    }
    check_calls(fs, "");
    fs.set_answer(one.answer);
    check_reply(kernel.ask(one.opcode, one.body), 0, one.reply);
}
END_TEST

START_TEST(every_opcode_of_the_table_is_tested)
{
    std::set<std::uint32_t> tested(std::begin(kTestedElsewhere), std::end(kTestedElsewhere));
    for (const Case& one : g_cases)
        tested.insert(one.opcode);
    for (std::uint32_t opcode = 0; opcode < 64; ++opcode)
        ck_assert_msg((find_op(opcode) != nullptr) == tested.contains(opcode), "opcode %u", opcode);
}
END_TEST

START_TEST(unknown_opcodes_get_enosys)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    for (const std::uint32_t opcode :
         {0u, 7u, 19u, 48u, 49u, 54u, 64u, 4095u, 4097u, 0x7fffffffu, 0xffffffffu})
        check_reply(kernel.ask(opcode, Bytes(64)), -ENOSYS);
    check_reply(kernel.ask(kern::OP_CUSE_INIT, Bytes(16)), -EIO);
    check_calls(fs, "");
}
END_TEST

START_TEST(write_is_called_where_write_buf_is_missing)
{
    RecordingFs fs;
    fuse_lowlevel_ops ops = recording_ops();
    ops.write_buf = nullptr;
    FakeKernel kernel(ops, {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    fs.set_answer([](fuse_req_t req) { fuse_reply_write(req, 4); });
    check_reply(kernel.ask(kern::OP_WRITE, bytes_of(kern::fuse_write_in{1, 2, 4, 0, 3, 5, 0}) + text("data")),
                0, bytes_of(kern::fuse_write_out{4, 0}));
    check_calls(fs, "write 7 'data' 2 fh 1 flags 5 owner 3\n");
}
END_TEST

START_TEST(a_large_write_arrives_whole)
{
    constexpr std::uint32_t kSize = 100'000;
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    const std::string data(kSize, 'x');
    kernel.ask(kern::OP_WRITE, bytes_of(kern::fuse_write_in{1, 2, kSize, 0, 3, 5, 0}) + text(data));
    check_calls(fs, "write_buf 7 '" + data + "' 2 fh 1 flags 5 owner 3\n");
}
END_TEST

START_TEST(the_caller_is_known)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    fs.set_answer([](fuse_req_t req) {
        const fuse_ctx* ctx = fuse_req_ctx(req);
        RecordingFs::of(req).note(
            call("ctx", ctx->uid, ctx->gid, ctx->pid, ctx->umask, fuse_req_is_uring(req)));
        fuse_reply_err(req, 0);
    });
    kernel.ask(kern::OP_LOOKUP, text("a\0"sv), {.nodeid = 3, .uid = 4, .gid = 5, .pid = 6});
    check_calls(fs, "lookup 3 a\nctx 4 5 6 0 0\n");
    kernel.ask(kern::OP_MKDIR, bytes_of(kern::fuse_mkdir_in{0755, 022}) + text("a\0"sv));
    // The umask does not stay behind for the next request.
    kernel.ask(kern::OP_LOOKUP, text("a\0"sv));
    check_calls(fs, "mkdir 7 a 493 umask 18\nctx 1001 1002 1003 18 0\nlookup 7 a\nctx 1001 1002 1003 0 0\n");
}
END_TEST

START_TEST(the_caller_s_groups_are_those_of_its_task)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    fs.set_answer([](fuse_req_t req) {
        std::array<gid_t, 64> groups{};
        const int count = fuse_req_getgroups(req, static_cast<int>(groups.size()), groups.data());
        std::string line = call("groups", count < 0 ? 1000 - count : count);
        for (int i = 0; i < count; ++i)
            line += " " + word(groups[static_cast<std::size_t>(i)]);
        RecordingFs::of(req).note(line);
        fuse_reply_err(req, 0);
    });
    std::array<gid_t, 64> mine{};
    const int count = ::getgroups(static_cast<int>(mine.size()), mine.data());
    std::string expected = call("groups", count);
    for (int i = 0; i < count; ++i)
        expected += " " + word(mine[static_cast<std::size_t>(i)]);
    kernel.ask(kern::OP_READLINK, {}, {.pid = static_cast<std::uint32_t>(::getpid())});
    check_calls(fs, "readlink 7\n" + expected + "\n");
    // Not a task: pid_max is far below.
    kernel.ask(kern::OP_READLINK, {}, {.pid = 0x7ffffff0});
    check_calls(fs, "readlink 7\n" + call("groups", 1000 + ESRCH) + "\n");
}
END_TEST

int main()
{
    keep_log();
    g_cases = all_cases();
    const int count = static_cast<int>(g_cases.size());
    const Tests tests = {
        {each_request_arrives_and_its_answer_leaves, 0, count},
        {the_loop_of_threads_does_the_same, 0, count},
        {an_operation_may_refuse, 0, count},
        {a_missing_operation_has_its_default, 0, count},
        {bytes_behind_the_arguments_are_ignored, 0, count},
        {a_request_cut_short_anywhere_gets_eio, 0, count},
        every_opcode_of_the_table_is_tested,
        unknown_opcodes_get_enosys,
        write_is_called_where_write_buf_is_missing,
        a_large_write_arrives_whole,
        the_caller_is_known,
        the_caller_s_groups_are_those_of_its_task,
    };
    return run_tests("fake_requests", tests);
}
