#include "transport/ring.hpp"

#include "base/log.hpp"
#include "base/tsan.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>

namespace rf {
namespace {

constexpr int kFuseFile = 0; // index in the ring's file table

} // namespace

int Ring::open(unsigned entries, int fuse_fd, int companion_fd)
{
    io_uring_params params{};
    params.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    params.cq_entries = entries * 4;
    int rc = ::io_uring_queue_init_params(entries, &ring_, &params);
    if (rc < 0)
        return rc;
    open_ = true;
    // liburing maps without the C library; TSan would take another ring's former memory for this one's.
    tsan::from_kernel();
    // A child must not submit for us: the kernel would copy requests into the child's memory.
    (void)::io_uring_ring_dontfork(&ring_);
    // Saves a descriptor look-up per call; nothing depends on it.
    (void)::io_uring_register_ring_fd(&ring_);
    const std::array<int, 2> files{fuse_fd, companion_fd}; // kFuseFile first
    rc = ::io_uring_register_files(&ring_, files.data(), companion_fd >= 0 ? 2 : 1);
    if (rc < 0)
        close();
    return rc;
}

void Ring::close() noexcept
{
    tsan::to_kernel();
    if (open_)
        ::io_uring_queue_exit(&ring_);
    open_ = false;
}

io_uring_sqe* Ring::next_sqe()
{
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    if (!sqe) {
        // Full: hand over what is there. The kernel consumes SQEs during the call, so one is free afterwards.
        (void)::io_uring_submit(&ring_);
        sqe = ::io_uring_get_sqe(&ring_);
    }
    if (sqe)
        std::memset(static_cast<void*>(sqe), 0, 2 * sizeof(*sqe)); // SQE128: twice the plain size
    return sqe;
}

void Ring::prepare_command(RingEntry& entry, unsigned qid, std::uint32_t command)
{
    io_uring_sqe* sqe = next_sqe();
    if (!sqe) {
        log::error("submission queue stays full: qid=%u, entry lost", qid);
        return;
    }
    sqe->opcode = IORING_OP_URING_CMD;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = kFuseFile;
    sqe->cmd_op = command;
    sqe->user_data = reinterpret_cast<std::uint64_t>(&entry);
    auto* request = reinterpret_cast<kern::fuse_uring_cmd_req*>(sqe->cmd);
    request->qid = static_cast<std::uint16_t>(qid);
    if (command == kern::URING_CMD_REGISTER) {
        sqe->addr = reinterpret_cast<std::uint64_t>(entry.iov.data());
        sqe->len = static_cast<std::uint32_t>(entry.iov.size());
    } else {
        request->commit_id = entry.commit_id;
    }
}

void Ring::prepare_register(RingEntry& entry, unsigned qid)
{
    entry.command = ring_policy::Command::kRegister;
    prepare_command(entry, qid, kern::URING_CMD_REGISTER);
}

void Ring::prepare_commit(RingEntry& entry, unsigned qid)
{
    entry.command = ring_policy::Command::kCommit;
    prepare_command(entry, qid, kern::URING_CMD_COMMIT_AND_FETCH);
}

void Ring::prepare_poll(int fd, std::uint64_t tag)
{
    if (io_uring_sqe* sqe = next_sqe()) {
        ::io_uring_prep_poll_add(sqe, fd, POLLIN);
        sqe->user_data = tag;
    }
}

void Ring::prepare_refused_register(std::uint64_t tag)
{
    if (io_uring_sqe* sqe = next_sqe()) {
        sqe->opcode = IORING_OP_URING_CMD;
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->fd = kFuseFile;
        sqe->cmd_op = kern::URING_CMD_REGISTER;
        sqe->user_data = tag;
        reinterpret_cast<kern::fuse_uring_cmd_req*>(sqe->cmd)->qid = UINT16_MAX;
    }
}

int Ring::submit()
{
    const int rc = ::io_uring_submit(&ring_);
    return rc < 0 ? rc : 0;
}

int Ring::submit_and_wait(unsigned seconds)
{
    int rc = 0;
    if (seconds == 0) {
        rc = ::io_uring_submit_and_wait(&ring_, 1);
    } else {
        io_uring_cqe* unused = nullptr;
        __kernel_timespec timeout{static_cast<long long>(seconds), 0};
        rc = ::io_uring_submit_and_wait_timeout(&ring_, &unused, 1, &timeout, nullptr);
    }
    return rc < 0 ? rc : 0;
}

bool Ring::take(std::uint64_t& tag, int& res) noexcept
{
    io_uring_cqe* cqe = nullptr;
    if (::io_uring_peek_cqe(&ring_, &cqe) != 0 || !cqe)
        return false;
    tag = cqe->user_data;
    res = cqe->res;
    ::io_uring_cqe_seen(&ring_, cqe);
    return true;
}

} // namespace rf
