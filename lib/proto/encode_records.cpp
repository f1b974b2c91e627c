// Replies that are sequences of records: directory entries and IOCTL retry vectors. See encode.hpp.
#include "proto/encode.hpp"

#include <cerrno>
#include <cstring>

namespace rf {
inline namespace proto {

namespace {

constexpr size_t kRecordAlign = 8;

constexpr size_t align_record(size_t bytes)
{
    return (bytes + kRecordAlign - 1) & ~(kRecordAlign - 1);
}

// Appends raw bytes to a buffer whose size was checked before.
class Writer {
public:
    explicit Writer(std::span<std::byte> out) noexcept : out_(out) {}

    void put(const void* bytes, size_t count) noexcept
    {
        if (count)
            std::memcpy(out_.data(), bytes, count);
        out_ = out_.subspan(count);
    }
    void zero_rest() noexcept { std::memset(out_.data(), 0, out_.size()); }

private:
    std::span<std::byte> out_;
};

kern::fuse_dirent make_dirent(size_t namelen, uint64_t ino, mode_t mode, uint64_t off)
{
    constexpr uint32_t kTypeShift = 12; // file type bits of a mode -> DT_ value
    return {.ino = ino,
            .off = off,
            .namelen = static_cast<uint32_t>(namelen),
            .type = (static_cast<uint32_t>(mode) & S_IFMT) >> kTypeShift};
}

} // namespace

size_t dirent_bytes(size_t namelen) noexcept
{
    return align_record(sizeof(kern::fuse_dirent) + namelen);
}

size_t dirent_plus_bytes(size_t namelen) noexcept
{
    return align_record(sizeof(kern::fuse_direntplus) + namelen);
}

size_t add_dirent(std::span<std::byte> out, const char* name, uint64_t ino, mode_t mode,
                  uint64_t off) noexcept
{
    const size_t namelen = std::strlen(name);
    const size_t bytes = dirent_bytes(namelen);
    if (bytes > out.size())
        return bytes;
    const kern::fuse_dirent head = make_dirent(namelen, ino, mode, off);
    Writer writer(out.first(bytes));
    writer.put(&head, sizeof(head));
    writer.put(name, namelen);
    writer.zero_rest();
    return bytes;
}

size_t add_dirent_plus(std::span<std::byte> out, const char* name, uint64_t ino, mode_t mode, uint64_t off,
                       const kern::fuse_entry_out& entry) noexcept
{
    const size_t namelen = std::strlen(name);
    const size_t bytes = dirent_plus_bytes(namelen);
    if (bytes > out.size())
        return bytes;
    const kern::fuse_direntplus head{.entry_out = entry, .dirent = make_dirent(namelen, ino, mode, off)};
    Writer writer(out.first(bytes));
    writer.put(&head, sizeof(head));
    writer.put(name, namelen);
    writer.zero_rest();
    return bytes;
}

namespace {

void put_iovecs(Writer& writer, uint32_t minor, std::span<const struct iovec> vectors)
{
    if (minor < 16) {
        writer.put(vectors.data(), vectors.size_bytes());
        return;
    }
    for (const struct iovec& vector : vectors) {
        const kern::fuse_ioctl_iovec wire{.base = reinterpret_cast<uintptr_t>(vector.iov_base),
                                          .len = vector.iov_len};
        writer.put(&wire, sizeof(wire));
    }
}

} // namespace

int encode_ioctl_retry(uint32_t minor, std::span<const struct iovec> in, std::span<const struct iovec> out,
                       std::span<std::byte> buffer) noexcept
{
    if (in.size() > kern::kIoctlMaxIov || out.size() > kern::kIoctlMaxIov - in.size())
        return -EINVAL;
    const size_t vector_bytes = minor < 16 ? sizeof(struct iovec) : sizeof(kern::fuse_ioctl_iovec);
    const size_t bytes = sizeof(kern::fuse_ioctl_out) + (in.size() + out.size()) * vector_bytes;
    if (bytes > buffer.size())
        return -ENOSPC;
    const kern::fuse_ioctl_out head{.result = 0,
                                    .flags = kern::kIoctlRetry,
                                    .in_iovs = static_cast<uint32_t>(in.size()),
                                    .out_iovs = static_cast<uint32_t>(out.size())};
    Writer writer(buffer.first(bytes));
    writer.put(&head, sizeof(head));
    put_iovecs(writer, minor, in);
    put_iovecs(writer, minor, out);
    return static_cast<int>(bytes);
}

} // namespace proto
} // namespace rf
