// The decisions of the ring.
#include "check/runner.hpp"
#include "transport/ring_policy.hpp"

using namespace rf::ring_policy;

START_TEST(completions_mean_what_the_kernel_means)
{
    const struct {
        Command command;
        int res;
        Completion meaning;
    } rows[] = {
        {Command::kRegister, 0, Completion::kRequest},
        {Command::kCommit, 0, Completion::kRequest},
        {Command::kRegister, -EAGAIN, Completion::kRetry},
        {Command::kCommit, -EAGAIN, Completion::kRetry},
        {Command::kRegister, -EINTR, Completion::kRetry},
        {Command::kCommit, -EINTR, Completion::kRetry},
        {Command::kRegister, -ENOTCONN, Completion::kGone},
        {Command::kCommit, -ENOTCONN, Completion::kGone},
        {Command::kRegister, -ECONNABORTED, Completion::kGone},
        {Command::kCommit, -ECONNABORTED, Completion::kGone},
        {Command::kCommit, -ENODEV, Completion::kGone},
        {Command::kCommit, -ECANCELED, Completion::kGone},
        {Command::kRegister, -ENOMEM, Completion::kBroken},
        {Command::kCommit, -ENOMEM, Completion::kRetry},
        {Command::kRegister, -ENOENT, Completion::kBroken},
        {Command::kCommit, -ENOENT, Completion::kReenter},
        {Command::kRegister, -EINVAL, Completion::kBroken},
        {Command::kCommit, -EINVAL, Completion::kBroken},
        {Command::kCommit, -EOPNOTSUPP, Completion::kBroken},
        {Command::kCommit, -4000, Completion::kBroken},
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

START_TEST(a_cap_below_the_default_is_kept_to_the_letter)
{
    for (unsigned cap = 1; cap < kDefaultMaxThreads; ++cap) {
        ck_assert_uint_eq(handler_limit(cap, 1), cap);
        ck_assert_uint_eq(handler_limit(cap, 512), cap);
    }
}
END_TEST

START_TEST(from_the_default_upwards_every_queue_may_use_its_share)
{
    ck_assert_uint_eq(handler_limit(kDefaultMaxThreads, 1), kDefaultMaxThreads);
    ck_assert_uint_eq(handler_limit(kDefaultMaxThreads, 512), 512 * kHandlersPerQueue);
    ck_assert_uint_eq(handler_limit(100, 512), 512 * kHandlersPerQueue);
    ck_assert_uint_eq(handler_limit(5000, 512), 5000);
}
END_TEST

START_TEST(a_queue_may_have_its_spare_entries_beside_the_handlers)
{
    ck_assert_uint_eq(most_workers(1), 2 * (1 + kHandlersPerQueue));
    ck_assert_uint_eq(most_workers(100), 2 * (100 + kHandlersPerQueue));
}
END_TEST

START_TEST(a_queue_keeps_what_it_started_with_however_few_may_be_idle)
{
    ck_assert_uint_eq(idle_limit(-1, 4), kNoIdleLimit);
    ck_assert_uint_eq(idle_limit(0, 4), 4);
    ck_assert_uint_eq(idle_limit(3, 4), 4);
    ck_assert_uint_eq(idle_limit(7, 4), 7);
    ck_assert_uint_eq(idle_limit(7, 64), 64);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        completions_mean_what_the_kernel_means,
        only_a_queue_that_stands_still_is_stuck,
        a_cap_below_the_default_is_kept_to_the_letter,
        from_the_default_upwards_every_queue_may_use_its_share,
        a_queue_may_have_its_spare_entries_beside_the_handlers,
        a_queue_keeps_what_it_started_with_however_few_may_be_idle,
    };
    return rf::test::run_tests("ring_policy", tests);
}
