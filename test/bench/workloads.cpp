// The metadata workloads and the table of all of them. The ones that move data are in workloads_io.cpp.
#include "workloads.hpp"

#include "workloads_io.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rf::bench {

namespace {

// The file whose handlers take their time. Only the victim workload wants to wait for it.
constexpr char kSleepyName[] = "sleepy";

class Fstat final : public Workload {
public:
    Fstat(const Place& place, const char* name)
    {
        if (name)
            path_.format("%s/%s", place.dir, name);
        else
            path_.of_client(place);
    }
    int prepare() override { return file_.open(path_.text(), O_RDONLY); }
    int step() noexcept override
    {
        struct stat st;
        return ::fstat(file_.fd(), &st) < 0 ? -errno : 0;
    }

private:
    Path path_;
    File file_;
};

// A name that does not exist: the answer must be ENOENT, anything else is an error.
class LookupMiss final : public Workload {
public:
    explicit LookupMiss(const Place& place) : place_(place) {}
    int prepare() override
    {
        name_.format("missing-%u", place_.client);
        return dir_.open(place_.dir, O_RDONLY | O_DIRECTORY);
    }
    int step() noexcept override
    {
        struct stat st;
        if (::fstatat(dir_.fd(), name_.text(), &st, AT_SYMLINK_NOFOLLOW) == 0)
            return -EEXIST;
        return errno == ENOENT ? 0 : -errno;
    }

private:
    const Place place_;
    Path name_;
    File dir_;
};

class OpenClose final : public Workload {
public:
    explicit OpenClose(const Place& place) { path_.of_client(place); }
    int prepare() override { return 0; }
    int step() noexcept override
    {
        const int fd = ::open(path_.text(), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        return ::close(fd) < 0 ? -errno : 0;
    }

private:
    Path path_;
};

class CreateUnlink final : public Workload {
public:
    explicit CreateUnlink(const Place& place)
    {
        path_.format("%s/new-%d-%u", place.dir, static_cast<int>(::getpid()), place.client);
    }
    int prepare() override { return 0; }
    int step() noexcept override
    {
        const int fd = ::open(path_.text(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return -errno;
        const int closed = ::close(fd) < 0 ? -errno : 0;
        const int gone = ::unlink(path_.text()) < 0 ? -errno : 0;
        return closed < 0 ? closed : gone;
    }

private:
    Path path_;
};

// One operation = the whole directory, from its first entry to its end. With `stat_each`, every entry is
// looked at as well, as `ls -l` does.
class ListDirectory final : public Workload {
public:
    ListDirectory(const Place& place, bool stat_each) : place_(place), stat_each_(stat_each) {}
    ~ListDirectory() override
    {
        if (stream_)
            ::closedir(stream_);
    }
    int prepare() override
    {
        stream_ = ::opendir(place_.dir);
        return stream_ ? 0 : report_failure("open a directory", place_.dir, -errno);
    }
    int step() noexcept override
    {
        ::rewinddir(stream_);
        unsigned entries = 0;
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(stream_);
            if (!entry)
                break;
            ++entries;
            if (!stat_each_ || std::strcmp(entry->d_name, kSleepyName) == 0)
                continue;
            struct stat st;
            if (::fstatat(::dirfd(stream_), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        }
        if (errno != 0)
            return -errno;
        return entries > 0 ? 0 : -ENODATA;
    }

private:
    const Place place_;
    const bool stat_each_;
    DIR* stream_ = nullptr;
};

struct Row {
    std::string_view name;
    std::string_view operation;
    std::unique_ptr<Workload> (*make)(const Place&);
};

constexpr std::array kRows = {
    Row{"fstat", "fstat() of an open file",
        [](const Place& p) -> std::unique_ptr<Workload> { return std::make_unique<Fstat>(p, nullptr); }},
    Row{"lookup", "stat() of a name that does not exist",
        [](const Place& p) -> std::unique_ptr<Workload> { return std::make_unique<LookupMiss>(p); }},
    Row{"openclose", "open() and close()",
        [](const Place& p) -> std::unique_ptr<Workload> { return std::make_unique<OpenClose>(p); }},
    Row{"create", "create, close and unlink one file",
        [](const Place& p) -> std::unique_ptr<Workload> { return std::make_unique<CreateUnlink>(p); }},
    Row{"readdir", "names of one whole directory",
        [](const Place& p) -> std::unique_ptr<Workload> {
            return std::make_unique<ListDirectory>(p, false);
        }},
    Row{"readdirplus", "names and attributes of one whole directory, like ls -l",
        [](const Place& p) -> std::unique_ptr<Workload> { return std::make_unique<ListDirectory>(p, true); }},
    Row{"read-buffered", "next 128 KiB of the file through the page cache, cold", make_buffered_read},
};

} // namespace

std::unique_ptr<Workload> make_workload(std::string_view name, const Place& place)
{
    for (const Row& row : kRows)
        if (row.name == name)
            return row.make(place);
    return make_sized_io(name, place);
}

std::unique_ptr<Workload> make_sleeper(const Place& place)
{
    return std::make_unique<Fstat>(place, kSleepyName);
}

void print_workloads()
{
    for (const Row& row : kRows)
        std::printf("%-14.*s %.*s\n", static_cast<int>(row.name.size()), row.name.data(),
                    static_cast<int>(row.operation.size()), row.operation.data());
    std::printf("%-14s one pread() of SIZE (4k, 128k, 1m, ...), walking through the file\n", "read-SIZE");
    std::printf("%-14s one pwrite() of SIZE, walking through the file\n", "write-SIZE");
    std::printf("%-14s the same through the page cache, cold; the filesystem must not ask for direct_io\n",
                "seqread-SIZE");
    std::printf(
        "%-14s client 0 waits for the file \"sleepy\" all the time, the others fstat on the same CPU\n",
        "victim");
}

} // namespace rf::bench
