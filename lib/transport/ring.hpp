// One io_uring as a worker uses it: FUSE commands, a wake-up descriptor, a device to watch. No decisions.
#pragma once

#include "transport/ring_entry.hpp"

#include <liburing.h>

namespace rf {

/// Owner thread only: the thread that calls open() is the only one that may submit or wait.
///
/// Flags: SQE128 (FUSE commands need it), SINGLE_ISSUER and DEFER_TASKRUN: requests are copied in only while
/// the owner waits here, so nothing ever interrupts a handler's system calls.
class Ring {
public:
    Ring() = default;
    ~Ring() { close(); }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// 0 or -errno. `companion_fd` (-1: none) is kept open by the ring as long as it keeps `fuse_fd` open.
    [[nodiscard]] int open(unsigned entries, int fuse_fd, int companion_fd);
    /// Gives every command still in the kernel back; AVAILABLE entries are gone for the connection.
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    void prepare_register(RingEntry& entry, unsigned qid);
    void prepare_commit(RingEntry& entry, unsigned qid);
    /// Completes once with `tag` when `fd` becomes readable.
    void prepare_poll(int fd, std::uint64_t tag);
    /// A REGISTER the kernel must refuse: tells it to give up the ring and to use the device (kernel: any
    /// failing REGISTER clears the connection's ring flag; only meant for before the ring is ready).
    void prepare_refused_register(std::uint64_t tag);

    /// Submits what was prepared. 0 or -errno.
    [[nodiscard]] int submit();
    /// Submits, then waits for at least one completion, for `seconds` at most (0: for ever). 0 or -errno
    /// (-EINTR included); -ETIME: nothing came.
    [[nodiscard]] int submit_and_wait(unsigned seconds);
    /// Has the kernel copy in what was on its way, without waiting.
    void receive() noexcept { (void)::io_uring_get_events(&ring_); }
    [[nodiscard]] bool has_unsubmitted() noexcept { return ::io_uring_sq_ready(&ring_) > 0; }
    [[nodiscard]] bool has_completions() noexcept { return ::io_uring_cq_ready(&ring_) > 0; }

    /// Takes one completion off the queue; false if there is none.
    [[nodiscard]] bool take(std::uint64_t& tag, int& res) noexcept;

private:
    io_uring_sqe* next_sqe();
    void prepare_command(RingEntry& entry, unsigned qid, std::uint32_t command);

    io_uring ring_{};
    bool open_ = false;
};

} // namespace rf
