// The benchmark client: runs one workload on a mounted directory with some threads and prints one line of
// JSON. It knows nothing of our library, so that the same program measures any FUSE mount.
#include "clients.hpp"
#include "options.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <sched.h>

namespace rf::bench {

namespace {

// CPUs this process may use, in order.
std::vector<int> usable_cpus()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cpus;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &set))
                cpus.push_back(cpu);
    if (cpus.empty())
        cpus.push_back(0);
    return cpus;
}

// The victim workload: client 0 is the sleeper, the measured ones share its CPU.
bool is_victim(const Options& options) noexcept
{
    return options.workload == "victim";
}

bool make_clients(const Options& options, std::vector<std::unique_ptr<Client>>& out)
{
    const std::vector<int> cpus = usable_cpus();
    const unsigned count = options.clients + (is_victim(options) ? 1 : 0);
    for (unsigned i = 0; i < count; ++i) {
        std::unique_ptr<Client> client = std::make_unique<Client>();
        const Place place{.dir = options.dir.c_str(), .client = i};
        if (!is_victim(options))
            client->workload = make_workload(options.workload, place);
        else
            client->workload = i == 0 ? make_sleeper(place) : make_workload("fstat", place);
        if (!client->workload)
            return false;
        if (options.pin_cpu >= 0)
            client->cpu = options.pin_cpu;
        else if (is_victim(options))
            client->cpu = cpus[0];
        else if (options.pin)
            client->cpu = cpus[i % cpus.size()];
        out.push_back(std::move(client));
    }
    return true;
}

struct Report {
    Histogram latency;
    std::uint64_t total_steps = 0;
    std::uint64_t errors = 0;
    int first_error = 0;
    double ops_per_s = 0.0;
    double cpu_seconds = 0.0;

    void add(const Client& client) noexcept
    {
        latency.merge(client.latency);
        total_steps += client.total_steps;
        errors += client.errors;
        if (first_error == 0)
            first_error = client.first_error;
        // Rates are added, not counts divided by one time: each thread's time ends with its last operation.
        if (client.measured_seconds > 0.0)
            ops_per_s += static_cast<double>(client.latency.total()) / client.measured_seconds;
        cpu_seconds += client.cpu_seconds;
    }
    double percentile_us(double share) const noexcept
    {
        return static_cast<double>(latency.percentile_ns(share)) * 1e-3;
    }
};

void print_report(const Options& options, const Report& report, std::uint64_t bytes_per_op,
                  const Report* sleeper)
{
    const std::uint64_t ops = report.latency.total();
    std::array<char, 32> pin{"none"};
    if (options.pin_cpu >= 0)
        std::snprintf(pin.data(), pin.size(), "cpu%d", options.pin_cpu);
    else if (is_victim(options))
        std::snprintf(pin.data(), pin.size(), "one");
    else if (options.pin)
        std::snprintf(pin.data(), pin.size(), "each");
    std::printf("{\"workload\": \"%s\", \"clients\": %u, \"pin\": \"%s\", \"seconds\": %g, \"ops\": %llu, "
                "\"total_steps\": %llu, \"ops_per_s\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
                "\"max_us\": %.2f, \"client_cpu_s_per_op\": %.9f, \"bytes_per_op\": %llu, \"errors\": %llu, "
                "\"first_error\": \"%s\"",
                options.workload.c_str(), options.clients, pin.data(), options.seconds,
                static_cast<unsigned long long>(ops), static_cast<unsigned long long>(report.total_steps),
                report.ops_per_s, report.percentile_us(0.5), report.percentile_us(0.99),
                static_cast<double>(report.latency.max_ns()) * 1e-3,
                ops > 0 ? report.cpu_seconds / static_cast<double>(ops) : 0.0,
                static_cast<unsigned long long>(bytes_per_op), static_cast<unsigned long long>(report.errors),
                report.first_error != 0 ? ::strerrorname_np(report.first_error) : "");
    if (sleeper)
        std::printf(", \"sleeper_ops\": %llu, \"sleeper_p50_us\": %.2f",
                    static_cast<unsigned long long>(sleeper->latency.total()), sleeper->percentile_us(0.5));
    std::printf("}\n");
}

int run(const Options& options)
{
    std::vector<std::unique_ptr<Client>> clients;
    if (!make_clients(options, clients)) {
        std::fprintf(stderr, "workload unknown: name=%s, --list shows all\n", options.workload.c_str());
        return 2;
    }
    if (run_clients({options.warmup_seconds, options.seconds, options.grace_seconds}, clients) < 0)
        return 1; // the client has said why

    // A histogram is large: not on the stack.
    const std::unique_ptr<Report> measured = std::make_unique<Report>();
    const std::unique_ptr<Report> sleeper = std::make_unique<Report>();
    for (std::size_t i = 0; i < clients.size(); ++i)
        (is_victim(options) && i == 0 ? *sleeper : *measured).add(*clients[i]);
    measured->errors += sleeper->errors;
    if (measured->first_error == 0)
        measured->first_error = sleeper->first_error;
    print_report(options, *measured, clients.back()->workload->bytes_per_op(),
                 is_victim(options) ? sleeper.get() : nullptr);
    return measured->errors == 0 && measured->latency.total() > 0 ? 0 : 1;
}

} // namespace

} // namespace rf::bench

int main(int argc, char** argv)
{
    rf::bench::Options options;
    if (rf::bench::parse_options(argc, argv, options) < 0)
        return 2;
    if (options.list) {
        rf::bench::print_workloads();
        return 0;
    }
    return rf::bench::run(options);
}
