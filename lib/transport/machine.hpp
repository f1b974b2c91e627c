// The machine this process runs on, as lib/transport/placement.hpp wants to know it.
#pragma once

#include "transport/placement.hpp"

#include <sched.h>

namespace rf {

/// `affinity`: where the process may run. Starts a thread for a moment, to see where one can go. 0 or -errno.
[[nodiscard]] int look_at_machine(unsigned nr_queues, const cpu_set_t& affinity, placement::Machine& out);

} // namespace rf
