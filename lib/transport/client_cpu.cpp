#include "transport/client_cpu.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <string_view>

namespace rf {
namespace {

// Fields of a thread's stat file behind the name, which ends with the last ')': the 37th of these is the CPU.
constexpr int kCpuField = 37;

} // namespace

int cpu_of_thread(std::uint32_t tid) noexcept
{
    // The stat file of the thread as one of its process: the other one adds up all threads of the process.
    std::array<char, 64> path;
    (void)std::snprintf(path.data(), path.size(), "/proc/%u/task/%u/stat", tid, tid);
    const UniqueFd file(from_libc(::open(path.data(), O_RDONLY | O_CLOEXEC)));
    if (!file)
        return -ENOENT;
    std::array<char, 1024> text;
    const ssize_t n = from_libc(::read(file.get(), text.data(), text.size()));
    if (n < 0)
        return static_cast<int>(n);
    std::string_view rest(text.data(), static_cast<std::size_t>(n));
    rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 1));
    for (int i = 0; i < kCpuField; ++i) {
        const std::size_t space = rest.find(' ');
        if (space == std::string_view::npos)
            return -EINVAL;
        rest.remove_prefix(space + 1);
    }
    int cpu = -1;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), cpu);
    return parsed.ec == std::errc() && cpu >= 0 ? cpu : -EINVAL;
}

void HomePolicy::move(int cpu) noexcept
{
    // Gone again before it had settled: it floats between CPUs, and whoever follows it drives it away, since
    // the scheduler prefers an idle CPU to the one that answers.
    if (agreed_ < kSettled) {
        home_ = -1;
        resting_ = next_rest_;
        next_rest_ = std::min(2 * next_rest_, kLongestRest);
    } else {
        home_ = cpu;
    }
    agreed_ = 0;
    strikes_ = 0;
}

void HomePolicy::sample(int cpu, bool alone) noexcept
{
    if (resting_ > 0) {
        --resting_;
        return;
    }
    if (home_ < 0)
        home_ = cpu;
    if (cpu == home_) {
        strikes_ = 0;
        if (agreed_ < kSettled && ++agreed_ == kSettled)
            next_rest_ = kFirstRest;
        return;
    }
    // With many clients one CPU is as good as another.
    if (!alone)
        return;
    strikes_ = cpu == seen_ ? strikes_ + 1 : 1;
    seen_ = cpu;
    if (strikes_ >= kStrikes)
        move(cpu);
}

unsigned ClientCpu::look(std::uint32_t tid, bool alone) noexcept
{
    const int cpu = cpu_of_thread(tid);
    if (cpu < 0)
        return HomePolicy::kSettledPause;
    const MutexLock lock(mutex_);
    policy_.sample(cpu, alone);
    home_.store(policy_.home(), std::memory_order_relaxed);
    // Many clients: where one of them is matters little.
    return alone ? policy_.pause() : HomePolicy::kSettledPause;
}

} // namespace rf
