// Where readers of a device wait: the decisions, and what /proc says of a thread.
#include "base/cpu.hpp"
#include "check/runner.hpp"
#include "transport/client_cpu.hpp"

#include <unistd.h>

namespace {

using rf::HomePolicy;
using rf::Load;

void settle(HomePolicy& policy, int cpu)
{
    for (unsigned i = 0; i < HomePolicy::kSettled; ++i)
        policy.sample(cpu, true);
}

START_TEST(readers_wait_where_the_first_client_is)
{
    HomePolicy policy;
    ck_assert_int_eq(policy.home(), -1);
    policy.sample(3, true);
    ck_assert_int_eq(policy.home(), 3);
}
END_TEST

START_TEST(a_settled_client_is_asked_about_seldom)
{
    HomePolicy policy;
    ck_assert_uint_eq(policy.pause(), HomePolicy::kEagerPause);
    settle(policy, 1);
    ck_assert_uint_eq(policy.pause(), HomePolicy::kSettledPause);
}
END_TEST

START_TEST(a_settled_client_that_moves_is_followed)
{
    HomePolicy policy;
    settle(policy, 0);
    policy.sample(1, true);
    ck_assert_int_eq(policy.home(), 0); // once may be chance
    policy.sample(1, true);
    ck_assert_int_eq(policy.home(), 1);
}
END_TEST

START_TEST(a_floating_client_is_let_go_for_longer_each_time)
{
    HomePolicy policy;
    unsigned last = 0;
    for (unsigned round = 0; round < 3; ++round) {
        policy.sample(0, true);
        policy.sample(1, true);
        policy.sample(1, true);
        ck_assert_int_eq(policy.home(), -1);
        unsigned rest = 0;
        for (; policy.home() < 0; ++rest)
            policy.sample(0, true);
        ck_assert_uint_gt(rest, last);
        last = rest;
    }
}
END_TEST

START_TEST(one_of_many_clients_does_not_move_the_readers)
{
    HomePolicy policy;
    settle(policy, 0);
    for (int i = 0; i < 100; ++i)
        policy.sample(1, false);
    ck_assert_int_eq(policy.home(), 0);
}
END_TEST

START_TEST(load_tells_one_client_from_many)
{
    Load load;
    ck_assert(load.one_client());
    for (int i = 0; i < 100; ++i)
        load.add(1000, false, true);
    ck_assert(!load.one_client());
    for (int i = 0; i < 100; ++i)
        load.add(1000, false, false);
    ck_assert(load.one_client());
}
END_TEST

START_TEST(load_tells_a_queue_from_one_at_a_time)
{
    Load load;
    for (int i = 0; i < 100; ++i)
        load.add(1000, true, false);
    ck_assert(!load.one_at_a_time());
    for (int i = 0; i < 100; ++i)
        load.add(1000, i % 2 == 0, false);
    ck_assert(load.one_at_a_time());
}
END_TEST

START_TEST(load_tells_long_requests_from_short_ones)
{
    Load load;
    for (int i = 0; i < 1000; ++i)
        load.add(100'000, false, false);
    ck_assert(!load.is_short());
    for (int i = 0; i < 1000; ++i)
        load.add(3000, false, false);
    ck_assert(load.is_short());
    for (int i = 0; i < 1000; ++i) // every fourth blocks
        load.add(i % 4 == 0 ? 10'000'000'000 : 3000, false, false);
    ck_assert(load.is_short());
}
END_TEST

START_TEST(the_cpu_of_a_thread_is_found)
{
    cpu_set_t before;
    ck_assert_int_eq(rf::get_affinity(before), 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        ck_assert_int_eq(rf::pin_to_cpu(cpu), 0);
        ck_assert_int_eq(rf::cpu_of_thread(static_cast<std::uint32_t>(::gettid())), static_cast<int>(cpu));
    }
    ck_assert_int_eq(rf::set_affinity(before), 0);
}
END_TEST

START_TEST(a_thread_there_is_not_has_no_cpu)
{
    ck_assert_int_lt(rf::cpu_of_thread(0x7fffffff), 0);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        readers_wait_where_the_first_client_is,
        a_settled_client_is_asked_about_seldom,
        a_settled_client_that_moves_is_followed,
        a_floating_client_is_let_go_for_longer_each_time,
        one_of_many_clients_does_not_move_the_readers,
        load_tells_one_client_from_many,
        load_tells_a_queue_from_one_at_a_time,
        load_tells_long_requests_from_short_ones,
        the_cpu_of_a_thread_is_found,
        a_thread_there_is_not_has_no_cpu,
    };
    return rf::test::run_tests("client_cpu", tests);
}
