#include "transport/device.hpp"

#include "base/tsan.hpp"
#include "proto/kernel.hpp"
#include "proto/opcodes.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <new>
#include <sys/ioctl.h>

namespace rf {
namespace {

// Answers have at most this many pieces without an allocation; fuse_reply_iov callers may bring more.
constexpr std::size_t kInlinePieces = 16;

// What one writev() takes (UIO_MAXIOV), header included. With more it sends nothing, and the caller in the
// kernel would wait for ever.
constexpr std::size_t kMaxPieces = 1024;

} // namespace

std::size_t device_buffer_bytes(std::size_t max_write) noexcept
{
    // Kernel: fuse_dev_do_read(), fs/fuse/dev.c: a buffer below max(8192, 80 + max_write) gets EINVAL. A
    // whole page in front keeps the data of a large WRITE page-aligned in most layouts and costs address
    // space only.
    return std::max<std::size_t>(kern::kMinReadBuffer, kern::kPageBytes + max_write);
}

DeviceChannel* DeviceChannel::own(int fd) noexcept
{
    UniqueFd owned(fd);
    DeviceChannel* channel = new (std::nothrow) DeviceChannel;
    if (channel) {
        channel->owned_ = std::move(owned);
        channel->set(fd);
        channel->holders_.store(1, std::memory_order_relaxed);
    }
    return channel;
}

void DeviceChannel::release() noexcept
{
    // acq_rel: whoever deletes it has seen everybody else's use end.
    if (owned_ && holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete this;
}

ssize_t DeviceTransport::read(int fd, std::span<std::byte> buffer) const
{
    for (;;) {
        const ssize_t n = from_libc(io_.custom() ? io_.read(fd, buffer.data(), buffer.size(), io_.userdata)
                                                 : ::read(fd, buffer.data(), buffer.size()));
        // Kernel: fuse_dev_do_read(), fs/fuse/dev.c (v6.18): ENOENT means this one request was taken back;
        // the next read gets the next request. ENODEV means the filesystem is gone, ECONNABORTED that it was
        // aborted.
        if (n == -ENOENT)
            continue;
        return n == -ENODEV || n == -ECONNABORTED ? 0 : n;
    }
}

int DeviceTransport::write_on(int fd, iovec* iov, int count) const
{
    if (fd < 0)
        return -EBADF;
    const ssize_t n =
        from_libc(io_.custom() ? io_.writev(fd, iov, count, io_.userdata) : ::writev(fd, iov, count));
    return n < 0 ? static_cast<int>(n) : 0;
}

int DeviceTransport::write_message(std::span<iovec> message) const
{
    std::size_t bytes = 0;
    for (const iovec& piece : message)
        bytes += piece.iov_len;
    if (message.empty() || message[0].iov_len < sizeof(kern::fuse_out_header))
        return -EINVAL;
    // The header says how long the message is; the kernel refuses it otherwise.
    auto* header = static_cast<kern::fuse_out_header*>(message[0].iov_base);
    header->len = static_cast<std::uint32_t>(bytes);
    return write_on(fd(), message.data(), static_cast<int>(message.size()));
}

int DeviceTransport::clone() const
{
    if (io_.custom())
        return io_.clone_fd ? from_libc(io_.clone_fd(main_.fd())) : -EOPNOTSUPP;
    UniqueFd fd(from_libc(::open("/dev/fuse", O_RDWR | O_CLOEXEC)));
    if (!fd)
        return -ENODEV;
    std::uint32_t source = static_cast<std::uint32_t>(main_.fd());
    const int rc = from_libc(::ioctl(fd.get(), kern::kDevIocClone, &source));
    return rc < 0 ? rc : fd.release();
}

void DeviceTransport::release_channel(Slot& slot) noexcept
{
    if (DeviceChannel* channel = std::exchange(slot.channel, nullptr))
        channel->release();
}

int DeviceTransport::commit(Slot& slot, int error, std::span<const iovec> body)
{
    tsan::to_kernel();
    const int rc = send(slot, error, error == 0 ? body : std::span<const iovec>{});
    release_channel(slot);
    return rc;
}

void DeviceTransport::refuse(const proto::Incoming& in, DeviceChannel& channel, int error) const
{
    const OpRow* row = find_op(in.header.opcode);
    if (row && !row->answered)
        return;
    Slot slot;
    slot.in = in;
    slot.channel = &channel;
    (void)send(slot, error, {});
}

/// An answer of more pieces than one writev() takes, as one piece.
int DeviceTransport::send_joined(const Slot& slot, std::span<const iovec> body) const
{
    std::size_t bytes = 0;
    for (const iovec& piece : body)
        bytes += piece.iov_len;
    const std::unique_ptr<std::byte[]> joined(new (std::nothrow) std::byte[bytes]);
    if (!joined) {
        const int rc = send(slot, -ENOMEM, {});
        return rc < 0 ? rc : -ENOMEM;
    }
    std::byte* at = joined.get();
    for (const iovec& piece : body) {
        if (piece.iov_len > 0)
            std::memcpy(at, piece.iov_base, piece.iov_len);
        at += piece.iov_len;
    }
    const iovec whole{joined.get(), bytes};
    return send(slot, 0, {&whole, 1});
}

int DeviceTransport::send(const Slot& slot, int error, std::span<const iovec> body) const
{
    if (body.size() + 1 > kMaxPieces)
        return send_joined(slot, body);
    std::array<iovec, kInlinePieces> inline_pieces;
    std::unique_ptr<iovec[]> many;
    iovec* pieces = inline_pieces.data();
    if (body.size() + 1 > inline_pieces.size()) {
        many.reset(new (std::nothrow) iovec[body.size() + 1]);
        if (!many) {
            // The kernel waits for an answer whatever our troubles are.
            const int rc = send(slot, -ENOMEM, {});
            return rc < 0 ? rc : -ENOMEM;
        }
        pieces = many.get();
    }

    kern::fuse_out_header header{};
    header.unique = slot.in.header.unique;
    header.error = error;
    std::size_t bytes = sizeof(header);
    pieces[0] = {&header, sizeof(header)};
    for (std::size_t i = 0; i < body.size(); ++i) {
        pieces[i + 1] = body[i];
        bytes += body[i].iov_len;
    }
    header.len = static_cast<std::uint32_t>(bytes);
    return write_on(slot.channel ? slot.channel->fd() : -1, pieces, static_cast<int>(body.size() + 1));
}

} // namespace rf
