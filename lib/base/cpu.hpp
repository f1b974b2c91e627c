// CPUs as the kernel counts them, and pinning of the calling thread.
#pragma once

#include <sched.h>
#include <string_view>
#include <vector>

namespace rf {

/// Number of CPUs in a list such as "0-3,8" (the format of /sys/devices/system/cpu/possible); 0 if malformed.
[[nodiscard]] unsigned count_cpu_list(std::string_view list) noexcept;

/// The members of such a list: `set[n]` for each of them; false if the list is malformed or absurdly long.
[[nodiscard]] bool parse_cpu_list(std::string_view list, std::vector<bool>& set);
/// The same of a file of /sys; 0 or -errno. An empty file is an empty set.
[[nodiscard]] int read_cpu_list(const char* path, std::vector<bool>& set);

/// CPUs that can ever come online, from /sys/devices/system/cpu/possible; -errno if that cannot be read.
/// Not sysconf(): some libcs answer with the affinity mask there, and FUSE wants one ring queue per possible
/// CPU.
[[nodiscard]] int possible_cpus() noexcept;

/// Binds the calling thread to `cpu`. -EINVAL if the CPU is offline or outside the thread's cpuset.
[[nodiscard]] int pin_to_cpu(unsigned cpu) noexcept;

/// The calling thread's affinity, to be restored with set_affinity().
[[nodiscard]] int get_affinity(cpu_set_t& mask) noexcept;
[[nodiscard]] int set_affinity(const cpu_set_t& mask) noexcept;

} // namespace rf
