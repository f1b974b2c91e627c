#include "transport/dev_uring.hpp"

#include "base/log.hpp"
#include "base/tsan.hpp"
#include "proto/kernel.hpp"

#include <cstring>
#include <sys/epoll.h>

namespace rf {
namespace {

// An answer, the wait and the read it is linked to, the stop, two cancellations.
constexpr unsigned kRingEntries = 8;

enum Tag : std::uint64_t { kStop, kPoll, kRead, kWrite, kCancel };

} // namespace

thread_local constinit DeviceRing* DeviceRing::current_ = nullptr;

int DeviceRing::open(int fd, int stop_fd)
{
    io_uring_params params{};
    // A message is read only while the owner waits: nothing interrupts a handler's system calls.
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
    const int rc = ::io_uring_queue_init_params(kRingEntries, &ring_, &params);
    if (rc < 0)
        return rc;
    open_ = true;
    fd_ = fd;
    tsan::from_kernel();
    // A child must not submit for us: the kernel would read into the child's memory.
    (void)::io_uring_ring_dontfork(&ring_);
    // Saves a descriptor look-up per call; nothing depends on it.
    (void)::io_uring_register_ring_fd(&ring_);
    // What the kernel cannot do at once it gives to threads of its own; nothing here takes them for long.
    unsigned most[2] = {1, 1};
    (void)::io_uring_register_iowq_max_workers(&ring_, most);
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_poll_add(sqe, stop_fd, EPOLLIN);
    ::io_uring_sqe_set_data64(sqe, kStop);
    return 0;
}

bool DeviceRing::has_room(unsigned count)
{
    if (::io_uring_sq_space_left(&ring_) < count)
        (void)::io_uring_submit(&ring_);
    return ::io_uring_sq_space_left(&ring_) >= count;
}

/// A wait and, linked to it, the read. The wait is not exclusive. Kernel: io_poll_wake(), io_uring/poll.c
/// (v6.18): an exclusive one takes a second wake-up as well, until its thread has run, and the request that
/// is behind it would not wake the reader that is idle.
void DeviceRing::arm(std::span<std::byte> buffer)
{
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_poll_add(sqe, fd_, EPOLLIN);
    sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    ::io_uring_sqe_set_data64(sqe, kPoll);
    sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_read(sqe, fd_, buffer.data(), static_cast<unsigned>(buffer.size()), 0);
    ::io_uring_sqe_set_data64(sqe, kRead);
    armed_ = true;
    result_ = -EAGAIN;
}

void DeviceRing::prepare_kept()
{
    std::size_t bytes = 0;
    {
        const MutexLock lock(mutex_);
        bytes = std::exchange(kept_bytes_, 0);
        // The next answer may be kept while the kernel has not consumed this one.
        std::memcpy(leaving_.data(), kept_.data(), bytes);
    }
    if (bytes == 0)
        return;
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_write(sqe, fd_, leaving_.data(), static_cast<unsigned>(bytes), 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    ::io_uring_sqe_set_data64(sqe, kWrite);
}

int DeviceRing::wait(std::span<std::byte> buffer)
{
    if (!has_room(3))
        return -EBUSY;
    prepare_kept();
    if (!armed_)
        arm(buffer);
    tsan::to_kernel();
    const int rc = ::io_uring_submit_and_wait(&ring_, 1);
    reap();
    return rc < 0 && rc != -EINTR ? rc : 0;
}

void DeviceRing::reap()
{
    io_uring_cqe* cqe = nullptr;
    while (::io_uring_peek_cqe(&ring_, &cqe) == 0 && cqe) {
        const std::uint64_t tag = cqe->user_data;
        const int res = cqe->res;
        ::io_uring_cqe_seen(&ring_, cqe);
        if (tag == kRead) {
            armed_ = false;
            result_ = res;
        } else if (tag == kPoll && res < 0) {
            // Kernel: req_set_fail(), io_uring/io_uring.h (v6.18): the read that is linked to it is dropped
            // without a completion of its own.
            armed_ = false;
            result_ = res;
        } else if (tag == kWrite && res < 0) {
            report(res);
        }
    }
}

ssize_t DeviceRing::take() noexcept
{
    const ssize_t n = std::exchange(result_, -EAGAIN);
    switch (n) {
    case -ENOENT: // the request was taken back before it was read
    case -EINTR:
    case -ECANCELED: // disarmed, or its wait failed
        return -EAGAIN;
    case -ENODEV:
    case -ECONNABORTED:
        return 0;
    default:
        return n;
    }
}

bool DeviceRing::disarm()
{
    if (!open_ || !armed_)
        return true;
    // Anew in each round: the first may come before the read that follows the wait exists, and a round
    // without a completion of its own would sleep until the next request.
    while (armed_) {
        if (!has_room(2))
            return false;
        for (const Tag tag : {kPoll, kRead}) {
            io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
            ::io_uring_prep_cancel64(sqe, tag, 0);
            ::io_uring_sqe_set_data64(sqe, kCancel);
        }
        const int rc = ::io_uring_submit_and_wait(&ring_, 1);
        reap();
        if (rc < 0 && rc != -EINTR) {
            log::error("read of the device not taken back (%s), its buffer stays", log::errno_name(rc));
            return false;
        }
    }
    return true;
}

void DeviceRing::close() noexcept
{
    if (!open_)
        return;
    flush();
    tsan::to_kernel();
    ::io_uring_queue_exit(&ring_);
    open_ = false;
}

bool DeviceRing::keep(const Slot& slot, int error, std::span<const iovec> body)
{
    if (&slot != running_ || !late_ || late_->ended() || !may_leave_later(slot.in.header.opcode, error))
        return false;
    std::size_t bytes = sizeof(kern::fuse_out_header);
    for (const iovec& piece : body)
        bytes += piece.iov_len;
    if (bytes > kMostKept)
        return false;
    kern::fuse_out_header header{};
    header.unique = slot.in.header.unique;
    header.error = error;
    header.len = static_cast<std::uint32_t>(bytes);
    {
        const MutexLock lock(mutex_);
        std::byte* at = kept_.data();
        std::memcpy(at, &header, sizeof(header));
        at += sizeof(header);
        for (const iovec& piece : body) {
            if (piece.iov_len > 0)
                std::memcpy(at, piece.iov_base, piece.iov_len);
            at += piece.iov_len;
        }
        kept_bytes_ = bytes;
        seen_ = false;
        ++count_;
    }
    late_->kept();
    // The end may have come between the look above and now; then nobody else looks after this answer.
    if (late_->ended())
        flush();
    return true;
}

void DeviceRing::write_now() noexcept
{
    const std::size_t bytes = std::exchange(kept_bytes_, 0);
    if (bytes == 0)
        return;
    tsan::to_kernel();
    if (const auto rc = from_libc(::write(fd_, kept_.data(), bytes)); rc < 0)
        report(static_cast<int>(rc));
}

void DeviceRing::flush() noexcept
{
    const MutexLock lock(mutex_);
    write_now();
}

bool DeviceRing::look() noexcept
{
    const MutexLock lock(mutex_);
    if (seen_)
        write_now();
    seen_ = kept_bytes_ > 0;
    return std::exchange(counted_, count_) != count_;
}

/// ENOENT: the request was interrupted, nobody waits. The others: the mount ends.
void DeviceRing::report(int error) noexcept
{
    if (error != -ENOENT && error != -ENODEV && error != -ECONNABORTED && error != -ECANCELED)
        log::error("answer refused by the kernel (%s), its request waits", log::errno_name(error));
}

int DevUring::commit(Slot& slot, int error, std::span<const iovec> body)
{
    DeviceRing* ring = DeviceRing::current();
    if (!ring || !ring->keep(slot, error, error == 0 ? body : std::span<const iovec>{}))
        return device_.commit(slot, error, body);
    device_.recycle(slot);
    return 0;
}

void DevUring::flush() noexcept
{
    if (DeviceRing* ring = DeviceRing::current())
        ring->flush();
}

bool may_leave_later(std::uint32_t opcode, int error) noexcept
{
    switch (opcode) {
    case kern::OP_INIT:
    case kern::OP_DESTROY:
    case kern::OP_CUSE_INIT:
        return false;
    case kern::OP_LOOKUP:
    case kern::OP_SYMLINK:
    case kern::OP_MKNOD:
    case kern::OP_MKDIR:
    case kern::OP_LINK:
    case kern::OP_OPEN:
    case kern::OP_OPENDIR:
    case kern::OP_CREATE:
    case kern::OP_TMPFILE:
    case kern::OP_READDIRPLUS:
        return error != 0;
    default:
        return true;
    }
}

} // namespace rf
