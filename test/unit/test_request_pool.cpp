// The pool of requests: none is given out twice, all stay visible.
#include "check/runner.hpp"
#include "session/request_pool.hpp"

#include <set>
#include <thread>

using namespace rf;

namespace {

std::size_t visible(RequestPool& pool)
{
    std::size_t count = 0;
    pool.find([&](const Request&) {
        ++count;
        return false;
    });
    return count;
}

} // namespace

START_TEST(no_request_is_given_out_twice)
{
    RequestPool pool;
    std::set<Request*> out;
    for (int i = 0; i < 1000; ++i) {
        Request* request = pool.acquire();
        ck_assert_ptr_nonnull(request);
        ck_assert(out.insert(request).second);
    }
    for (Request* request : out)
        pool.release(*request);
}
END_TEST

START_TEST(a_request_given_back_is_given_out_again)
{
    RequestPool pool;
    Request* first = pool.acquire();
    pool.release(*first);
    ck_assert_ptr_eq(pool.acquire(), first);
    ck_assert_uint_eq(visible(pool), 64);
}
END_TEST

START_TEST(find_sees_every_request_and_stops_where_told)
{
    RequestPool pool;
    ck_assert_uint_eq(visible(pool), 0);
    std::vector<Request*> out;
    for (int i = 0; i < 65; ++i)
        out.push_back(pool.acquire());
    ck_assert_uint_eq(visible(pool), 128);
    for (Request* request : out) {
        bool found = false;
        pool.find([&](const Request& one) { return found = &one == request; });
        ck_assert(found);
    }
    std::size_t visits = 0;
    pool.find([&](const Request&) { return ++visits == 3; });
    ck_assert_uint_eq(visits, 3);
}
END_TEST

START_TEST(unanswered_counts_the_live_ones)
{
    RequestPool pool;
    ck_assert_uint_eq(pool.unanswered(), 0);
    Request* first = pool.acquire();
    Request* second = pool.acquire();
    ck_assert_uint_eq(pool.unanswered(), 0);
    first->state.store(RequestState::kLive);
    second->state.store(RequestState::kLive);
    ck_assert_uint_eq(pool.unanswered(), 2);
    first->state.store(RequestState::kAnswered);
    ck_assert_uint_eq(pool.unanswered(), 1);
}
END_TEST

START_TEST(a_request_nobody_holds_cannot_be_held)
{
    RequestPool pool;
    Request* request = pool.acquire();
    ck_assert(!request->try_hold());
    request->add_references(1);
    ck_assert(request->try_hold());
    ck_assert(!request->drop_reference());
    ck_assert(request->drop_reference());
    ck_assert(!request->try_hold());
}
END_TEST

START_TEST(threads_may_take_give_back_and_look_at_once)
{
    RequestPool pool;
    std::vector<std::thread> threads;
    std::atomic<int> clashes{0};
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                std::vector<Request*> mine;
                for (int i = 0; i < 20; ++i) {
                    Request* request = pool.acquire();
                    // Whoever has it is alone with it.
                    clashes += request->references.exchange(1) != 0;
                    mine.push_back(request);
                }
                for (Request* request : mine) {
                    request->references.store(0);
                    pool.release(*request);
                }
            }
        });
    }
    threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round)
            clashes += pool.unanswered() != 0;
    });
    for (std::thread& thread : threads)
        thread.join();
    ck_assert_int_eq(clashes.load(), 0);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        no_request_is_given_out_twice,
        a_request_given_back_is_given_out_again,
        find_sees_every_request_and_stops_where_told,
        unanswered_counts_the_live_ones,
        a_request_nobody_holds_cannot_be_held,
        threads_may_take_give_back_and_look_at_once,
    };
    return rf::test::run_tests("request_pool", tests);
}
