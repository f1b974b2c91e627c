#include "transport/placement.hpp"

#include <algorithm>
#include <cerrno>

namespace rf::placement {
namespace {

bool has(const std::vector<bool>& set, unsigned cpu) noexcept
{
    return cpu < set.size() && set[cpu];
}

/// Working state of make_plan(): what is known of each queue before anything is given to it.
struct Draft {
    const Machine& machine;
    const Wishes& wishes;
    Plan& plan;
    std::vector<unsigned> asked; // queues that can get requests
    std::vector<unsigned> ours;  // of those: whose CPU the process runs on

    [[nodiscard]] unsigned node(unsigned cpu) const noexcept
    {
        return cpu < machine.node_of.size() ? machine.node_of[cpu] : 0;
    }
    [[nodiscard]] bool one_node() const noexcept
    {
        return std::adjacent_find(machine.node_of.begin(), machine.node_of.end(), std::not_equal_to<>()) ==
               machine.node_of.end();
    }
    /// Another node is further away than any CPU of the same one.
    [[nodiscard]] unsigned distance(unsigned a, unsigned b) const noexcept
    {
        const unsigned steps = a > b ? a - b : b - a;
        return node(a) == node(b) ? steps : steps + 0x10000;
    }
    [[nodiscard]] int nearest_allowed(unsigned cpu) const noexcept
    {
        int best = kAnywhere;
        for (unsigned other = 0; other < machine.allowed.size(); ++other) {
            if (has(machine.allowed, other) && has(machine.possible, other) &&
                (best == kAnywhere || distance(cpu, other) < distance(cpu, static_cast<unsigned>(best))))
                best = static_cast<int>(other);
        }
        return best;
    }
};

/// CPUs whose requests come to queue `qid`: one, none, or for queue 0 also those with too high a number.
std::vector<unsigned> cpus_of(const Machine& machine, unsigned qid)
{
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < machine.possible.size(); ++cpu) {
        if (machine.possible[cpu] && queue_of(cpu, machine.nr_queues) == qid)
            cpus.push_back(cpu);
    }
    return cpus;
}

void look_at_queue(Draft& draft, unsigned qid)
{
    QueuePlace place;
    place.host = qid;
    const std::vector<unsigned> cpus = cpus_of(draft.machine, qid);
    if (!cpus.empty()) {
        draft.asked.push_back(qid);
        const auto mine = std::find_if(cpus.begin(), cpus.end(),
                                       [&](unsigned cpu) { return has(draft.machine.allowed, cpu); });
        const auto near = std::find_if(cpus.begin(), cpus.end(),
                                       [&](unsigned cpu) { return has(draft.machine.reachable, cpu); });
        if (mine != cpus.end()) {
            draft.ours.push_back(qid);
            place.wait_on = static_cast<int>(*mine);
        } else {
            place.wait_on = draft.nearest_allowed(cpus.front());
        }
        if (mine != cpus.end() && has(draft.machine.reachable, *mine))
            place.cpu = static_cast<int>(*mine);
        else if (near != cpus.end())
            place.cpu = static_cast<int>(*near);
        if (!draft.one_node())
            place.node = static_cast<int>(draft.node(cpus.front()));
    }
    draft.plan.queues.push_back(place);
}

/// `count` of `from`, spread evenly.
std::vector<unsigned> spread(const std::vector<unsigned>& from, std::size_t count)
{
    std::vector<unsigned> chosen;
    count = std::min(count, from.size());
    for (std::size_t i = 0; i < count; ++i)
        chosen.push_back(from[i * from.size() / count]);
    return chosen;
}

void give_each(Draft& draft, unsigned total)
{
    const auto queues = static_cast<unsigned>(draft.asked.size());
    unsigned more = total % queues;
    for (const unsigned qid : draft.asked)
        draft.plan.queues[qid].workers = total / queues + (more > 0 ? (--more, 1U) : 0U);
}

/// `direct` queues get a worker; `floating` ones are kept for the others.
void give_some(Draft& draft, unsigned direct, unsigned floating)
{
    std::vector<unsigned> hosts = spread(draft.ours, direct);
    for (const unsigned qid : hosts)
        draft.plan.queues[qid].workers = 1;
    if (hosts.empty())
        hosts = spread(draft.ours, 1);
    if (draft.asked.size() == draft.ours.size() && hosts.size() == draft.asked.size() &&
        draft.plan.queues[hosts.front()].workers > 0)
        return; // nobody is a guest
    hosts = spread(hosts, floating);
    for (unsigned i = 0; i < floating; ++i)
        ++draft.plan.queues[hosts[i % hosts.size()]].floating;
}

void give_workers(Draft& draft)
{
    const auto queues = static_cast<unsigned>(draft.asked.size());
    const unsigned wanted = draft.wishes.workers;
    if (draft.wishes.nonblocking) {
        draft.plan.workers_ignored = wanted > 0 && wanted < queues;
        give_each(draft, queues);
    } else if (wanted >= queues) {
        give_each(draft, wanted);
    } else if (wanted > 0) {
        // The share of the workers is that of the requests, if all CPUs ask alike.
        const unsigned for_guests = std::max(1U, wanted * (queues - wanted) / queues);
        const auto direct = std::min(wanted - for_guests, static_cast<unsigned>(draft.ours.size()));
        give_some(draft, direct, wanted - direct);
    } else if (draft.machine.nr_queues <= kSmallMachine) {
        give_each(draft, 2 * queues);
    } else {
        const auto ours = static_cast<unsigned>(draft.ours.size());
        give_some(draft, ours, std::max(1U, ours / 8));
    }
}

void find_hosts(Draft& draft)
{
    std::vector<unsigned> hosts;
    std::vector<unsigned> any;
    for (unsigned qid = 0; qid < draft.plan.queues.size(); ++qid) {
        if (draft.plan.queues[qid].floating > 0)
            hosts.push_back(qid);
        if (draft.plan.queues[qid].workers > 0)
            any.push_back(qid);
    }
    if (hosts.empty())
        hosts = any; // only for queues that never get a request
    for (unsigned qid = 0; qid < draft.plan.queues.size(); ++qid) {
        QueuePlace& place = draft.plan.queues[qid];
        if (place.workers == 0 && place.floating == 0)
            place.host = *std::min_element(hosts.begin(), hosts.end(), [&](unsigned a, unsigned b) {
                return draft.distance(qid, a) < draft.distance(qid, b);
            });
    }
}

void give_spares(Draft& draft)
{
    for (QueuePlace& place : draft.plan.queues)
        place.spares = place.workers == 0 ? 1 : 0; // each needs an entry, whether requests can come or not
    if (draft.wishes.nonblocking)
        return;
    for (const unsigned qid : draft.asked) {
        QueuePlace& place = draft.plan.queues[qid];
        if (place.cpu == kAnywhere) {
            place.spares = kSparesUnreachable;
            place.refill = kSparesUnreachable / 2;
        } else if (place.workers < 2) {
            place.spares = place.workers == 0 ? kSparesOfGuest : kSparesBesideWorker;
        }
    }
}

/// Fewer where the memory does not suffice, down to two entries for each queue.
int fit_memory(Draft& draft)
{
    const Wishes& wishes = draft.wishes;
    if (wishes.memory_bytes == 0 || wishes.entry_bytes == 0)
        return 0;
    const std::size_t most = wishes.memory_bytes / wishes.entry_bytes;
    if (draft.plan.queues.size() * 2 > most)
        return -ENOBUFS;
    if (draft.plan.entries() <= most)
        return 0;
    for (QueuePlace& place : draft.plan.queues) {
        place.workers = std::min(place.workers, 2U);
        place.spares = std::min(place.spares, 2 - place.workers);
        place.refill = std::min(place.refill, place.spares);
    }
    return 0;
}

/// First those where it matters least, then those nobody can make the kernel look at again: the last queue
/// gets one entry only before requests come.
void put_in_order(Draft& draft)
{
    std::vector<QueuePlace>& queues = draft.plan.queues;
    const auto rank = [&](unsigned qid) {
        if (std::find(draft.asked.begin(), draft.asked.end(), qid) == draft.asked.end())
            return 3; // no request can come: the best one to be last
        if (queues[qid].cpu == kAnywhere)
            return 0;
        return queues[qid].workers == 0 ? 1 : 2;
    };
    for (unsigned qid = 0; qid < queues.size(); ++qid)
        draft.plan.order.push_back(qid);
    std::stable_sort(draft.plan.order.begin(), draft.plan.order.end(),
                     [&](unsigned a, unsigned b) { return rank(a) < rank(b); });
}

} // namespace

unsigned Plan::workers() const noexcept
{
    unsigned total = 0;
    for (const QueuePlace& place : queues)
        total += place.workers + place.floating;
    return total;
}

std::size_t Plan::entries(unsigned per_worker) const noexcept
{
    std::size_t total = 0;
    for (const QueuePlace& place : queues)
        total += std::size_t{place.workers} * per_worker + place.spares;
    return total;
}

bool Plan::has_spares() const noexcept
{
    return std::any_of(queues.begin(), queues.end(),
                       [](const QueuePlace& place) { return place.spares > 0; });
}

int make_plan(const Machine& machine, const Wishes& wishes, Plan& plan)
{
    plan = {};
    Draft draft{machine, wishes, plan, {}, {}};
    for (unsigned qid = 0; qid < machine.nr_queues; ++qid)
        look_at_queue(draft, qid);
    if (draft.ours.empty()) {
        // Nothing is known of where we run (or all of it went offline): as if it were everywhere.
        draft.ours = draft.asked;
    }
    if (draft.asked.empty())
        return -EINVAL;
    give_workers(draft);
    find_hosts(draft);
    give_spares(draft);
    put_in_order(draft);
    return fit_memory(draft);
}

} // namespace rf::placement
