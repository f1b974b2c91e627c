#include "server.hpp"

#include "script.hpp"
#include "witness.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sys/resource.h>
#ifndef TEARDOWN_REFERENCE
#include <ringfuse/ringfuse.h>
#endif

namespace rf::teardown {
namespace {

enum ExitCode { kGood = 0, kNoSession = 2, kNoMount = 3, kLeak = 10 };

// A thread is joined a little before the kernel has taken it off the list.
constexpr long kThreadsLeaveMs = 5000;

// For handlers without an argument.
Script* g_script = nullptr;
fuse_session* g_session = nullptr;

bool on_call(contract::Call& call)
{
    return g_script->on_call(call);
}

void on_init(void* userdata, fuse_conn_info* conn)
{
    contract::filesystem_ops().init(userdata, conn);
    g_script->on_init();
}

void exit_by_signal(int)
{
    fuse_session_exit(g_session);
}

int run_loop(const Cell& cell)
{
    if (cell.single)
        return fuse_session_loop(g_session);
    fuse_loop_config* config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, handler_threads(cell));
    fuse_loop_cfg_set_clone_fd(config, 0);
    const int result = fuse_session_loop_mt(g_session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

bool install_signals([[maybe_unused]] const Cell& cell)
{
    if (fuse_set_signal_handlers(g_session) != 0)
        return false;
    struct sigaction action = {};
    action.sa_handler = exit_by_signal;
    if (sigaction(SIGUSR1, &action, nullptr) != 0)
        return false;
#ifndef TEARDOWN_REFERENCE
    if (cell.end == End::kSegv && !cell.single)
        return fuse_set_fail_signal_handlers(g_session) == 0;
#endif
    return true;
}

void note_transport(Shared& shared)
{
#ifdef TEARDOWN_REFERENCE
    snprintf(shared.transport.data(), shared.transport.size(), "dev");
#else
    snprintf(shared.transport.data(), shared.transport.size(), "%s", ringfuse_transport_name(g_session));
#endif
}

/// What this process has before the session.
class Baseline {
public:
    Baseline()
    {
        std::thread([] {}).join(); // what a sanitizer starts with the first thread is here now
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        threads_ = tasks_of(getpid()).size();
        descriptors_ = open_descriptors();
    }

    /// Whether only the threads of the beginning are left. `mount_lives`: one that waits for the mount itself
    /// may stay.
    [[nodiscard]] bool same_threads(const char* when, bool mount_lives) const
    {
        const contract::Clock::time_point start = contract::Clock::now();
        for (;;) {
            std::vector<pid_t> tasks = tasks_of(getpid());
            if (mount_lives)
                std::erase_if(tasks, waits_for_mount);
            if (tasks.size() <= threads_)
                return true;
            if (contract::milliseconds_since(start) > kThreadsLeaveMs) {
                fprintf(stderr, "%zu threads %s, %zu before the session:\n", tasks.size(), when, threads_);
                show(tasks);
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }

    [[nodiscard]] bool same_descriptors() const
    {
        const std::vector<std::string> now = open_descriptors();
        if (now == descriptors_)
            return true;
        fprintf(stderr, "descriptors differ after the session\n");
        for (const std::string& one : now)
            fprintf(stderr, "  after  %s\n", one.c_str());
        for (const std::string& one : descriptors_)
            fprintf(stderr, "  before %s\n", one.c_str());
        return false;
    }

private:
    static void show(const std::vector<pid_t>& tasks)
    {
        for (const pid_t task : tasks) {
            for (const char* what : {"comm", "wchan", "stack"}) {
                std::ifstream file("/proc/self/task/" + std::to_string(task) + "/" + what);
                std::string line;
                while (std::getline(file, line))
                    fprintf(stderr, "  %d %s\n", task, line.c_str());
            }
        }
    }

    std::size_t threads_ = 0;
    std::vector<std::string> descriptors_;
};

/// Mounted to unmounted. The exit code.
int serve_mounted(const Cell& cell, contract::Server& server, const Baseline& baseline)
{
    Shared& shared = server.shared;
    const Connection connection = connection_on(server.dir);
    shared.connection = static_cast<int>(connection.number);
    shared.n[kConnectionInode] = connection.inode;
    Script script(cell, shared);
    g_script = &script;
    script.start(g_session);
    shared.mounted.open();
    if (loop_waits(cell))
        (void)shared.gate[kLoopMayBegin].pass(60000);

    const int result = run_loop(cell);
    note_transport(shared);
    shared.loop_result = result;
    script.end_threads();
    const bool threads = baseline.same_threads("after the loop", /* mount_lives= */ true);
    script.answer_half();

    fuse_remove_signal_handlers(g_session);
    fuse_session_unmount(g_session);
    fuse_session_destroy(g_session);
    return threads ? kGood : kLeak;
}

} // namespace

int serve(const Cell& cell, Shared& shared, const std::string& dir)
{
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const Baseline baseline;
    const contract::Setup setup{.hook = on_call, .single = cell.single};
    contract::Server server{.setup = setup, .shared = shared, .dir = dir, .background = {}};
    fuse_lowlevel_ops ops = contract::filesystem_ops();
    ops.init = on_init;
    std::array<const char*, 1> argv{"teardown"};
    fuse_args args = FUSE_ARGS_INIT(1, const_cast<char**>(argv.data()));
    g_session = fuse_session_new(&args, &ops, sizeof(ops), &server);
    if (!g_session || !install_signals(cell))
        return kNoSession;
    if (fuse_session_mount(g_session, dir.c_str()) != 0)
        return kNoMount;
    const int code = serve_mounted(cell, server, baseline);
    fuse_opt_free_args(&args);
    const bool threads = baseline.same_threads("after destroy", /* mount_lives= */ false);
    return threads && baseline.same_descriptors() ? code : kLeak;
}

} // namespace rf::teardown
