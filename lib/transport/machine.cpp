#include "transport/machine.hpp"

#include "base/cpu.hpp"
#include "base/thread.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace rf {
namespace {

/// Only trying tells: a cpuset refuses, an affinity that somebody set does not. On a thread of its own, since
/// the caller's affinity may be changed by others at any moment and must not be put back to what it was.
void try_cpus(void* argument)
{
    placement::Machine& machine = *static_cast<placement::Machine*>(argument);
    bool tried_ours = false;
    bool ours_works = true;
    for (unsigned cpu = 0; cpu < machine.possible.size(); ++cpu) {
        if (!machine.possible[cpu])
            continue;
        // One stands for all that we run on: whoever refuses one (seccomp) refuses all.
        if (!machine.allowed[cpu]) {
            machine.reachable[cpu] = pin_to_cpu(cpu) == 0;
        } else {
            if (!std::exchange(tried_ours, true))
                ours_works = pin_to_cpu(cpu) == 0;
            machine.reachable[cpu] = ours_works;
        }
    }
}

void find_nodes(placement::Machine& machine)
{
    std::vector<bool> nodes;
    if (read_cpu_list("/sys/devices/system/node/online", nodes) < 0)
        return; // a kernel without NUMA
    machine.node_of.assign(machine.possible.size(), 0);
    for (unsigned node = 0; node < nodes.size(); ++node) {
        std::array<char, 64> path;
        snprintf(path.data(), path.size(), "/sys/devices/system/node/node%u/cpulist", node);
        std::vector<bool> cpus;
        if (!nodes[node] || read_cpu_list(path.data(), cpus) < 0)
            continue;
        for (unsigned cpu = 0; cpu < cpus.size() && cpu < machine.node_of.size(); ++cpu) {
            if (cpus[cpu])
                machine.node_of[cpu] = node;
        }
    }
}

} // namespace

int look_at_machine(unsigned nr_queues, const cpu_set_t& affinity, placement::Machine& out)
{
    out = {};
    out.nr_queues = nr_queues;
    if (const int rc = read_cpu_list("/sys/devices/system/cpu/possible", out.possible); rc < 0)
        return rc;
    out.allowed.resize(out.possible.size());
    out.reachable.resize(out.possible.size());
    for (unsigned cpu = 0; cpu < out.possible.size() && cpu < CPU_SETSIZE; ++cpu)
        out.allowed[cpu] = CPU_ISSET(cpu, &affinity);
    Thread thread;
    const int rc = thread.start("fuse-probe", try_cpus, &out);
    thread.join();
    if (rc == 0)
        find_nodes(out);
    return rc;
}

} // namespace rf
