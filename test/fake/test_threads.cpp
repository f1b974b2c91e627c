// Answers that come late, in any order and from any thread; loops of several threads.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "recording_fs.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>

using namespace rf;
using namespace rf::fake;

namespace {

/// Requests that wait for an answer, as a filesystem with its own threads would keep them.
class Parked {
public:
    void add(fuse_req_t req)
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(req);
        changed_.notify_all();
    }
    /// Waits for `count` requests and takes them.
    std::vector<fuse_req_t> take(std::size_t count)
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_.size() >= count; });
        return std::exchange(waiting_, {});
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<fuse_req_t> waiting_;
};

/// Operations that only park.
fuse_lowlevel_ops parking_ops()
{
    fuse_lowlevel_ops ops{};
    ops.readlink = [](fuse_req_t req, fuse_ino_t) { static_cast<Parked*>(fuse_req_userdata(req))->add(req); };
    return ops;
}

/// Sends `count` requests; their uniques.
std::set<std::uint64_t> send_many(FakeKernel& kernel, std::size_t count)
{
    std::set<std::uint64_t> uniques;
    for (std::size_t i = 0; i < count; ++i)
        uniques.insert(kernel.send(kern::OP_READLINK));
    return uniques;
}

void receive_all(FakeKernel& kernel, std::set<std::uint64_t> uniques)
{
    while (!uniques.empty()) {
        const Reply reply = kernel.receive();
        ck_assert_uint_eq(uniques.erase(reply.header.unique), 1);
        check_reply(reply, 0, text("late"));
    }
    ck_assert(kernel.is_silent());
}

std::atomic<unsigned> g_inside{0};
std::atomic<unsigned> g_most{0};

} // namespace

START_TEST(thousands_of_requests_wait_and_are_answered_in_any_order)
{
    constexpr std::size_t kRequests = 4000;
    constexpr std::size_t kThreads = 4;
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect(_i ? Loop::kThreads : Loop::kSingle);
    const std::set<std::uint64_t> uniques = send_many(kernel, kRequests);
    std::vector<fuse_req_t> requests = parked.take(kRequests);
    std::shuffle(requests.begin(), requests.end(), std::mt19937(5));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&requests, t] {
            for (std::size_t i = t; i < requests.size(); i += kThreads)
                fuse_reply_buf(requests[i], "late", 4);
        });
    }
    receive_all(kernel, uniques);
    for (std::thread& thread : threads)
        thread.join();
}
END_TEST

START_TEST(answers_from_another_thread_may_overtake_the_operation)
{
    constexpr std::size_t kRequests = 2000;
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect(Loop::kThreads);
    std::thread answerer([&parked] {
        for (std::size_t done = 0; done < kRequests;) {
            for (fuse_req_t req : parked.take(1)) {
                fuse_reply_buf(req, "late", 4);
                ++done;
            }
        }
    });
    for (std::size_t i = 0; i < kRequests / 10; ++i)
        receive_all(kernel, send_many(kernel, 10));
    answerer.join();
}
END_TEST

START_TEST(two_threads_that_both_answer_send_one_answer)
{
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect();
    for (int round = 0; round < 200; ++round) {
        // The object of a request may be used again once it is answered, so the second answer of a program
        // that gets this wrong is refused only while no other request has it. One is parked here and then
        // both answer.
        const std::uint64_t unique = kernel.send(kern::OP_READLINK);
        fuse_req_t req = parked.take(1).front();
        int first = 0;
        int second = 0;
        std::thread other([&] { second = fuse_reply_buf(req, "late", 4); });
        first = fuse_reply_buf(req, "late", 4);
        other.join();
        receive_all(kernel, {unique});
        ck_assert_int_eq(std::min(first, second), -EINVAL);
        ck_assert_int_eq(std::max(first, second), 0);
    }
}
END_TEST

START_TEST(the_loop_of_threads_runs_operations_side_by_side)
{
    constexpr unsigned kWanted = 4;
    fuse_lowlevel_ops ops{};
    ops.readlink = [](fuse_req_t req, fuse_ino_t) {
        // Waits until enough others are inside: with too few threads nobody would ever be answered.
        g_inside.fetch_add(1);
        while (g_inside.load() < kWanted)
            ::usleep(1000);
        fuse_reply_buf(req, "late", 4);
    };
    FakeKernel kernel(ops);
    kernel.connect(Loop::kThreads);
    receive_all(kernel, send_many(kernel, kWanted));
}
END_TEST

START_TEST(the_single_loop_runs_one_operation_at_a_time)
{
    fuse_lowlevel_ops ops{};
    ops.readlink = [](fuse_req_t req, fuse_ino_t) {
        g_most = std::max(g_most.load(), g_inside.fetch_add(1) + 1);
        ::usleep(200);
        g_inside.fetch_sub(1);
        fuse_reply_buf(req, "late", 4);
    };
    FakeKernel kernel(ops);
    kernel.connect(Loop::kSingle);
    receive_all(kernel, send_many(kernel, 50));
    ck_assert_uint_eq(g_most.load(), 1);
}
END_TEST

START_TEST(requests_may_outlive_the_loop_and_be_answered_before_the_session_ends)
{
    constexpr std::size_t kRequests = 100;
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect(Loop::kThreads);
    const std::set<std::uint64_t> uniques = send_many(kernel, kRequests);
    const std::vector<fuse_req_t> requests = parked.take(kRequests);
    fuse_session_exit(kernel.session());
    ck_assert_int_eq(kernel.loop_result(), 0);
    for (fuse_req_t req : requests)
        ck_assert_int_eq(fuse_reply_buf(req, "late", 4), 0);
    receive_all(kernel, uniques);
}
END_TEST

START_TEST(a_session_that_ends_with_open_requests_says_so)
{
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect();
    send_many(kernel, 3);
    ck_assert_uint_eq(parked.take(3).size(), 3);
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), 0);
    kernel.destroy_session();
    check_logged("requests=3 unanswered");
}
END_TEST

START_TEST(notifications_and_answers_from_many_threads_stay_whole)
{
    constexpr std::size_t kRequests = 500;
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    kernel.connect(Loop::kThreads);
    std::thread notifier([&kernel] {
        for (std::size_t i = 0; i < kRequests; ++i)
            fuse_lowlevel_notify_inval_inode(kernel.session(), 3, 4, 5);
    });
    std::thread answerer([&parked] {
        for (std::size_t done = 0; done < kRequests;) {
            for (fuse_req_t req : parked.take(1)) {
                fuse_reply_buf(req, "late", 4);
                ++done;
            }
        }
    });
    const std::set<std::uint64_t> uniques = send_many(kernel, kRequests);
    std::size_t notifications = 0;
    std::size_t answers = 0;
    while (notifications + answers < 2 * kRequests) {
        const Reply message = kernel.receive();
        if (message.header.unique == 0) {
            check_notification(message, kern::NOTIFY_INVAL_INODE,
                               bytes_of(kern::fuse_notify_inval_inode_out{3, 4, 5}));
            ++notifications;
        } else {
            check_reply(message, 0, text("late"));
            ck_assert(uniques.contains(message.header.unique));
            ++answers;
        }
    }
    notifier.join();
    answerer.join();
    ck_assert_uint_eq(answers, kRequests);
}
END_TEST

START_TEST(a_notifier_may_start_before_the_connection)
{
    Parked parked;
    FakeKernel kernel(parking_ops(), {.userdata = &parked});
    std::thread notifier([&kernel] {
        while (fuse_lowlevel_notify_inval_inode(kernel.session(), 3, 4, 5) != 0)
            ::usleep(100);
        while (fuse_lowlevel_notify_retrieve(kernel.session(), 3, 1, 0, nullptr) != 0)
            ::usleep(100);
    });
    kernel.connect(Loop::kThreads);
    notifier.join();
    ck_assert_int_eq(kernel.receive().header.error, kern::NOTIFY_INVAL_INODE);
    ck_assert_int_eq(kernel.receive().header.error, kern::NOTIFY_RETRIEVE);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        {thousands_of_requests_wait_and_are_answered_in_any_order, 0, 2},
        answers_from_another_thread_may_overtake_the_operation,
        two_threads_that_both_answer_send_one_answer,
        the_loop_of_threads_runs_operations_side_by_side,
        the_single_loop_runs_one_operation_at_a_time,
        requests_may_outlive_the_loop_and_be_answered_before_the_session_ends,
        a_session_that_ends_with_open_requests_says_so,
        notifications_and_answers_from_many_threads_stay_whole,
        a_notifier_may_start_before_the_connection,
    };
    return run_tests("fake_threads", tests);
}
