#include "mount.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

namespace rf::contract {
namespace {

long or_errno(long rc)
{
    return rc < 0 ? -errno : rc;
}

} // namespace

int cpu(unsigned index)
{
    static const std::array<int, 2> cpus = [] {
        std::array<int, 2> found{0, 0};
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof(set), &set);
        std::size_t count = 0;
        for (int i = 0; i < CPU_SETSIZE && count < found.size(); i++) {
            if (CPU_ISSET(i, &set))
                found[count++] = i;
        }
        if (count == 1)
            found[1] = found[0];
        return found;
    }();
    return cpus[index % cpus.size()];
}

void bind_to_cpu(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    sched_setaffinity(0, sizeof(set), &set);
}

Client::Client(int cpu, Job job) : state_(std::make_shared<State>())
{
    state_->job = std::move(job);
    thread_ = std::thread([state = state_, cpu] {
        if (cpu != kAnyCpu)
            bind_to_cpu(cpu);
        const Clock::time_point start = Clock::now();
        state->result = state->job();
        state->ms = milliseconds_since(start);
        state->done.open();
    });
}

Client::~Client()
{
    if (thread_.joinable())
        thread_.join();
}

bool Client::done_within(long ms)
{
    seen_done_ = seen_done_ || state_->done.pass(ms);
    return seen_done_;
}

long read_at(int fd, off_t at, std::size_t bytes)
{
    std::vector<char> buffer(bytes);
    return or_errno(pread(fd, buffer.data(), bytes, at));
}

long write_at(int fd, off_t at, std::size_t bytes)
{
    const std::vector<char> buffer(bytes, 'w');
    return or_errno(pwrite(fd, buffer.data(), bytes, at));
}

long file_status(int fd)
{
    struct stat st {};
    return or_errno(fstat(fd, &st));
}

long path_status(const std::string& path)
{
    struct stat st {};
    return or_errno(stat(path.c_str(), &st));
}

long list_directory(const std::string& path)
{
    DIR* dir = opendir(path.c_str());
    if (!dir)
        return -errno;
    long count = 0;
    errno = 0;
    while (readdir(dir))
        count++;
    const long error = -errno;
    closedir(dir);
    return error ? error : count;
}

int open_on(int cpu, const std::string& path, int flags)
{
    Client client(cpu, [&] { return or_errno(open(path.c_str(), flags | O_CLOEXEC)); });
    CLAIM(client.done_within(kSoonMs), "open of %s hangs", path.c_str());
    CLAIM(client.result() >= 0, "open of %s: %ld", path.c_str(), client.result());
    return static_cast<int>(client.result());
}

Hammer::Hammer(int fd, const std::vector<int>& cpus)
{
    // An offset no hook knows: hooks act on small ones.
    constexpr off_t kPlain = off_t{1} << 20;
    for (const int cpu : cpus) {
        clients_.push_back(std::make_unique<Client>(cpu, [this, fd] {
            long count = 0;
            while (!stop_) {
                long rc = file_status(fd);
                if (rc >= 0)
                    rc = read_at(fd, kPlain);
                if (rc < 0)
                    return rc;
                count += 2;
            }
            return count;
        }));
    }
}

long Hammer::stop()
{
    stop_ = true;
    long total = 0;
    for (const std::unique_ptr<Client>& client : clients_) {
        CLAIM(client->done_within(kSoonMs), "a fast client hangs");
        CLAIM(client->result() > 0, "a fast client got %ld", client->result());
        total += client->result();
    }
    return total;
}

} // namespace rf::contract
