#include "clients.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace rf::teardown {
namespace {

constexpr long kForever = 120000;

long or_errno(long rc)
{
    return rc < 0 ? -errno : rc;
}

long list(const std::string& path)
{
    DIR* dir = opendir(path.c_str());
    if (!dir)
        return -errno;
    errno = 0;
    while (readdir(dir))
        continue;
    const long error = -errno;
    closedir(dir);
    return error;
}

long status_of(const std::string& path)
{
    struct stat st {};
    return or_errno(stat(path.c_str(), &st));
}

void use_cpu(int number)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof(all), &all) != 0)
        return;
    CPU_ZERO(&one);
    int skip = number % CPU_COUNT(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all) && skip-- == 0)
            CPU_SET(cpu, &one);
    }
    sched_setaffinity(0, sizeof(one), &one);
}

} // namespace

template <class Job>
void Clients::start(Job job)
{
    fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        well_ = false;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(judge(job()));
    }
    if (pid > 0)
        pids_.push_back(pid);
}

void Clients::start_all()
{
    const off_t at = cell_.state == State::kBlocked ? kBlockHere
                     : cell_.state == State::kAsync ? kKeepThis
                                                    : 0;
    for (int i = 0; i < kClients; i++) {
        start([this, i, at] {
            if (i < kClients / 2)
                use_cpu(i);
            return at ? read_once(i, at) : work(i);
        });
    }
}

void Clients::start_holder()
{
    start([this] {
        const int fd = open(file(0).c_str(), O_RDWR);
        if (fd < 0)
            return or_errno(fd);
        shared_.gate[kClientReady].open();
        (void)shared_.gate[kClientGo].pass(kForever);
        return or_errno(close(fd));
    });
}

void Clients::start_stat()
{
    start([this] { return status_of(file(0)); });
}

void Clients::start_orderer()
{
    shared_.gate[kClientGo].open();
    start([this] { return read_once(kClients, kEndHere); });
}

/// Opens, waits for the others, reads once.
long Clients::read_once(int number, off_t at)
{
    const int fd = open(file(number).c_str(), O_RDWR);
    if (fd < 0)
        return -errno;
    shared_.gate[kClientReady].open();
    (void)shared_.gate[kClientGo].pass(kForever);
    std::array<char, 64> buffer;
    const long result = or_errno(pread(fd, buffer.data(), buffer.size(), at));
    close(fd);
    return result;
}

long Clients::work(int number)
{
    const int fd = open(file(number).c_str(), O_RDWR);
    if (fd < 0)
        return -errno;
    shared_.gate[kClientReady].open();
    (void)shared_.gate[kClientGo].pass(kForever);
    const std::string temporary = file(kTemporary + number);
    std::array<char, 4096> buffer{};
    struct stat st {};
    long result = 0;
    while (result >= 0 && shared_.n[kStop] == 0) {
        result = or_errno(fstat(fd, &st));
        if (result >= 0)
            result = or_errno(pread(fd, buffer.data(), buffer.size(), kPlain));
        if (result >= 0)
            result = or_errno(pwrite(fd, buffer.data(), buffer.size(), kPlain));
        if (result >= 0)
            result = status_of(temporary);
        if (result >= 0)
            result = or_errno(unlink(temporary.c_str()));
        if (result >= 0)
            result = list(dir_);
    }
    close(fd);
    return result;
}

/// The exit code of a client whose last call gave `result`: 0, or the errno it should not have got.
int Clients::judge(long result) const
{
    if (result >= 0)
        return 0;
    const int error = static_cast<int>(-result);
    const bool harmless = cell_.waits_for_clients() && cell_.state != State::kRegister;
    switch (error) {
    case ENOENT: // the mount is not there any more: the path leads to an empty directory
        return !harmless || cell_.end == End::kUmountLazy ? 0 : error;
    case ENOTCONN:
    case ECONNABORTED:
        return harmless ? error : 0;
    // Kernel: dev_uring.c (v6.18): a request on its way to a thread that closes its ring, or whose memory
    // cannot be written any more because its process was killed.
    case ECANCELED:
        return cell_.ring && !harmless ? 0 : error;
    // Kernel: fuse_dev_do_read(), fs/fuse/dev.c (v6.18): a request that could not be copied out, here by an
    // io_uring whose process was killed.
    case EIO:
        return cell_.uring && cell_.dies() ? 0 : error;
    case EINTR:
        return cell_.ring && cell_.dies() ? 0 : error;
    default:
        return error;
    }
}

void Clients::kill_all()
{
    killed_ = true;
    for (const pid_t pid : pids_)
        kill(pid, SIGKILL);
}

bool Clients::all_ended()
{
    std::erase_if(pids_, [this](pid_t pid) {
        int status = 0;
        if (waitpid(pid, &status, WNOHANG) != pid)
            return false;
        const bool good =
            WIFEXITED(status) ? WEXITSTATUS(status) == 0 : killed_ && WTERMSIG(status) == SIGKILL;
        if (!good) {
            fprintf(stderr, "client %d ended with status %#x (%s)\n", pid, static_cast<unsigned>(status),
                    WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "signal");
        }
        well_ &= good;
        return true;
    });
    return pids_.empty();
}

long look_up_and_unlink(const std::string& dir, int first, int last)
{
    for (int i = first; i <= last; i++) {
        use_cpu(i);
        const std::string path = dir + "/f" + std::to_string(i);
        if (const long rc = status_of(path); rc < 0)
            return rc;
        if (unlink(path.c_str()) != 0)
            return -errno;
    }
    return 0;
}

} // namespace rf::teardown
