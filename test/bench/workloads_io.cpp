// The workloads that move data. Whether a plain read() reaches the filesystem each time is the filesystem's
// choice (direct_io), so no O_DIRECT here; the buffered one goes through the page cache either way.
#include "workloads_io.hpp"

#include "options.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rf::bench {

namespace {

constexpr unsigned kFiles = 64;
constexpr std::uint64_t kBufferedIoBytes = 128 * 1024;
// The walk through a file turns back here, so that a write workload on a real filesystem stays small.
constexpr std::uint64_t kWalkBytes = 64 * 1024 * 1024;

struct FreeDeleter {
    void operator()(void* memory) const noexcept { std::free(memory); }
};
using IoBuffer = std::unique_ptr<void, FreeDeleter>;

// Page aligned and touched, so that no page fault of ours is measured.
IoBuffer make_buffer(std::uint64_t bytes)
{
    void* memory = nullptr;
    if (::posix_memalign(&memory, 4096, bytes) != 0)
        return nullptr;
    std::memset(memory, 0x5a, bytes);
    return IoBuffer(memory);
}

class SizedIo final : public Workload {
public:
    SizedIo(const Place& place, bool is_write, std::uint64_t bytes) : is_write_(is_write), bytes_(bytes)
    {
        path_.of_client(place);
    }
    int prepare() override
    {
        buffer_ = make_buffer(bytes_);
        if (!buffer_)
            return report_failure("allocate a buffer for", path_.text(), -ENOMEM);
        return file_.open(path_.text(), is_write_ ? O_WRONLY : O_RDONLY);
    }
    int step() noexcept override
    {
        const ssize_t moved = is_write_ ? ::pwrite(file_.fd(), buffer_.get(), bytes_, offset_)
                                        : ::pread(file_.fd(), buffer_.get(), bytes_, offset_);
        if (moved < 0)
            return -errno;
        const std::uint64_t next = static_cast<std::uint64_t>(offset_) + bytes_;
        offset_ = next + bytes_ <= kWalkBytes ? static_cast<off_t>(next) : 0;
        return static_cast<std::uint64_t>(moved) == bytes_ ? 0 : -EIO;
    }
    std::uint64_t bytes_per_op() const noexcept override { return bytes_; }

private:
    const bool is_write_;
    const std::uint64_t bytes_;
    Path path_;
    File file_;
    IoBuffer buffer_;
    off_t offset_ = 0;
};

// read() after read() through the page cache with the kernel's own readahead. The filesystem has to leave its
// files to the cache, else these are the same as SizedIo. At the end of the walk the pages are dropped, so
// that every pass asks the filesystem again.
class SequentialRead final : public Workload {
public:
    SequentialRead(const Place& place, std::uint64_t bytes) : bytes_(bytes) { path_.of_client(place); }
    int prepare() override
    {
        buffer_ = make_buffer(bytes_);
        if (!buffer_)
            return report_failure("allocate a buffer for", path_.text(), -ENOMEM);
        if (const int rc = file_.open(path_.text(), O_RDONLY); rc < 0)
            return rc;
        return drop_cache();
    }
    int step() noexcept override
    {
        const ssize_t moved = ::pread(file_.fd(), buffer_.get(), bytes_, static_cast<off_t>(offset_));
        if (moved < 0)
            return -errno;
        if (static_cast<std::uint64_t>(moved) != bytes_)
            return -EIO;
        offset_ += bytes_;
        if (offset_ + bytes_ <= kWalkBytes)
            return 0;
        offset_ = 0;
        return drop_cache();
    }
    std::uint64_t bytes_per_op() const noexcept override { return bytes_; }

private:
    int drop_cache() noexcept { return -::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_DONTNEED); }

    const std::uint64_t bytes_;
    Path path_;
    File file_;
    IoBuffer buffer_;
    std::uint64_t offset_ = 0;
};

// Sequential reads through the page cache with the kernel's own readahead, by a private mapping: that path is
// cached even where the filesystem makes read() bypass the cache. At the end of the walk the pages are
// dropped, so that every pass asks the filesystem again.
class BufferedRead final : public Workload {
public:
    explicit BufferedRead(const Place& place) { path_.of_client(place); }
    ~BufferedRead() override
    {
        if (view_)
            ::munmap(view_, kWalkBytes);
    }
    int prepare() override
    {
        buffer_ = make_buffer(kBufferedIoBytes);
        if (!buffer_)
            return report_failure("allocate a buffer for", path_.text(), -ENOMEM);
        if (const int rc = file_.open(path_.text(), O_RDONLY); rc < 0)
            return rc;
        void* view = ::mmap(nullptr, kWalkBytes, PROT_READ, MAP_PRIVATE, file_.fd(), 0);
        if (view == MAP_FAILED)
            return report_failure("map", path_.text(), -errno);
        view_ = static_cast<std::byte*>(view);
        if (::madvise(view_, kWalkBytes, MADV_SEQUENTIAL) < 0)
            return report_failure("advise on the mapping of", path_.text(), -errno);
        return drop_cache();
    }
    int step() noexcept override
    {
        // MADV_POPULATE_READ reports a failed read as an error where touching the page would be a SIGBUS.
        std::byte* window = view_ + offset_;
        if (::madvise(window, kBufferedIoBytes, MADV_POPULATE_READ) < 0)
            return -errno;
        std::memcpy(buffer_.get(), window, kBufferedIoBytes);
        offset_ += kBufferedIoBytes;
        if (offset_ < kWalkBytes)
            return 0;
        offset_ = 0;
        return drop_cache();
    }
    std::uint64_t bytes_per_op() const noexcept override { return kBufferedIoBytes; }

private:
    // Mapped pages do not leave the cache, hence both calls.
    int drop_cache() noexcept
    {
        if (::madvise(view_, kWalkBytes, MADV_DONTNEED) < 0)
            return -errno;
        return -::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_DONTNEED);
    }

    Path path_;
    File file_;
    IoBuffer buffer_;
    std::byte* view_ = nullptr;
    std::uint64_t offset_ = 0;
};

} // namespace

int report_failure(const char* what, const char* subject, int error) noexcept
{
    std::fprintf(stderr, "cannot %s %s (%s)\n", what, subject, ::strerrorname_np(-error));
    return error;
}

void Path::format(const char* format, ...) noexcept
{
    va_list args;
    va_start(args, format);
    const int length = std::vsnprintf(text_.data(), text_.size(), format, args);
    va_end(args);
    if (length < 0 || static_cast<std::size_t>(length) >= text_.size())
        text_[0] = '\0';
}

void Path::of_client(const Place& place) noexcept
{
    format("%s/f%u", place.dir, place.client % kFiles);
}

File::~File()
{
    if (fd_ >= 0)
        ::close(fd_);
}

int File::open(const char* path, int flags) noexcept
{
    fd_ = ::open(path, flags | O_CLOEXEC);
    return fd_ < 0 ? report_failure("open", path, -errno) : 0;
}

std::unique_ptr<Workload> make_sized_io(std::string_view name, const Place& place)
{
    const std::size_t dash = name.find('-');
    if (dash == std::string_view::npos)
        return nullptr;
    const std::string_view kind = name.substr(0, dash);
    const std::string size(name.substr(dash + 1));
    const std::uint64_t bytes = parse_size(size.c_str());
    if (bytes == 0 || bytes > kWalkBytes)
        return nullptr;
    if (kind == "read" || kind == "write")
        return std::make_unique<SizedIo>(place, kind == "write", bytes);
    if (kind == "seqread")
        return std::make_unique<SequentialRead>(place, bytes);
    return nullptr;
}

std::unique_ptr<Workload> make_buffered_read(const Place& place)
{
    return std::make_unique<BufferedRead>(place);
}

} // namespace rf::bench
