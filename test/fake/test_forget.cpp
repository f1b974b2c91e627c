// FORGET and BATCH_FORGET: every lookup is given back, and nothing is ever answered.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "recording_fs.hpp"

#include <ringfuse/ringfuse.h>

using namespace rf;
using namespace rf::fake;

namespace {

void send_forget(FakeKernel& kernel, std::uint64_t ino, std::uint64_t count)
{
    kernel.send_with_unique(0, kern::OP_FORGET, bytes_of(kern::fuse_forget_in{count}), {.nodeid = ino});
}

void send_batch(FakeKernel& kernel)
{
    const Bytes records = bytes_of(kern::fuse_forget_one{3, 1}) +
                          bytes_of(kern::fuse_forget_one{4, 1ull << 40}) +
                          bytes_of(kern::fuse_forget_one{1ull << 60, 2});
    kernel.send_with_unique(0, kern::OP_BATCH_FORGET, bytes_of(kern::fuse_batch_forget_in{3, 0}) + records,
                            {.nodeid = 0});
}

} // namespace

START_TEST(forget_arrives_with_its_count_and_gets_no_answer)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    send_forget(kernel, 5, 9);
    send_forget(kernel, 6, ~0ull);
    kernel.expect_silence();
    check_calls(fs, "init\nforget 5 9\nforget 6 18446744073709551615\n");
}
END_TEST

START_TEST(a_batch_is_one_call_of_forget_multi)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    send_batch(kernel);
    kernel.expect_silence();
    check_calls(fs, "init\nforget_multi 3 3:1 4:1099511627776 1152921504606846976:2\n");
}
END_TEST

START_TEST(a_batch_is_many_calls_of_forget_without_forget_multi)
{
    RecordingFs fs;
    fuse_lowlevel_ops ops = recording_ops();
    ops.forget_multi = nullptr;
    FakeKernel kernel(ops, {.userdata = &fs});
    kernel.connect();
    send_batch(kernel);
    kernel.expect_silence();
    check_calls(fs, "init\nforget 3 1\nforget 4 1099511627776\nforget 1152921504606846976 2\n");
}
END_TEST

START_TEST(an_empty_batch_is_fine)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    kernel.send_with_unique(0, kern::OP_BATCH_FORGET, bytes_of(kern::fuse_batch_forget_in{}));
    kernel.expect_silence();
    check_calls(fs, "init\nforget_multi 0\n");
}
END_TEST

START_TEST(forgets_without_an_operation_get_no_answer)
{
    FakeKernel kernel(fuse_lowlevel_ops{});
    kernel.connect();
    send_forget(kernel, 5, 9);
    send_batch(kernel);
    kernel.expect_silence();
}
END_TEST

START_TEST(a_filesystem_that_answers_a_forget_sends_nothing)
{
    fuse_lowlevel_ops ops{};
    ops.forget = [](fuse_req_t req, fuse_ino_t, uint64_t) { fuse_reply_err(req, ENOENT); };
    FakeKernel kernel(ops);
    kernel.connect();
    send_forget(kernel, 5, 9);
    send_batch(kernel);
    kernel.expect_silence();
}
END_TEST

START_TEST(forgets_are_counted)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    send_forget(kernel, 5, 9);
    send_batch(kernel);
    kernel.expect_silence();
    ringfuse_stats stats{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &stats, sizeof(stats)), 0);
    ck_assert_uint_eq(stats.forgets, 4);
}
END_TEST

START_TEST(thousands_of_forgets_lose_none)
{
    constexpr std::uint64_t kForgets = 5000;
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    std::string expected;
    for (std::uint64_t i = 1; i <= kForgets; ++i) {
        send_forget(kernel, i, i + 1);
        expected += call("forget", i, i + 1) + "\n";
    }
    kernel.expect_silence();
    check_calls(fs, expected);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        forget_arrives_with_its_count_and_gets_no_answer,
        a_batch_is_one_call_of_forget_multi,
        a_batch_is_many_calls_of_forget_without_forget_multi,
        an_empty_batch_is_fine,
        forgets_without_an_operation_get_no_answer,
        a_filesystem_that_answers_a_forget_sends_nothing,
        forgets_are_counted,
        thousands_of_forgets_lose_none,
    };
    return run_tests("fake_forget", tests);
}
