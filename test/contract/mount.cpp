#include "mount.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <new>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#ifndef CONTRACT_REFERENCE
#include <ringfuse/ringfuse.h>
#endif

namespace rf::contract {
namespace {

Mount* t_current = nullptr;

void abort_fuse_connection(int connection)
{
    if (connection >= 0)
        std::ofstream("/sys/fs/fuse/connections/" + std::to_string(connection) + "/abort") << "1";
}

void note_transport([[maybe_unused]] Server& server)
{
#ifndef CONTRACT_REFERENCE
    ringfuse_stats stats{};
    if (ringfuse_session_stats(server.session, &stats, sizeof(stats)) == 0)
        server.shared.ring_requests = static_cast<long>(stats.ring_requests);
    snprintf(server.shared.transport.data(), server.shared.transport.size(), "%s",
             ringfuse_transport_name(server.session));
#endif
}

int run_loop(Server& server)
{
    if (server.setup.single)
        return fuse_session_loop(server.session);
    fuse_loop_config* config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, server.setup.max_threads);
    if (server.setup.max_idle_threads >= 0)
        fuse_loop_cfg_set_idle_threads(config, static_cast<unsigned>(server.setup.max_idle_threads));
    fuse_loop_cfg_set_clone_fd(config, 0);
    const int result = fuse_session_loop_mt(server.session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

/// The server process from its start to its end: the exit code.
int serve(Server& server)
{
    std::array<const char*, 1> argv{"contract"};
    fuse_args args = FUSE_ARGS_INIT(1, const_cast<char**>(argv.data()));
    server.session = fuse_session_new(&args, &filesystem_ops(), sizeof(fuse_lowlevel_ops), &server);
    if (!server.session || fuse_set_signal_handlers(server.session) != 0)
        return 2;
    if (fuse_session_mount(server.session, server.dir.c_str()) != 0)
        return 3;
    server.shared.loop_tid = gettid();
    if (server.setup.before_loop)
        server.setup.before_loop(server);
    server.shared.mounted.open();
    const int result = run_loop(server);
    server.shared.loop_result = result;
    note_transport(server);
    server.shared.looped.open();
    if (server.setup.after_loop)
        server.setup.after_loop(server);
    fuse_remove_signal_handlers(server.session);
    fuse_session_unmount(server.session);
    fuse_session_destroy(server.session);
    fuse_opt_free_args(&args);
    for (std::thread& thread : server.background)
        thread.join();
    return 0;
}

/// In the child: becomes the server, or the parent of one in a pid namespace of its own.
int child_main(Server& server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Check's own handlers would keep the session's from being installed.
    for (const int signo : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM})
        signal(signo, SIG_DFL);
    if (!server.setup.count_threads) {
        server.shared.server_pid = getpid();
        return serve(server);
    }
    if (unshare(CLONE_NEWPID) != 0)
        return 4;
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return serve(server);
    }
    server.shared.server_pid = pid;
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

/// A process that ends the test's connection when it is told to or the test's main thread dies. Without it a
/// server whose handlers wait for their own mount could not even be killed: its tasks wait for an answer only
/// it could give.
pid_t start_guardian(Shared& shared)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    setsid(); // the test's process group is killed when the test takes too long
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    int signo = 0;
    if (getppid() == parent)
        sigwait(&set, &signo);
    abort_fuse_connection(shared.connection);
    _exit(0);
}

int connection_of(const std::string& dir)
{
    std::ifstream file("/proc/self/mountinfo");
    std::string line;
    int found = -1;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string id, parent, device, root, point;
        fields >> id >> parent >> device >> root >> point;
        if (point == dir)
            found = atoi(device.substr(device.find(':') + 1).c_str());
    }
    return found;
}

void show_file(const std::string& path)
{
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line))
        fprintf(stderr, "    %s\n", line.c_str());
}

std::vector<pid_t> tasks_of(pid_t pid)
{
    std::vector<pid_t> all;
    const std::string path = "/proc/" + std::to_string(pid) + "/task";
    if (DIR* dir = opendir(path.c_str())) {
        while (const dirent* entry = readdir(dir)) {
            if (entry->d_name[0] != '.')
                all.push_back(atoi(entry->d_name));
        }
        closedir(dir);
    }
    return all;
}

/// What the kernel tells of a process's io_urings: is anything prepared and not submitted, posted and not
/// taken?
void show_rings(pid_t pid)
{
    const std::string base = "/proc/" + std::to_string(pid);
    DIR* dir = opendir((base + "/fd").c_str());
    while (const dirent* entry = dir ? readdir(dir) : nullptr) {
        std::array<char, 64> target{};
        if (readlinkat(dirfd(dir), entry->d_name, target.data(), target.size() - 1) > 0 &&
            strstr(target.data(), "io_uring")) {
            fprintf(stderr, "  io_uring on descriptor %s\n", entry->d_name);
            show_file(base + "/fdinfo/" + entry->d_name);
        }
    }
    if (dir)
        closedir(dir);
}

bool has_stuck_task(pid_t pid)
{
    for (const pid_t task : tasks_of(pid)) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(task) + "/stack");
        std::string text;
        while (std::getline(file, text)) {
            if (text.find("request_wait_answer") != std::string::npos)
                return true;
        }
    }
    return false;
}

void show_kernel_stacks(pid_t pid)
{
    for (const pid_t task : tasks_of(pid)) {
        const std::string base = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(task);
        fprintf(stderr, "  task %d\n", task);
        show_file(base + "/comm");
        show_file(base + "/stack");
    }
}

} // namespace

Mount* Mount::current() noexcept
{
    return t_current;
}

Mount::Mount(const Setup& setup)
{
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(memory != MAP_FAILED);
    shared_ = new (memory) Shared;
    dir_ = "/mnt/contract-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir_.data()));
    fflush(nullptr);
    guardian_ = start_guardian(*shared_);
    ck_assert_int_gt(guardian_, 0);
    child_ = fork();
    ck_assert_int_ge(child_, 0);
    if (child_ == 0) {
        Server server{.setup = setup, .shared = *shared_, .dir = dir_, .background = {}};
        exit(child_main(server));
    }
    t_current = this;
    CLAIM(shared_->mounted.pass(2 * kSoonMs), "the server did not mount");
    shared_->connection = connection_of(dir_);
    CLAIM(shared_->connection >= 0, "%s is not in mountinfo", dir_.c_str());
}

Mount::~Mount()
{
    if (!status_) {
        abort_connection();
        detach();
        if (child_ > 0)
            kill(server() > 0 ? server() : child_, SIGKILL);
        reap();
    }
    shared_->connection = -1; // its number may be another's soon
    kill(guardian_, SIGKILL);
    waitpid(guardian_, nullptr, 0);
    rmdir(dir_.c_str());
    munmap(shared_, sizeof(Shared));
    t_current = nullptr;
}

std::vector<pid_t> Mount::tasks() const
{
    return tasks_of(server());
}

void Mount::show_server() const
{
    fprintf(stderr, "server %d, transport %s, handlers in progress %d (most %d), numbers", server(),
            shared_->transport.data(), shared_->inside.load(), shared_->inside_most.load());
    for (std::size_t i = 0; i < 8; i++)
        fprintf(stderr, " %ld", shared_->n[i].load());
    fprintf(stderr, "\n  waiting for an answer: ");
    show_file("/sys/fs/fuse/connections/" + std::to_string(shared_->connection) + "/waiting");
    const std::string pid = std::to_string(server());
    show_kernel_stacks(server());
    show_rings(server());
    fprintf(stderr, "clients\n");
    show_kernel_stacks(getpid());
    // A debugger would wait for tasks that wait for an answer.
    if (access("/usr/bin/gdb", X_OK) == 0 && !has_stuck_task(server())) {
        const std::string command = "timeout -s KILL 10 gdb -p " + pid +
                                    " -batch -ex 'thread apply all bt 14' 2>/dev/null | grep '^[#T]' >&2";
        if (system(command.c_str()) != 0)
            fprintf(stderr, "  no user stacks\n");
    }
}

void Mount::abort_connection() const
{
    abort_fuse_connection(shared_->connection);
}

void Mount::detach() const
{
    umount2(dir_.c_str(), MNT_DETACH);
}

void Mount::reap()
{
    int status = 0;
    if (waitpid(child_, &status, 0) == child_)
        status_ = status;
}

void Mount::wait_for_end(long ms)
{
    const bool gone = soon(
        [this] {
            int status = 0;
            if (waitpid(child_, &status, WNOHANG) == child_)
                status_ = status;
            return status_.has_value();
        },
        ms);
    CLAIM(gone, "the server did not end within %ld ms", ms);
}

void Mount::killed()
{
    wait_for_end(kSoonMs);
    detach();
    ck_assert_msg(WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL, "server ended with status %#x",
                  *status_);
}

int Mount::ended(long ms)
{
    wait_for_end(ms);
    ck_assert_msg(WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0, "server ended with status %#x",
                  *status_);
    return shared_->loop_result.load();
}

void Mount::end()
{
    Client unmounter(Client::kAnyCpu, [this] { return umount2(dir_.c_str(), 0) == 0 ? 0L : -errno; });
    CLAIM(unmounter.done_within(kSoonMs), "umount hangs");
    CLAIM(unmounter.result() == 0, "umount: %s", strerror(static_cast<int>(-unmounter.result())));
    const int result = ended();
    ck_assert_msg(result == 0, "loop returned %d after umount", result);
    ck_assert_int_eq(shared_->destroys.load(), 1);
}

void Mount::claim_transport_used(long requests) const
{
    if (is_reference())
        return;
    const char* asked = getenv("RINGFUSE_TRANSPORT");
    ck_assert_str_eq(shared_->transport.data(), asked ? asked : "dev");
    const long seen = shared_->ring_requests.load();
    ck_assert_msg(over_ring() ? seen >= requests : seen == 0, "%ld requests came over the ring", seen);
}

bool over_ring()
{
    const char* transport = getenv("RINGFUSE_TRANSPORT");
    return !is_reference() && transport && strcmp(transport, "fuse_uring") == 0;
}

unsigned handlers_allowed(unsigned max_threads)
{
    if (!over_ring() || max_threads < 10)
        return max_threads;
    std::string possible;
    std::ifstream("/sys/devices/system/cpu/possible") >> possible;
    const std::size_t before_last = possible.find_last_of("-,");
    const std::string last = before_last == std::string::npos ? possible : possible.substr(before_last + 1);
    return std::max(max_threads, 2 * (static_cast<unsigned>(atoi(last.c_str())) + 1));
}

bool enter_sandbox()
{
    const auto missing = [](const char* what) {
        printf("skipped: %s: %s\n", what, strerror(errno));
        return false;
    };
    if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
        return missing("root and /dev/fuse");
    if (over_ring()) {
        char enabled = 'N';
        std::ifstream("/sys/module/fuse/parameters/enable_uring") >> enabled;
        if (enabled != 'Y')
            return missing("fuse.enable_uring");
    }
    if (unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") != 0)
        return missing("a mount namespace");
    if (access("/sys/fs/fuse/connections", F_OK) == 0)
        (void)::mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, nullptr);
    return true;
}

} // namespace rf::contract
