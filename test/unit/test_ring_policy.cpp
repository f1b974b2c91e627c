// The decisions of the ring.
#include "transport/ring_policy.hpp"

#include <check.h>

using namespace rf::ring_policy;

START_TEST(completions_mean_what_the_kernel_means)
{
    const struct {
        Command command;
        int res;
        Completion meaning;
    } rows[] = {
        {Command::kRegister, 0, Completion::kRequest},        {Command::kCommit, 0, Completion::kRequest},
        {Command::kRegister, -EAGAIN, Completion::kRetry},    {Command::kCommit, -EAGAIN, Completion::kRetry},
        {Command::kRegister, -EINTR, Completion::kRetry},     {Command::kCommit, -EINTR, Completion::kRetry},
        {Command::kRegister, -ENOTCONN, Completion::kGone},   {Command::kCommit, -ENOTCONN, Completion::kGone},
        {Command::kRegister, -ECONNABORTED, Completion::kGone}, {Command::kCommit, -ECONNABORTED, Completion::kGone},
        {Command::kCommit, -ENODEV, Completion::kGone},       {Command::kCommit, -ECANCELED, Completion::kGone},
        {Command::kRegister, -ENOMEM, Completion::kBroken},   {Command::kCommit, -ENOMEM, Completion::kRetry},
        {Command::kRegister, -ENOENT, Completion::kBroken},   {Command::kCommit, -ENOENT, Completion::kReenter},
        {Command::kRegister, -EINVAL, Completion::kBroken},   {Command::kCommit, -EINVAL, Completion::kBroken},
        {Command::kCommit, -EOPNOTSUPP, Completion::kBroken}, {Command::kCommit, -4000, Completion::kBroken},
    };
    for (const auto& row : rows)
        ck_assert_msg(classify(row.command, row.res) == row.meaning, "res=%d", row.res);
}
END_TEST

START_TEST(only_a_queue_that_stands_still_is_stuck)
{
    const QueueView full{.available = 0, .held = 4, .deliveries = 10};
    ck_assert(is_stuck(full, full));
    // Over-committed for a moment counts as full.
    ck_assert(is_stuck({.available = -1, .held = 4, .deliveries = 10}, full));
    // Something was delivered meanwhile.
    ck_assert(!is_stuck(full, {.available = 0, .held = 4, .deliveries = 11}));
    // An entry was free at the one look or the other.
    ck_assert(!is_stuck(full, {.available = 1, .held = 4, .deliveries = 10}));
    ck_assert(!is_stuck({.available = 1, .held = 4, .deliveries = 10}, full));
    // Nobody holds anything: entries are on their way, not in handlers.
    ck_assert(!is_stuck(full, {.available = 0, .held = 0, .deliveries = 10}));
    ck_assert(!is_stuck(QueueView{}, QueueView{}));
}
END_TEST

START_TEST(each_queue_needs_its_workers_and_all_one_reader)
{
    ck_assert_uint_eq(threads_needed(1), kWorkersPerQueue + 1);
    ck_assert_uint_eq(threads_needed(16), 16 * kWorkersPerQueue + 1);
}
END_TEST

START_TEST(a_low_cap_forbids_the_ring_and_the_default_never_does)
{
    ck_assert(cap_allows_ring(kDefaultMaxThreads, 1));
    ck_assert(cap_allows_ring(kDefaultMaxThreads, 512));
    ck_assert(cap_allows_ring(100, 512));
    ck_assert(!cap_allows_ring(9, 512));
    ck_assert(cap_allows_ring(9, 4));
    ck_assert(!cap_allows_ring(8, 4));
    ck_assert(cap_allows_ring(3, 1));
    ck_assert(!cap_allows_ring(2, 1));
    ck_assert(!cap_allows_ring(0, 1));
}
END_TEST

START_TEST(workers_are_capped_but_never_below_what_the_queues_need)
{
    ck_assert_uint_eq(worker_cap(100, 4), 99);
    ck_assert_uint_eq(worker_cap(10, 4), 9);
    ck_assert_uint_eq(worker_cap(10, 16), 32);
    ck_assert_uint_eq(worker_cap(3, 1), 2);
}
END_TEST

int main()
{
    Suite* suite = suite_create("ring_policy");
    TCase* tests = tcase_create("all");
    tcase_add_test(tests, completions_mean_what_the_kernel_means);
    tcase_add_test(tests, only_a_queue_that_stands_still_is_stuck);
    tcase_add_test(tests, each_queue_needs_its_workers_and_all_one_reader);
    tcase_add_test(tests, a_low_cap_forbids_the_ring_and_the_default_never_does);
    tcase_add_test(tests, workers_are_capped_but_never_below_what_the_queues_need);
    suite_add_tcase(suite, tests);
    SRunner* runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
