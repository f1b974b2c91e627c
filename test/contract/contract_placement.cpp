// Few threads, and CPUs the server may not run on: every request is served all the same, and nobody goes
// where he may not.
#include "mount.hpp"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace rf::contract;

namespace {

constexpr long kDeepest = 10; // the default of max_threads

/// Link `i` of a chain of n[1] links waits for link i + 1 and then lets link i - 1 go on.
bool chain_of_reads(Call& call)
{
    if (call.op != Op::kRead || call.at >= kDeepest)
        return false;
    Shared& shared = call.shared;
    shared.n[0]++;
    if (call.at + 1 < shared.n[1] && !shared.gate[static_cast<std::size_t>(call.at + 1)].pass(3 * kSoonMs))
        shared.n[2]++; // in vain
    shared.gate[static_cast<std::size_t>(call.at)].open();
    return false;
}

void run_chain(Mount& mount, int fd, int from, long depth, bool in_order)
{
    Shared& shared = mount.shared();
    shared.n[0] = 0;
    shared.n[1] = depth;
    std::vector<Client> links;
    for (long i = 0; i < depth; i++) {
        links.emplace_back(from, [fd, i] { return read_at(fd, i); });
        if (in_order)
            CLAIM(soon([&] { return shared.n[0] > i; }), "link %ld of %ld from CPU %d was not called", i,
                  depth, from);
    }
    for (Client& link : links) {
        CLAIM(link.done_within(4 * kSoonMs), "a link of %ld from CPU %d hangs, %ld were called", depth, from,
              shared.n[0].load());
        ck_assert_msg(link.result() >= 0, "a link got %ld", link.result());
    }
    ck_assert_int_eq(shared.n[2], 0);
}

// --- how a server is kept to one CPU
// --------------------------------------------------------------------------

/// As taskset does; whoever is bound so may still leave.
void stay_by_affinity(Server&)
{
    bind_to_cpu(cpu(0));
}

/// And now it may not, nor to any CPU in particular.
void stay_by_refusal(Server& server)
{
    stay_by_affinity(server);
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sched_setaffinity, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(6);
}

std::string cpuset_of(pid_t pid)
{
    return "/sys/fs/cgroup/cpuset/ringfuse-contract-" + std::to_string(pid);
}

bool write_text(const std::string& path, const std::string& text)
{
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
}

/// A container's way. Where there is no such cgroup, the refusal stands for it.
void stay_by_cpuset(Server& server)
{
    const std::string path = cpuset_of(getpid());
    if (mkdir(path.c_str(), 0755) == 0 && write_text(path + "/cpuset.cpus", std::to_string(cpu(0))) &&
        write_text(path + "/cpuset.mems", "0") &&
        write_text(path + "/cgroup.procs", std::to_string(getpid())))
        return;
    fprintf(stderr, "no cpuset can be made here (%s), the affinity is refused instead\n", path.c_str());
    stay_by_refusal(server);
}

constexpr std::array kWays = {stay_by_affinity, stay_by_refusal, stay_by_cpuset};

START_TEST(requests_of_a_forbidden_cpu_are_served)
{
    const Setup setup{.hook = chain_of_reads, .before_loop = kWays[static_cast<std::size_t>(_i)]};
    Mount mount(setup);
    const pid_t server = mount.server();
    const int fd = open_on(cpu(1), mount.path("f1"), O_RDWR);
    for (const bool in_order : {true, false}) {
        for (const long depth : {2L, 5L, kDeepest})
            run_chain(mount, fd, cpu(1), depth, in_order);
    }
    Hammer hammer(fd, {cpu(1), cpu(1), cpu(1), cpu(1), cpu(0), cpu(0)});
    for (const long depth : {2L, 5L, kDeepest})
        run_chain(mount, fd, cpu(1), depth, depth != 5);
    ck_assert_int_gt(hammer.stop(), 100);
    run_chain(mount, fd, cpu(0), kDeepest, true);
    close(fd);
    mount.end();
    mount.claim_transport_used(2 * (2 + 5 + kDeepest));
    rmdir(cpuset_of(server).c_str());
}
END_TEST

std::string name_of(const Mount& mount, pid_t task)
{
    std::ifstream file("/proc/" + std::to_string(mount.server()) + "/task/" + std::to_string(task) + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

/// May that task run on a CPU other than the first one of the tests?
bool may_leave(pid_t task)
{
    cpu_set_t set;
    if (sched_getaffinity(task, sizeof(set), &set) != 0)
        return false; // gone
    CPU_CLR(static_cast<unsigned>(cpu(0)), &set);
    return CPU_COUNT(&set) > 0;
}

START_TEST(no_thread_leaves_the_cpus_of_the_server)
{
    const Setup setup{.hook = chain_of_reads, .before_loop = stay_by_affinity};
    Mount mount(setup);
    const int fd = open_on(cpu(1), mount.path("f1"), O_RDWR);
    run_chain(mount, fd, cpu(1), kDeepest, true);
    for (const pid_t task : mount.tasks()) {
        // Others are not the library's (a sanitizer's). Not at once: to make the kernel look at a queue
        // again, a thread visits its CPU for a moment.
        if (name_of(mount, task).rfind("fuse-", 0) == 0)
            CLAIM(soon([&] { return !may_leave(task); }), "task %d may run elsewhere", task);
    }
    close(fd);
    mount.end();
}
END_TEST

// --- as few workers as asked for
// ------------------------------------------------------------------------------

/// Threads that run handlers of the ring, by their names.
long nr_workers(const Mount& mount)
{
    long count = 0;
    for (const pid_t task : mount.tasks()) {
        const std::string name = name_of(mount, task);
        count += name.rfind("fuse-ring-", 0) == 0 && name != "fuse-ring-disp";
    }
    return count;
}

START_TEST(as_many_workers_begin_as_were_asked_for)
{
    const long asked = _i;
    ck_assert_int_eq(setenv("RINGFUSE_WORKERS", std::to_string(asked).c_str(), 1), 0);
    const Setup setup{.hook = chain_of_reads};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    // A call from each CPU, one at a time: no handler blocks, nothing grows.
    for (unsigned i = 0; i < 2; i++) {
        Client client(cpu(i), [fd] {
            for (int n = 0; n < 200; n++) {
                if (file_status(fd) < 0)
                    return -1L;
            }
            return 0L;
        });
        CLAIM(client.done_within(4 * kSoonMs) && client.result() == 0, "CPU %d is not served", cpu(i));
    }
    const long workers = nr_workers(mount);
    // A worker that the scheduler kept waiting for a tick is taken for a blocked one.
    CLAIM(workers >= asked && workers <= asked + 2, "%ld workers, %ld were asked for", workers, asked);
    for (unsigned i = 0; i < 2; i++)
        run_chain(mount, fd, cpu(i), kDeepest, i == 0);
    Hammer hammer(fd, {cpu(0), cpu(0), cpu(0), cpu(0), cpu(1), cpu(1), cpu(1), cpu(1)});
    for (unsigned i = 0; i < 2; i++)
        run_chain(mount, fd, cpu(i), 5, i == 0);
    ck_assert_int_gt(hammer.stop(), 100);
    close(fd);
    mount.end();
    mount.claim_transport_used(100);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {requests_of_a_forbidden_cpu_are_served, 0, static_cast<int>(kWays.size())},
        {no_thread_leaves_the_cpus_of_the_server, 0, over_ring() ? 1 : 0},
        {as_many_workers_begin_as_were_asked_for, 1, over_ring() ? 5 : 1},
    };
    return run_tests("contract_placement", tests, {.seconds = 90});
}
