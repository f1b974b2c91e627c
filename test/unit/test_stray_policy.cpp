// When a ring thread is bound for a wait: seldom where wake-ups stay, nearly always where they do not.
#include "check/runner.hpp"
#include "transport/stray_policy.hpp"

using rf::StrayPolicy;

namespace {

/// Runs `waits` waits of which every `period`-th unbound one goes astray (0: none does). Returns the bound
/// ones.
unsigned bound_of(StrayPolicy& policy, unsigned waits, unsigned period, unsigned* astray = nullptr)
{
    unsigned bound = 0;
    unsigned unbound = 0;
    for (unsigned i = 0; i < waits; i++) {
        if (policy.must_bind(true)) {
            bound++;
            continue;
        }
        const bool here = period == 0 || ++unbound % period != 0;
        if (!here && astray)
            ++*astray;
        policy.woke(here);
    }
    return bound;
}

START_TEST(a_thread_that_stays_is_never_bound)
{
    StrayPolicy policy;
    ck_assert_uint_eq(bound_of(policy, 100000, 0), 0);
}
END_TEST

START_TEST(a_thread_on_the_wrong_cpu_is_bound_to_move_it)
{
    StrayPolicy policy;
    ck_assert(policy.must_bind(false));
    ck_assert(!policy.must_bind(true));
}
END_TEST

START_TEST(where_every_wakeup_goes_astray_few_are_tried)
{
    StrayPolicy policy;
    unsigned astray = 0;
    (void)bound_of(policy, 100000, 1, &astray);
    ck_assert_uint_gt(astray, 0);
    ck_assert_uint_lt(astray, 100);
}
END_TEST

START_TEST(a_rare_stray_binds_a_few_waits_only)
{
    StrayPolicy policy;
    const unsigned bound = bound_of(policy, 100000, 1000);
    ck_assert_uint_gt(bound, 0);
    ck_assert_uint_lt(bound, 100000 / 50);
}
END_TEST

START_TEST(a_bad_moment_is_forgotten)
{
    StrayPolicy policy;
    (void)bound_of(policy, 20000, 1);
    (void)bound_of(policy, 2 * StrayPolicy::kMostBoundWaits + StrayPolicy::kRareAfter, 0);
    const unsigned bound = bound_of(policy, 100000, 1000);
    ck_assert_uint_lt(bound, 100000 / 50);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        a_thread_that_stays_is_never_bound,
        a_thread_on_the_wrong_cpu_is_bound_to_move_it,
        where_every_wakeup_goes_astray_few_are_tried,
        a_rare_stray_binds_a_few_waits_only,
        a_bad_moment_is_forgotten,
    };
    return rf::test::run_tests("stray_policy", tests);
}
