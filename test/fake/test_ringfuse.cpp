// What only this library offers: choosing the transport, its reason, bounds, counters, and calls at the wrong
// time.
#include "cases.hpp"
#include "check/runner.hpp"

#include <array>
#include <cstdlib>
#include <ringfuse/ringfuse.h>

using namespace rf;
using namespace rf::fake;

namespace {

void clear_environment()
{
    for (const char* name : {"RINGFUSE_TRANSPORT", "RINGFUSE_DISABLE", "RINGFUSE_PAYLOAD_MEMORY"})
        ck_assert_int_eq(::unsetenv(name), 0);
}

std::string reason_of(fuse_session* session)
{
    std::array<char, 256> text;
    const int length = ringfuse_transport_reason(session, text.data(), text.size());
    ck_assert_int_ge(length, 0);
    ck_assert_uint_eq(static_cast<std::size_t>(length), std::strlen(text.data()));
    return text.data();
}

} // namespace

START_TEST(the_transport_is_chosen_by_name_before_init_only)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_session* const session = kernel.session();
    for (const char* name : {"auto", "fuse_uring", "dev", "dev_uring"})
        ck_assert_int_eq(ringfuse_session_set_transport(session, name), 0);
    ck_assert_int_eq(ringfuse_session_set_transport(session, "Dev"), -EINVAL);
    ck_assert_int_eq(ringfuse_session_set_transport(session, ""), -EINVAL);
    ck_assert_int_eq(ringfuse_session_set_transport(session, nullptr), -EINVAL);
    ck_assert_int_eq(ringfuse_session_set_transport(nullptr, "dev"), -EINVAL);
    ck_assert_int_eq(ringfuse_session_set_transport(session, "auto"), 0);
    kernel.connect();
    ck_assert_int_eq(ringfuse_session_set_transport(session, "dev"), -EBUSY);
}
END_TEST

START_TEST(the_environment_beats_the_program)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    ck_assert_int_eq(::setenv("RINGFUSE_TRANSPORT", "dev", 1), 0);
    ck_assert_int_eq(::setenv("RINGFUSE_PAYLOAD_MEMORY", "64M", 1), 0);
    ck_assert_int_eq(ringfuse_session_set_transport(kernel.session(), "fuse_uring"), 1);
    ck_assert_int_eq(ringfuse_session_set_payload_memory(kernel.session(), 4096), 1);
    clear_environment();
    ringfuse_stats stats{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &stats, sizeof(stats)), 0);
    ck_assert_uint_eq(stats.payload_limit, 0);
}
END_TEST

START_TEST(payload_memory_is_bounded_before_init_only)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_session* const session = kernel.session();
    ck_assert_int_eq(ringfuse_session_set_payload_memory(session, 1 << 26), 0);
    ck_assert_int_eq(ringfuse_session_set_payload_memory(session, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(ringfuse_session_set_payload_memory(nullptr, 1), -EINVAL);
    ringfuse_stats stats{};
    ck_assert_int_eq(ringfuse_session_stats(session, &stats, sizeof(stats)), 0);
    ck_assert_uint_eq(stats.payload_limit, 1 << 26);
    kernel.connect();
    ck_assert_int_eq(ringfuse_session_set_payload_memory(session, 1), -EBUSY);
}
END_TEST

START_TEST(the_reason_is_there_after_init_and_cut_to_fit)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_session* const session = kernel.session();
    ck_assert(reason_of(session).empty());
    kernel.connect();
    const std::string whole = reason_of(session);
    ck_assert_uint_gt(whole.size(), 8);
    std::array<char, 8> small;
    small.fill('#');
    ck_assert_int_eq(ringfuse_transport_reason(session, small.data(), small.size()),
                     static_cast<int>(whole.size()));
    ck_assert(small.data() == whole.substr(0, 7));
    ck_assert_int_eq(ringfuse_transport_reason(session, nullptr, 0), static_cast<int>(whole.size()));
    ck_assert_int_eq(ringfuse_transport_reason(session, nullptr, 1), -EINVAL);
    ck_assert_int_eq(ringfuse_transport_reason(nullptr, small.data(), 1), -EINVAL);
}
END_TEST

START_TEST(counters_tell_requests_errors_and_bytes)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    ringfuse_stats before{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &before, sizeof(before)), 0);
    constexpr std::uint32_t kUnknownOpcode = 3999;
    check_reply(kernel.ask(kUnknownOpcode), -ENOSYS);
    check_reply(kernel.ask(kUnknownOpcode), -ENOSYS);
    ringfuse_stats after{};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &after, sizeof(after)), 0);
    ck_assert_uint_eq(after.requests - before.requests, 2);
    ck_assert_uint_eq(after.errors - before.errors, 2);
    ck_assert_uint_eq(after.bytes_in - before.bytes_in, 2 * sizeof(kern::fuse_in_header));
    ck_assert_uint_eq(after.bytes_out, before.bytes_out);
    ck_assert_uint_eq(after.in_flight, 0);
    // A caller that knows less gets less, and one that knows more gets zeros.
    struct {
        ringfuse_stats known;
        std::uint64_t more = 7;
    } newer;
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), &newer.known, sizeof(newer)), 0);
    ck_assert_uint_eq(newer.more, 0);
    std::uint64_t oldest[2] = {7, 7};
    ck_assert_int_eq(ringfuse_session_stats(kernel.session(), reinterpret_cast<ringfuse_stats*>(oldest),
                                            sizeof(oldest[0])),
                     0);
    ck_assert_uint_eq(oldest[1], 7);
}
END_TEST

START_TEST(sessions_that_cannot_be_exported_are_not)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    fuse_session* const session = kernel.session();
    std::array<char, RINGFUSE_STATE_BYTES> state{};
    ck_assert_int_eq(ringfuse_session_export(session, state.data(), state.size()), -EAGAIN);
    kernel.connect();
    // Messages that the application moves are of no use to another process.
    ck_assert_int_eq(ringfuse_session_export(session, state.data(), state.size()), -EOPNOTSUPP);
    check_logged("moves the messages itself");
    ck_assert_int_eq(ringfuse_session_export(session, nullptr, state.size()), -EINVAL);
    ck_assert_int_eq(ringfuse_session_export(nullptr, state.data(), state.size()), -EINVAL);
    ck_assert_int_eq(ringfuse_session_adopt(session, 0, nullptr, 1), -EINVAL);
    ck_assert_int_eq(ringfuse_session_adopt(nullptr, 0, state.data(), 1), -EINVAL);
    ck_assert_int_eq(ringfuse_session_adopt(session, 0, state.data(), state.size()), -EINVAL);
    check_logged("damaged or none");
}
END_TEST

START_TEST(a_shutdown_ends_an_idle_loop_and_the_next_one_serves)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    const Loop loop = _i == 0 ? Loop::kSingle : Loop::kThreads;
    kernel.connect(loop);
    ck_assert_int_eq(ringfuse_session_shutdown(nullptr, 0), -EINVAL);
    ck_assert_int_eq(ringfuse_session_shutdown(kernel.session(), -1), 0);
    ck_assert_int_eq(kernel.loop_result(), 0);
    ck_assert_int_eq(fuse_session_exited(kernel.session()), 0);
    kernel.start(loop);
    constexpr std::uint32_t kUnknownOpcode = 3999;
    check_reply(kernel.ask(kUnknownOpcode), -ENOSYS);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        the_transport_is_chosen_by_name_before_init_only,
        the_environment_beats_the_program,
        payload_memory_is_bounded_before_init_only,
        the_reason_is_there_after_init_and_cut_to_fit,
        counters_tell_requests_errors_and_bytes,
        sessions_that_cannot_be_exported_are_not,
        {a_shutdown_ends_an_idle_loop_and_the_next_one_serves, 0, 2},
    };
    return run_tests("fake_ringfuse", tests, {.before = clear_environment});
}
