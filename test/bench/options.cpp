// Command line of the benchmark client: getopt_long into Options, every value checked.
#include "options.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <getopt.h>

namespace rf::bench {

namespace {

constexpr char kUsage[] =
    "usage: bench_client --dir DIR --workload NAME [options]\n"
    "  --clients N      threads, each with its own descriptor and file (default 1)\n"
    "  --pin            client i runs on the i-th usable CPU, round robin\n"
    "  --pin-cpu K      all clients run on CPU K\n"
    "  --seconds S      time measured (default 2)\n"
    "  --warmup S       time run before that (default 0.5)\n"
    "  --grace S        how long an operation may be overdue before the client gives up (default 20)\n"
    "  --list           print the workloads and leave\n"
    "prints one line of JSON; exit 0 = every operation succeeded, 1 = some failed, 2 = bad arguments,\n"
    "3 = an operation did not come back in time\n";

constexpr std::uint64_t kMaxIoBytes = std::uint64_t{1} << 30;
constexpr double kMaxSeconds = 86400.0;

bool parse_seconds(const char* text, double& out) noexcept
{
    char* end = nullptr;
    out = std::strtod(text, &end);
    return end != text && *end == '\0' && out >= 0.0 && out <= kMaxSeconds;
}

bool parse_number(const char* text, long lowest, long highest, long& out) noexcept
{
    char* end = nullptr;
    errno = 0;
    out = std::strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && out >= lowest && out <= highest;
}

// One option and its value; false if the value is not acceptable.
bool take(int option, const char* value, Options& out)
{
    long number = 0;
    switch (option) {
    case 'd':
        out.dir = value;
        return !out.dir.empty();
    case 'w':
        out.workload = value;
        return !out.workload.empty();
    case 'c':
        if (!parse_number(value, 1, 4096, number))
            return false;
        out.clients = static_cast<unsigned>(number);
        return true;
    case 'k':
        if (!parse_number(value, 0, 65535, number))
            return false;
        out.pin_cpu = static_cast<int>(number);
        return true;
    case 's':
        return parse_seconds(value, out.seconds) && out.seconds > 0.0;
    case 'u':
        return parse_seconds(value, out.warmup_seconds);
    case 'g':
        return parse_seconds(value, out.grace_seconds) && out.grace_seconds > 0.0;
    case 'p':
        out.pin = true;
        return true;
    case 'l':
        out.list = true;
        return true;
    default:
        return false;
    }
}

} // namespace

std::uint64_t parse_size(const char* text) noexcept
{
    if (*text < '0' || *text > '9')
        return 0;
    char* end = nullptr;
    errno = 0;
    const unsigned long long number = std::strtoull(text, &end, 10);
    std::uint64_t unit = 1;
    if (*end == 'k')
        unit = 1024;
    else if (*end == 'm')
        unit = 1024 * 1024;
    if (unit != 1)
        ++end;
    if (errno != 0 || *end != '\0' || number > kMaxIoBytes / unit)
        return 0;
    return number * unit;
}

int parse_options(int argc, char** argv, Options& out)
{
    static constexpr option kLong[] = {
        {"dir", required_argument, nullptr, 'd'},     {"workload", required_argument, nullptr, 'w'},
        {"clients", required_argument, nullptr, 'c'}, {"pin", no_argument, nullptr, 'p'},
        {"pin-cpu", required_argument, nullptr, 'k'}, {"seconds", required_argument, nullptr, 's'},
        {"warmup", required_argument, nullptr, 'u'},  {"grace", required_argument, nullptr, 'g'},
        {"list", no_argument, nullptr, 'l'},          {nullptr, 0, nullptr, 0},
    };
    int index = 0;
    for (int c; (c = ::getopt_long(argc, argv, "", kLong, &index)) != -1;) {
        if (c == '?') {
            std::fputs(kUsage, stderr);
            return -EINVAL;
        }
        if (!take(c, optarg, out)) {
            std::fprintf(stderr, "option refused: --%s value=%s\n%s", kLong[index].name, optarg, kUsage);
            return -EINVAL;
        }
    }
    if (out.list)
        return 0;
    if (optind != argc || out.dir.empty() || out.workload.empty()) {
        std::fputs(kUsage, stderr);
        return -EINVAL;
    }
    if (out.pin && out.pin_cpu >= 0) {
        std::fprintf(stderr, "options exclude each other: --pin --pin-cpu\n%s", kUsage);
        return -EINVAL;
    }
    return 0;
}

} // namespace rf::bench
