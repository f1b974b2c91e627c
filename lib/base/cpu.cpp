#include "base/cpu.hpp"

#include "base/fd.hpp"

#include <array>
#include <charconv>
#include <fcntl.h>

namespace rf {

unsigned count_cpu_list(std::string_view list) noexcept
{
    unsigned total = 0;
    const char* at = list.data();
    const char* const end = at + list.size();
    while (at < end && *at != '\n') {
        unsigned first = 0;
        auto parsed = std::from_chars(at, end, first);
        if (parsed.ec != std::errc())
            return 0;
        unsigned last = first;
        if (parsed.ptr < end && *parsed.ptr == '-') {
            parsed = std::from_chars(parsed.ptr + 1, end, last);
            if (parsed.ec != std::errc() || last < first)
                return 0;
        }
        total += last - first + 1;
        at = parsed.ptr;
        if (at < end && *at == ',')
            ++at;
        else if (at < end && *at != '\n')
            return 0;
    }
    return total;
}

int possible_cpus() noexcept
{
    const UniqueFd file(from_libc(::open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC)));
    if (!file)
        return -ENOENT;
    std::array<char, 4096> text;
    const ssize_t n = from_libc(::read(file.get(), text.data(), text.size()));
    if (n < 0)
        return static_cast<int>(n);
    const unsigned count = count_cpu_list({text.data(), static_cast<std::size_t>(n)});
    return count > 0 ? static_cast<int>(count) : -EINVAL;
}

int pin_to_cpu(unsigned cpu) noexcept
{
    if (cpu >= CPU_SETSIZE)
        return -EINVAL;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    return set_affinity(mask);
}

int get_affinity(cpu_set_t& mask) noexcept
{
    return from_libc(::sched_getaffinity(0, sizeof(mask), &mask));
}

int set_affinity(const cpu_set_t& mask) noexcept
{
    return from_libc(::sched_setaffinity(0, sizeof(mask), &mask));
}

} // namespace rf
