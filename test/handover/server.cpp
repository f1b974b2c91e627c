#include "server.hpp"

#include "filesystem.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fuse_log.h>
#include <ringfuse/ringfuse.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace rf::handover {

const int kGiveAway = SIGUSR1;
const int kShare = SIGUSR2;

namespace {

constexpr int kAnswersWithinMs = 20000;

fuse_session* g_session = nullptr;
std::array<int, 2> g_share_pipe{-1, -1};

/// Only what a signal handler may do.
void on_give_away(int)
{
    (void)ringfuse_session_shutdown(g_session, kAnswersWithinMs);
}

void on_share(int)
{
    const int saved = errno;
    if (write(g_share_pipe[1], "", 1) != 1)
        _exit(20);
    errno = saved;
}

void on_signal(int signo, void (*handler)(int))
{
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(signo, &action, nullptr);
}

struct Parcel {
    int fd = -1;
    std::vector<char> state;
};

bool send_parcel(int to, int fd, const void* state, size_t bytes)
{
    iovec piece{const_cast<void*>(state), bytes};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(to, &message, 0) == static_cast<ssize_t>(bytes);
}

Parcel receive_parcel(int from)
{
    Parcel parcel;
    parcel.state.resize(RINGFUSE_STATE_BYTES);
    iovec piece{parcel.state.data(), parcel.state.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    const cmsghdr* const header = n > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header)
        std::memcpy(&parcel.fd, CMSG_DATA(header), sizeof(parcel.fd));
    parcel.state.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return parcel;
}

/// What is meant to fail says so, at length.
class Quiet {
public:
    Quiet()
    {
        fuse_set_log_func([](fuse_log_level, const char*, va_list) {});
    }
    ~Quiet() { fuse_set_log_func(nullptr); }
};

/// A descriptor of one mount and the state of another must not go together: true if they do not.
bool refuses_other_mount(const std::vector<char>& state)
{
    const Quiet quiet;
    const std::string dir = "/mnt/other";
    std::array<const char*, 1> argv{"handover"};
    fuse_args args = FUSE_ARGS_INIT(1, const_cast<char**>(argv.data()));
    fuse_session* const other = fuse_session_new(&args, &stateless_ops(), sizeof(fuse_lowlevel_ops), nullptr);
    fuse_session* const adopter =
        fuse_session_new(&args, &stateless_ops(), sizeof(fuse_lowlevel_ops), nullptr);
    bool refused = false;
    if (other && adopter && mkdir(dir.c_str(), 0755) == 0 && fuse_session_mount(other, dir.c_str()) == 0)
        refused =
            ringfuse_session_adopt(adopter, fuse_session_fd(other), state.data(), state.size()) == -EXDEV;
    fuse_session_unmount(other);
    fuse_session_destroy(other);
    fuse_session_destroy(adopter);
    fuse_opt_free_args(&args);
    return refused;
}

/// Writes the session down and sends it on; true if the next server has it.
bool give(fuse_session* session, int to, bool is_first)
{
    std::vector<char> state(RINGFUSE_STATE_BYTES);
    {
        const Quiet quiet;
        if (ringfuse_session_export(session, state.data(), 8) != -ENOBUFS)
            return false;
    }
    const int bytes = ringfuse_session_export(session, state.data(), state.size());
    if (bytes > 0)
        state.resize(static_cast<size_t>(bytes));
    if (bytes > 0 && is_first && !refuses_other_mount(state))
        return false;
    return bytes > 0 && send_parcel(to, fuse_session_fd(session), state.data(), static_cast<size_t>(bytes));
}

/// The errors of an adoption that must not work. They leave the session as it was. 0, or the number of the
/// claim that is false.
int try_wrong_adoptions(fuse_session* session, const Parcel& parcel)
{
    const Quiet quiet;
    const auto adopt = [&](int fd, const std::vector<char>& state) {
        return ringfuse_session_adopt(session, fd, state.data(), state.size());
    };
    std::vector<char> damaged = parcel.state;
    damaged[damaged.size() / 2] ^= 1;
    std::vector<char> newer = parcel.state;
    newer[8]++; // the version, behind eight bytes that say what this is
    std::vector<char> cut = parcel.state;
    cut.pop_back();
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int unused_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int wrong = 0;
    if (adopt(parcel.fd, damaged) != -EINVAL || adopt(parcel.fd, cut) != -EINVAL ||
        adopt(parcel.fd, {}) != -EINVAL)
        wrong = 1;
    else if (adopt(parcel.fd, newer) != -EPROTO)
        wrong = 2;
    else if (adopt(-1, parcel.state) != -EBADF || adopt(null_fd, parcel.state) != -EBADF ||
             adopt(unused_fd, parcel.state) != -EBADF)
        wrong = 3;
    else if (fuse_session_fd(session) != -1)
        wrong = 4;
    else if (ringfuse_session_export(session, damaged.data(), damaged.size()) != -EAGAIN)
        wrong = 5;
    close(null_fd);
    close(unused_fd);
    return wrong;
}

int take(fuse_session* session, const Place& place)
{
    if (place.from < 0)
        return fuse_session_mount(session, place.dir.c_str()) == 0 ? 0 : 3;
    const Parcel parcel = receive_parcel(place.from);
    if (parcel.fd < 0)
        return 4;
    if (const int wrong = try_wrong_adoptions(session, parcel); wrong != 0)
        return 30 + wrong;
    if (ringfuse_session_adopt(session, parcel.fd, parcel.state.data(), parcel.state.size()) != 0)
        return 5;
    const Quiet quiet;
    // A second time: it has a mount.
    if (ringfuse_session_adopt(session, parcel.fd, parcel.state.data(), parcel.state.size()) != -EBUSY)
        return 6;
    return std::strcmp(ringfuse_transport_name(session), "dev") == 0 ? 0 : 7;
}

int run_loop(fuse_session* session, bool clone_fd)
{
    fuse_loop_config* config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config, clone_fd);
    const int result = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

int run(fuse_session* session, const Place& place)
{
    std::atomic<bool> given{false};
    std::atomic<bool> ended{false};
    std::thread sharer([&] {
        char byte = 0;
        if (read(g_share_pipe[0], &byte, 1) == 1 && !ended)
            given = give(session, place.to, place.from < 0);
    });
    start_late_answers();
    if (write(place.report, "r", 1) != 1)
        return 8;
    const int result = run_loop(session, place.clone_fd);
    ended = true;
    on_share(0);
    sharer.join();
    stop_late_answers();
    ringfuse_stats stats{};
    (void)ringfuse_session_stats(session, &stats, sizeof(stats));
    printf("server %d: loop=%d requests=%llu late=%ld in_flight=%llu\n", getpid(), result,
           static_cast<unsigned long long>(stats.requests), g_late_answers.load(),
           static_cast<unsigned long long>(stats.in_flight));
    fflush(stdout);
    if (place.to < 0)
        return result == SIGTERM ? 0 : 9;
    if (result != 0 || stats.in_flight != 0)
        return 10;
    return given || give(session, place.to, place.from < 0) ? 0 : 11;
}

} // namespace

int serve(const Place& place)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::array<const char*, 3> argv{"handover", "-o", "transport=dev"};
    fuse_args args = FUSE_ARGS_INIT(static_cast<int>(argv.size()), const_cast<char**>(argv.data()));
    g_session = fuse_session_new(&args, &stateless_ops(), sizeof(fuse_lowlevel_ops), nullptr);
    if (!g_session || pipe2(g_share_pipe.data(), O_CLOEXEC) != 0)
        return 2;
    on_signal(kGiveAway, on_give_away);
    on_signal(kShare, on_share);
    int rc = take(g_session, place);
    if (rc == 0)
        rc = fuse_set_signal_handlers(g_session) == 0 ? run(g_session, place) : 12;
    // Only the last one's to unmount; with the others this does nothing.
    fuse_remove_signal_handlers(g_session);
    fuse_session_unmount(g_session);
    fuse_session_destroy(g_session);
    fuse_opt_free_args(&args);
    return rc;
}

} // namespace rf::handover
