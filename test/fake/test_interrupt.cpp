// INTERRUPT before, during and after the request it means.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "recording_fs.hpp"

#include <ringfuse/ringfuse.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

void send_interrupt(FakeKernel& kernel, std::uint64_t unique)
{
    kernel.send_with_unique(unique | kern::kUniqueInterrupt, kern::OP_INTERRUPT,
                            bytes_of(kern::fuse_interrupt_in{unique}));
}

void note_interrupt(fuse_req_t req, void* data)
{
    RecordingFs::of(req).note(
        call("interrupted", reinterpret_cast<uintptr_t>(data), fuse_req_interrupted(req)));
}

void answer_eintr(fuse_req_t req, void*)
{
    fuse_reply_err(req, EINTR);
}

std::uint64_t ask_and_hold(FakeKernel& kernel, RecordingFs& fs)
{
    fs.set_answer(answer_later);
    return kernel.send(kern::OP_READLINK);
}

} // namespace

START_TEST(an_interrupt_reaches_the_function_of_its_request)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    const std::uint64_t unique = ask_and_hold(kernel, fs);
    fuse_req_t req = fs.take_held();
    ck_assert_int_eq(fuse_req_interrupted(req), 0);
    fuse_req_interrupt_func(req, note_interrupt, reinterpret_cast<void*>(42));
    send_interrupt(kernel, unique);
    kernel.expect_silence();
    check_calls(fs, "init\nreadlink 7\ninterrupted 42 1\n");
    ck_assert_int_eq(fuse_req_interrupted(req), 1);
    ck_assert_int_eq(fuse_reply_err(req, EINTR), 0);
    check_reply(kernel.receive(), -EINTR);
}
END_TEST

START_TEST(the_function_may_answer)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t unique = ask_and_hold(kernel, fs);
        fuse_req_interrupt_func(fs.take_held(), answer_eintr, nullptr);
        send_interrupt(kernel, unique);
        const Reply reply = kernel.receive();
        ck_assert_uint_eq(reply.header.unique, unique);
        check_reply(reply, -EINTR);
    }
}
END_TEST

START_TEST(an_interrupt_without_a_function_is_a_flag)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    const std::uint64_t unique = ask_and_hold(kernel, fs);
    fuse_req_t req = fs.take_held();
    send_interrupt(kernel, unique);
    kernel.expect_silence();
    ck_assert_int_eq(fuse_req_interrupted(req), 1);
    // A function that is set afterwards is called at once.
    fuse_req_interrupt_func(req, note_interrupt, nullptr);
    check_calls(fs, "init\nreadlink 7\ninterrupted 0 1\n");
    fuse_reply_err(req, 0);
    check_reply(kernel.receive(), 0);
}
END_TEST

START_TEST(a_function_that_was_taken_back_is_not_called)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    const std::uint64_t unique = ask_and_hold(kernel, fs);
    fuse_req_t req = fs.take_held();
    fuse_req_interrupt_func(req, note_interrupt, nullptr);
    fuse_req_interrupt_func(req, nullptr, nullptr);
    send_interrupt(kernel, unique);
    kernel.expect_silence();
    check_calls(fs, "init\nreadlink 7\n");
    fuse_reply_err(req, 0);
    check_reply(kernel.receive(), 0);
}
END_TEST

START_TEST(an_interrupt_that_comes_first_waits_for_its_request)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    send_interrupt(kernel, 1000);
    kernel.expect_silence();
    fs.set_answer([](fuse_req_t req) {
        fuse_req_interrupt_func(req, note_interrupt, reinterpret_cast<void*>(1));
        fuse_reply_err(req, fuse_req_interrupted(req) ? EINTR : 0);
    });
    kernel.send_with_unique(1002, kern::OP_READLINK);
    check_reply(kernel.receive(), 0);
    kernel.send_with_unique(1000, kern::OP_READLINK);
    check_reply(kernel.receive(), -EINTR);
    check_calls(fs, "readlink 7\nreadlink 7\ninterrupted 1 1\n");
}
END_TEST

START_TEST(of_many_early_interrupts_the_newest_are_kept)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    constexpr std::uint64_t kFirst = 10'000;
    constexpr std::uint64_t kCount = 400;
    for (std::uint64_t i = 0; i < kCount; ++i)
        send_interrupt(kernel, kFirst + 2 * i);
    fs.set_answer([](fuse_req_t req) { fuse_reply_err(req, fuse_req_interrupted(req) ? EINTR : 0); });
    for (std::uint64_t i = kCount - 200; i < kCount; ++i) {
        kernel.send_with_unique(kFirst + 2 * i, kern::OP_READLINK);
        check_reply(kernel.receive(), -EINTR);
    }
    // Each is used up by its request.
    kernel.send_with_unique(kFirst + 2 * (kCount - 1), kern::OP_READLINK);
    check_reply(kernel.receive(), 0);
}
END_TEST

START_TEST(an_interrupt_after_the_answer_is_harmless)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (int i = 0; i < 600; ++i) {
        const std::uint64_t unique = kernel.send(kern::OP_READLINK);
        check_reply(kernel.receive(), 0);
        send_interrupt(kernel, unique);
    }
    fs.set_answer([](fuse_req_t req) { fuse_reply_err(req, fuse_req_interrupted(req) ? EINTR : 0); });
    check_reply(kernel.ask(kern::OP_READLINK), 0);
}
END_TEST

START_TEST(a_request_object_does_not_keep_the_interrupt_of_an_earlier_one)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    const std::uint64_t unique = ask_and_hold(kernel, fs);
    fuse_req_t first = fs.take_held();
    fuse_req_interrupt_func(first, note_interrupt, nullptr);
    send_interrupt(kernel, unique);
    kernel.expect_silence();
    fuse_reply_err(first, EINTR);
    check_reply(kernel.receive(), -EINTR);
    check_calls(fs, "init\nreadlink 7\ninterrupted 0 1\n");
    // More requests than the first block of the pool: the object is used again.
    fs.set_answer([](fuse_req_t req) { fuse_reply_err(req, fuse_req_interrupted(req) ? EINTR : 0); });
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t next = kernel.send(kern::OP_READLINK);
        check_reply(kernel.receive(), 0);
        send_interrupt(kernel, next);
    }
    const std::string calls = fs.take_calls();
    ck_assert(calls.find("interrupted") == std::string::npos);
}
END_TEST

START_TEST(an_interrupt_of_nothing_is_harmless)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    for (const std::uint64_t unique : {0ull, 1ull, 77ull, ~0ull})
        kernel.send_with_unique(3, kern::OP_INTERRUPT, bytes_of(kern::fuse_interrupt_in{unique}));
    // Its own number.
    kernel.send_with_unique(501, kern::OP_INTERRUPT, bytes_of(kern::fuse_interrupt_in{501}));
    kernel.expect_silence();
    check_calls(fs, "init\n");
    ringfuse_stats stats{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &stats, sizeof(stats)), 0);
    ck_assert_uint_eq(stats.interrupts, 5);
}
END_TEST

START_TEST(interrupts_and_answers_may_race)
{
    constexpr int kRounds = 1000;
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kThreads);
    fs.set_answer([](fuse_req_t req) {
        fuse_req_interrupt_func(req, note_interrupt, nullptr);
        fuse_reply_err(req, 0);
    });
    for (int i = 0; i < kRounds; ++i) {
        const std::uint64_t unique = kernel.send(kern::OP_READLINK);
        send_interrupt(kernel, unique);
        const Reply reply = kernel.receive();
        ck_assert_uint_eq(reply.header.unique, unique);
        check_reply(reply, 0);
    }
    ck_assert(kernel.is_silent());
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        an_interrupt_reaches_the_function_of_its_request,
        the_function_may_answer,
        an_interrupt_without_a_function_is_a_flag,
        a_function_that_was_taken_back_is_not_called,
        an_interrupt_that_comes_first_waits_for_its_request,
        of_many_early_interrupts_the_newest_are_kept,
        an_interrupt_after_the_answer_is_harmless,
        a_request_object_does_not_keep_the_interrupt_of_an_earlier_one,
        an_interrupt_of_nothing_is_harmless,
        interrupts_and_answers_may_race,
    };
    return run_tests("fake_interrupt", tests);
}
