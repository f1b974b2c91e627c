#include "base/cpu.hpp"

#include "base/fd.hpp"

#include <array>
#include <charconv>
#include <fcntl.h>
#include <span>

namespace rf {
namespace {

constexpr unsigned kMostCpus = 65536; // ids of queues are 16 bits wide

/// Calls `visit(first, last)` for each range of `list`; false if it is malformed.
template <class Visit>
bool for_each_range(std::string_view list, Visit visit)
{
    const char* at = list.data();
    const char* const end = at + list.size();
    while (at < end && *at != '\n') {
        unsigned first = 0;
        auto parsed = std::from_chars(at, end, first);
        if (parsed.ec != std::errc())
            return false;
        unsigned last = first;
        if (parsed.ptr < end && *parsed.ptr == '-') {
            parsed = std::from_chars(parsed.ptr + 1, end, last);
            if (parsed.ec != std::errc() || last < first)
                return false;
        }
        visit(first, last);
        at = parsed.ptr;
        if (at < end && *at == ',')
            ++at;
        else if (at < end && *at != '\n')
            return false;
    }
    return true;
}

/// What the file holds, in `text`; -errno if it cannot be read.
ssize_t read_text(const char* path, std::span<char> text) noexcept
{
    const UniqueFd file(from_libc(::open(path, O_RDONLY | O_CLOEXEC)));
    return file ? from_libc(::read(file.get(), text.data(), text.size())) : -ENOENT;
}

} // namespace

unsigned count_cpu_list(std::string_view list) noexcept
{
    unsigned total = 0;
    const bool good = for_each_range(list, [&](unsigned first, unsigned last) { total += last - first + 1; });
    return good ? total : 0;
}

bool parse_cpu_list(std::string_view list, std::vector<bool>& set)
{
    set.clear();
    bool sane = true;
    const bool good = for_each_range(list, [&](unsigned first, unsigned last) {
        sane = sane && last < kMostCpus;
        if (!sane)
            return;
        if (set.size() <= last)
            set.resize(last + 1);
        for (unsigned cpu = first; cpu <= last; ++cpu)
            set[cpu] = true;
    });
    return good && sane;
}

int read_cpu_list(const char* path, std::vector<bool>& set)
{
    std::array<char, 4096> text;
    const ssize_t n = read_text(path, text);
    if (n < 0)
        return static_cast<int>(n);
    return parse_cpu_list({text.data(), static_cast<std::size_t>(n)}, set) ? 0 : -EINVAL;
}

int possible_cpus() noexcept
{
    std::array<char, 4096> text;
    const ssize_t n = read_text("/sys/devices/system/cpu/possible", text);
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
