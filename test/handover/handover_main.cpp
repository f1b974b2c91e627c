// Hands one mount from process to process while clients read, write, list and stat, and count what fails.
//
// usage: handover [HANDOVERS [MILLISECONDS]]: so many, with that much time between them. Every second one has
// both processes serving at a time. Exit code: 0, 1 (something was lost), 77 (no root, no /dev/fuse).
#include "filesystem.hpp"
#include "server.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace rf::handover;

namespace {

constexpr unsigned kClients = 6;
constexpr int kHangSeconds = 60; // nothing is expected to take a hundredth of it

std::atomic<bool> g_stop{false};
std::atomic<long> g_failed{0};
std::array<std::atomic<long>, kClients> g_done{};

void note_failure(const char* what, unsigned client)
{
    const int error = errno;
    if (g_failed++ >= 10)
        return; // one is enough, and there may be many
    fprintf(stderr, "client %u: %s: %s\n", client, what, strerror(error));
}

bool check_file(const std::string& path, fuse_ino_t ino, unsigned random, std::vector<char>& buffer)
{
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    const size_t bytes = random % 4 == 0 ? kMostBytes : 4096;
    const off_t at = static_cast<off_t>(random / 4 % 64) * 8192;
    bool good = false;
    if (random / 256 % 2 == 0) {
        good = pread(fd, buffer.data(), bytes, at) == static_cast<ssize_t>(bytes);
        if (good && !matches(ino, at, buffer.data(), bytes)) {
            errno = EILSEQ;
            good = false;
        }
    } else {
        fill(ino, at, buffer.data(), bytes);
        good = pwrite(fd, buffer.data(), bytes, at) == static_cast<ssize_t>(bytes);
    }
    return close(fd) == 0 && good;
}

bool check_stat(const std::string& path, fuse_ino_t ino)
{
    struct stat st {};
    if (stat(path.c_str(), &st) != 0)
        return false;
    errno = EILSEQ;
    return st.st_ino == ino && st.st_size == kFileBytes;
}

bool check_list(const std::string& dir)
{
    DIR* const list = opendir(dir.c_str());
    if (!list)
        return false;
    unsigned files = 0;
    errno = 0;
    while (readdir(list))
        files++;
    const bool good = errno == 0 && files == kFiles;
    if (errno == 0)
        errno = EILSEQ;
    closedir(list);
    return good;
}

void run_client(unsigned client, const std::string& dir)
{
    std::vector<char> buffer(kMostBytes);
    unsigned random = client * 7919 + 1;
    while (!g_stop) {
        random = random * 1664525 + 1013904223;
        const unsigned index = (random >> 8) % kFiles;
        const std::string path = dir + "/" + name_of(index);
        const fuse_ino_t ino = kFirstFile + index;
        const unsigned kind = (random >> 16) % 16;
        if (kind == 0) {
            if (!check_list(dir))
                note_failure("list", client);
        } else if (kind < 6) {
            if (!check_stat(path, ino))
                note_failure("stat", client);
        } else if (!check_file(path, ino, random >> 12, buffer)) {
            note_failure("read or write", client);
        }
        g_done[client]++;
    }
}

struct Server {
    pid_t pid = -1;
    int report = -1;
};

bool wait_for_report(const Server& server)
{
    pollfd readable{server.report, POLLIN, 0};
    char byte = 0;
    return poll(&readable, 1, kHangSeconds * 1000) == 1 && read(server.report, &byte, 1) == 1;
}

/// Exit code of the server; -1 if it does not end.
int wait_for_end(const Server& server)
{
    for (int i = 0; i < kHangSeconds * 100; i++) {
        int status = 0;
        if (waitpid(server.pid, &status, WNOHANG) == server.pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return -1;
}

/// All of them exist from the start, since a process with threads forks badly. Each waits for its
/// predecessor.
std::vector<Server> start_servers(const std::string& dir, unsigned handovers)
{
    std::vector<Server> servers;
    int from = -1;
    for (unsigned i = 0; i <= handovers; i++) {
        std::array<int, 2> next{-1, -1};
        std::array<int, 2> report{-1, -1};
        if (i < handovers && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, next.data()) != 0)
            return {};
        if (pipe2(report.data(), O_CLOEXEC) != 0)
            return {};
        const pid_t pid = fork();
        if (pid == 0)
            exit(serve(
                {.dir = dir, .from = from, .to = next[0], .report = report[1], .clone_fd = i % 3 == 1}));
        close(report[1]);
        if (from >= 0)
            close(from);
        if (next[0] >= 0)
            close(next[0]);
        servers.push_back({pid, report[0]});
        from = next[1];
    }
    return servers;
}

bool is_mounted(const std::string& dir)
{
    std::ifstream file("/proc/self/mountinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (line.find(" " + dir + " ") != std::string::npos)
            return true;
    }
    return false;
}

void abort_connection(int number)
{
    std::ofstream("/sys/fs/fuse/connections/" + std::to_string(number) + "/abort") << "1";
}

int connection_number(const std::string& dir)
{
    std::ifstream file("/proc/self/mountinfo");
    std::string line;
    while (std::getline(file, line)) {
        unsigned id = 0, parent = 0, major = 0, minor = 0;
        if (line.find(" " + dir + " ") != std::string::npos &&
            sscanf(line.c_str(), "%u %u %u:%u", &id, &parent, &major, &minor) == 4)
            return static_cast<int>(minor);
    }
    return -1;
}

/// From `now` to `next`; false after a message.
bool hand_over(const Server& now, const Server& next, bool both_serve, int milliseconds)
{
    kill(now.pid, both_serve ? kShare : kGiveAway);
    if (!wait_for_report(next)) {
        fprintf(stderr, "the next server does not begin\n");
        return false;
    }
    if (both_serve) {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        kill(now.pid, kGiveAway);
    }
    const int code = wait_for_end(now);
    if (code != 0)
        fprintf(stderr, "server %d ends with %d\n", now.pid, code);
    return code == 0;
}

long operations()
{
    long all = 0;
    for (const std::atomic<long>& done : g_done)
        all += done;
    return all;
}

/// Clients that hang after they were told to stop.
unsigned count_lost(const std::array<std::atomic<bool>, kClients>& ended)
{
    unsigned lost = 0;
    for (int i = 0; i < kHangSeconds * 100; i++) {
        lost = 0;
        for (const std::atomic<bool>& one : ended)
            lost += !one;
        if (lost == 0)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return lost;
}

int run(const std::string& dir, unsigned handovers, int milliseconds)
{
    const std::vector<Server> servers = start_servers(dir, handovers);
    if (servers.empty() || !wait_for_report(servers[0])) {
        fprintf(stderr, "the first server does not begin\n");
        return 1;
    }
    const int connection = connection_number(dir);
    std::array<std::atomic<bool>, kClients> ended{};
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < kClients; i++)
        clients.emplace_back([&, i] {
            run_client(i, dir);
            ended[i] = true;
        });
    unsigned done = 0;
    bool moving = true;
    for (; done < handovers; done++) {
        const long before = operations();
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        if (!hand_over(servers[done], servers[done + 1], done % 2 == 1, milliseconds))
            break;
        moving &= operations() > before;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    g_stop = true;
    const unsigned lost = count_lost(ended);
    if (lost > 0)
        abort_connection(connection);
    for (std::thread& client : clients)
        client.join();
    kill(servers.back().pid, SIGTERM);
    const int last = done == handovers ? wait_for_end(servers.back()) : -1;
    const bool gone = last == 0 && !is_mounted(dir);
    printf("handovers=%u operations=%ld failed=%ld lost=%u last_server=%d unmounted=%s\n", done, operations(),
           g_failed.load(), lost, last, gone ? "yes" : "no");
    return done == handovers && moving && g_failed == 0 && lost == 0 && gone ? 0 : 1;
}

int skip(const char* what)
{
    printf("skipped: %s: %s\n", what, strerror(errno));
    return 77;
}

} // namespace

int main(int argc, char** argv)
{
    if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
        return skip("root and /dev/fuse");
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") != 0)
        return skip("a mount namespace");
    if (access("/sys/fs/fuse/connections", F_OK) == 0)
        (void)mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, nullptr);
    const int handovers = argc > 1 ? atoi(argv[1]) : 10;
    const int milliseconds = argc > 2 ? atoi(argv[2]) : 100;
    if (handovers < 1 || milliseconds < 1) {
        fprintf(stderr, "usage: handover [HANDOVERS [MILLISECONDS]]\n");
        return 2;
    }
    const std::string dir = "/mnt/handover";
    if (mkdir(dir.c_str(), 0755) != 0)
        return skip("a mount point");
    return run(dir, static_cast<unsigned>(handovers), milliseconds);
}
