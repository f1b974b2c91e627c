// Where threads, entries and memory go, for machines of every shape.
#include "check/runner.hpp"
#include "transport/placement.hpp"

#include <cerrno>
#include <initializer_list>
#include <set>

using namespace rf::placement;

namespace {

constexpr unsigned kSizes[] = {1, 2, 3, 4, 5, 16, 64, 192};

/// All CPUs there, ours, and on `nodes` nodes in blocks.
Machine machine_of(unsigned cpus, unsigned nodes = 1)
{
    Machine machine;
    machine.nr_queues = cpus;
    machine.possible.assign(cpus, true);
    machine.allowed.assign(cpus, true);
    machine.reachable.assign(cpus, true);
    for (unsigned cpu = 0; cpu < cpus; ++cpu)
        machine.node_of.push_back(cpu * nodes / cpus);
    return machine;
}

/// The same with a cpuset (or, if `taskset`, an affinity that one may leave).
Machine machine_with(unsigned cpus, std::initializer_list<unsigned> allowed, bool taskset = false,
                     unsigned nodes = 1)
{
    Machine machine = machine_of(cpus, nodes);
    machine.allowed.assign(cpus, false);
    machine.reachable.assign(cpus, taskset);
    for (const unsigned cpu : allowed)
        machine.allowed[cpu] = machine.reachable[cpu] = true;
    return machine;
}

/// A plan for which everything holds that must hold for every plan.
Plan plan_for(const Machine& machine, const Wishes& wishes = {})
{
    Plan plan;
    ck_assert_int_eq(make_plan(machine, wishes, plan), 0);
    ck_assert_uint_eq(plan.queues.size(), machine.nr_queues);
    ck_assert_uint_eq(plan.order.size(), machine.nr_queues);
    ck_assert_uint_eq(std::set<unsigned>(plan.order.begin(), plan.order.end()).size(), machine.nr_queues);
    ck_assert_uint_ge(plan.workers(), 1);
    for (unsigned qid = 0; qid < plan.queues.size(); ++qid) {
        const QueuePlace& place = plan.queues[qid];
        // The kernel uses the ring only if each queue has an entry.
        ck_assert_uint_ge(place.workers + place.spares, 1);
        ck_assert_uint_le(place.refill, place.spares);
        const QueuePlace& host = plan.queues[place.host];
        if (place.workers + place.floating > 0)
            ck_assert_uint_eq(place.host, qid);
        // Whoever has guests has workers to spare for them, unless those are never heard of.
        if (place.host != qid && place.wait_on != kAnywhere)
            ck_assert_uint_ge(host.floating, 1);
        ck_assert_uint_ge(host.workers + host.floating, 1);
        if (place.wait_on != kAnywhere)
            ck_assert(machine.allowed[static_cast<unsigned>(place.wait_on)]);
        if (place.cpu != kAnywhere)
            ck_assert(machine.reachable[static_cast<unsigned>(place.cpu)]);
    }
    return plan;
}

Wishes workers(unsigned count)
{
    Wishes wishes;
    wishes.workers = count;
    return wishes;
}

} // namespace

START_TEST(every_cpu_has_a_worker_on_it)
{
    for (const unsigned cpus : kSizes) {
        const Plan plan = plan_for(machine_of(cpus));
        ck_assert_uint_eq(plan.workers(), cpus <= kSmallMachine ? 2 * cpus : cpus);
        for (unsigned qid = 0; qid < cpus; ++qid) {
            ck_assert_int_eq(plan.queues[qid].wait_on, static_cast<int>(qid));
            ck_assert_int_eq(plan.queues[qid].cpu, static_cast<int>(qid));
            ck_assert_uint_eq(plan.queues[qid].spares, cpus <= kSmallMachine ? 0 : kSparesBesideWorker);
            ck_assert_uint_eq(plan.queues[qid].refill, 0);
        }
    }
}
END_TEST

START_TEST(sixty_four_cpus_take_few_threads)
{
    // Beside the workers: the loop's caller, one reader of the device, the dispatcher.
    ck_assert_uint_le(plan_for(machine_of(64)).workers() + 3, 64 + 8);
}
END_TEST

START_TEST(payloads_are_next_to_their_queue)
{
    for (unsigned nodes = 1; nodes <= 8; ++nodes) {
        const Machine machine = machine_of(64, nodes);
        const Plan plan = plan_for(machine);
        for (unsigned qid = 0; qid < 64; ++qid)
            ck_assert_int_eq(plan.queues[qid].node,
                             nodes == 1 ? kAnywhere : static_cast<int>(machine.node_of[qid]));
    }
}
END_TEST

START_TEST(any_number_of_workers_covers_every_queue)
{
    for (const unsigned cpus : kSizes) {
        for (unsigned nodes = 1; nodes <= 8 && nodes <= cpus; ++nodes) {
            for (unsigned count = 1; count <= 3 * cpus; count += cpus > 16 ? 13 : 1)
                ck_assert_uint_eq(plan_for(machine_of(cpus, nodes), workers(count)).workers(), count);
        }
    }
}
END_TEST

START_TEST(more_workers_than_queues_are_shared_out)
{
    const Plan plan = plan_for(machine_of(4), workers(10));
    const unsigned expected[] = {3, 3, 2, 2};
    for (unsigned qid = 0; qid < 4; ++qid)
        ck_assert_uint_eq(plan.queues[qid].workers, expected[qid]);
}
END_TEST

START_TEST(guests_are_taken_in_on_their_own_node)
{
    for (unsigned nodes = 1; nodes <= 8; ++nodes) {
        const Machine machine = machine_of(64, nodes);
        const Plan plan = plan_for(machine, workers(32));
        for (unsigned qid = 0; qid < 64; ++qid)
            ck_assert_uint_eq(machine.node_of[plan.queues[qid].host], machine.node_of[qid]);
    }
}
END_TEST

START_TEST(one_worker_serves_all_from_between_requests)
{
    const Plan plan = plan_for(machine_of(16), workers(1));
    ck_assert_uint_eq(plan.queues[0].workers, 0);
    ck_assert_uint_eq(plan.queues[0].floating, 1);
    for (unsigned qid = 0; qid < 16; ++qid) {
        ck_assert_uint_eq(plan.queues[qid].host, 0);
        ck_assert_uint_eq(plan.queues[qid].spares, kSparesOfGuest);
    }
}
END_TEST

START_TEST(a_forbidden_cpu_of_a_small_machine_is_served_from_the_nearest)
{
    const Plan plan = plan_for(machine_with(4, {0, 3}));
    const int nearest[] = {0, 0, 3, 3};
    for (unsigned qid = 0; qid < 4; ++qid) {
        const bool ours = qid == 0 || qid == 3;
        ck_assert_uint_eq(plan.queues[qid].workers, 2);
        ck_assert_int_eq(plan.queues[qid].wait_on, nearest[qid]);
        ck_assert_int_eq(plan.queues[qid].cpu, ours ? nearest[qid] : kAnywhere);
        // Nobody can go there to make the kernel look: it must not run dry.
        ck_assert_uint_eq(plan.queues[qid].spares, ours ? 0 : kSparesUnreachable);
    }
    ck_assert_int_ne(plan.queues[plan.order.back()].cpu, kAnywhere);
}
END_TEST

START_TEST(the_nearest_is_on_the_same_node)
{
    // Nodes {0,1} and {2,3}: CPU 2 is nearer to 3 than to 1, although both are next to it.
    const Plan plan = plan_for(machine_with(4, {1, 3}, false, 2));
    ck_assert_int_eq(plan.queues[2].wait_on, 3);
    ck_assert_int_eq(plan.queues[0].wait_on, 1);
}
END_TEST

START_TEST(a_small_cpuset_of_a_large_machine_takes_few_threads)
{
    const Plan plan = plan_for(machine_with(192, {4, 5, 6, 7}));
    ck_assert_uint_eq(plan.workers(), 5);
    for (const unsigned qid : {4U, 5U, 6U, 7U})
        ck_assert_uint_eq(plan.queues[qid].workers, 1);
    for (const unsigned qid : {0U, 3U, 8U, 191U}) {
        ck_assert_uint_eq(plan.queues[qid].workers, 0);
        ck_assert_uint_eq(plan.queues[qid].spares, kSparesUnreachable);
    }
}
END_TEST

START_TEST(an_affinity_is_left_only_to_make_the_kernel_look)
{
    const Plan plan = plan_for(machine_with(2, {0}, /* taskset= */ true));
    ck_assert_int_eq(plan.queues[1].wait_on, 0);
    ck_assert_int_eq(plan.queues[1].cpu, 1);
    ck_assert_uint_eq(plan.queues[1].spares, 0);
}
END_TEST

START_TEST(a_hole_in_the_numbers_gets_an_entry_and_nothing_else)
{
    // Possible are 0-3 and 8-11: eight queues; 4-7 are never heard of, 8-11 come to queue 0.
    Machine machine = machine_of(12);
    machine.nr_queues = 8;
    for (unsigned cpu = 4; cpu < 8; ++cpu)
        machine.possible[cpu] = machine.allowed[cpu] = machine.reachable[cpu] = false;
    const Plan plan = plan_for(machine);
    ck_assert_uint_eq(plan.workers(), 4);
    for (unsigned qid = 4; qid < 8; ++qid) {
        ck_assert_uint_eq(plan.queues[qid].workers, 0);
        ck_assert_uint_eq(plan.queues[qid].spares, 1);
        ck_assert_int_eq(plan.queues[qid].wait_on, kAnywhere);
    }
    // No request can come there before the ring's threads are ready.
    ck_assert_uint_ge(plan.order.back(), 4);
    ck_assert_uint_eq(queue_of(9, 8), 0);
    ck_assert_uint_eq(queue_of(7, 8), 7);
}
END_TEST

START_TEST(queue_zero_is_ours_if_a_cpu_beyond_the_queues_is)
{
    Machine machine = machine_of(12);
    machine.nr_queues = 8;
    for (unsigned cpu = 0; cpu < 12; ++cpu) {
        machine.possible[cpu] = cpu < 4 || cpu >= 8;
        machine.allowed[cpu] = machine.reachable[cpu] = cpu == 2 || cpu == 9;
    }
    const Plan plan = plan_for(machine);
    ck_assert_int_eq(plan.queues[0].wait_on, 9);
    ck_assert_int_eq(plan.queues[0].cpu, 9);
    ck_assert_uint_eq(plan.queues[0].workers, 1);
}
END_TEST

START_TEST(an_offline_cpu_is_a_guest)
{
    Machine machine = machine_of(16);
    machine.allowed[5] = machine.reachable[5] = false;
    const Plan plan = plan_for(machine);
    ck_assert_uint_eq(plan.queues[5].workers, 0);
    ck_assert_uint_eq(plan.queues[5].spares, kSparesUnreachable);
    ck_assert_uint_ge(plan.queues[plan.queues[5].host].floating, 1);
}
END_TEST

START_TEST(where_nothing_is_allowed_every_queue_counts_as_ours)
{
    const Plan plan = plan_for(machine_with(16, {}));
    ck_assert_uint_eq(plan.workers(), 16);
    for (const QueuePlace& place : plan.queues)
        ck_assert_int_eq(place.wait_on, kAnywhere);
}
END_TEST

START_TEST(handlers_that_never_block_need_no_spares)
{
    Wishes wishes;
    wishes.nonblocking = true;
    for (const unsigned cpus : kSizes) {
        const Plan plan = plan_for(machine_of(cpus), wishes);
        ck_assert_uint_eq(plan.workers(), cpus);
        ck_assert(!plan.has_spares());
        ck_assert(!plan.workers_ignored);
        ck_assert_uint_eq(plan.entries(8), 8 * cpus);
    }
    wishes.workers = 3;
    ck_assert(plan_for(machine_of(4), wishes).workers_ignored);
    ck_assert(!plan_for(machine_of(3), wishes).workers_ignored);
}
END_TEST

START_TEST(the_bound_of_memory_is_kept)
{
    constexpr std::size_t kMiB = 1 << 20;
    for (const unsigned cpus : kSizes) {
        for (const unsigned count : {0U, 1U, cpus, 5 * cpus}) {
            for (const unsigned room : {2 * cpus, 3 * cpus, 100 * cpus}) {
                Wishes wishes = workers(count);
                wishes.entry_bytes = kMiB;
                wishes.memory_bytes = room * kMiB;
                ck_assert_uint_le(plan_for(machine_with(cpus, {cpus - 1}), wishes).entries(), room);
            }
            Wishes wishes = workers(count);
            wishes.entry_bytes = kMiB;
            wishes.memory_bytes = 2 * cpus * kMiB - 1;
            Plan plan;
            ck_assert_int_eq(make_plan(machine_of(cpus), wishes, plan), -ENOBUFS);
        }
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_cpu_has_a_worker_on_it,
        sixty_four_cpus_take_few_threads,
        payloads_are_next_to_their_queue,
        any_number_of_workers_covers_every_queue,
        more_workers_than_queues_are_shared_out,
        guests_are_taken_in_on_their_own_node,
        one_worker_serves_all_from_between_requests,
        a_forbidden_cpu_of_a_small_machine_is_served_from_the_nearest,
        the_nearest_is_on_the_same_node,
        a_small_cpuset_of_a_large_machine_takes_few_threads,
        an_affinity_is_left_only_to_make_the_kernel_look,
        a_hole_in_the_numbers_gets_an_entry_and_nothing_else,
        queue_zero_is_ours_if_a_cpu_beyond_the_queues_is,
        an_offline_cpu_is_a_guest,
        where_nothing_is_allowed_every_queue_counts_as_ours,
        handlers_that_never_block_need_no_spares,
        the_bound_of_memory_is_kept,
    };
    return rf::test::run_tests("placement", tests);
}
