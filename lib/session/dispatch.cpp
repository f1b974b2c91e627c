// From a delivered slot to the filesystem's operation: header checks, the opcode table, the decoder.
#include "session/calls.hpp"
#include "session/session.hpp"

#include "base/log.hpp"

#include <cinttypes>

namespace rf {

/// Fills what the filesystem may ask of the request, and makes it findable.
void Session::begin(Request& request)
{
    const kern::fuse_in_header& header = request.in.header;
    request.session = this;
    request.row = find_op(header.opcode);
    request.ctx = {};
    request.ctx.uid = header.uid;
    request.ctx.gid = header.gid;
    request.ctx.pid = static_cast<pid_t>(header.pid);
    request.extensions = extensions(request.in);
    request.secctx_at = 0;
    request.interrupted.store(false, std::memory_order_relaxed);
    recorder_.begin(request.ticket, {.unique = header.unique,
                                     .nodeid = header.nodeid,
                                     .opcode = header.opcode,
                                     .caller_pid = header.pid,
                                     .bytes = header.len,
                                     .queue = request.entry ? request.queue : -1});
    {
        const MutexLock lock(request.interrupt_mutex);
        request.interrupt_function = nullptr;
        request.interrupt_data = nullptr;
    }
    request.unique.store(header.unique, std::memory_order_relaxed);
    // seq_cst: an INTERRUPT either finds this request live or is found by check_pending_interrupts().
    request.state.store(RequestState::kLive, std::memory_order_seq_cst);
    if (pending_count(header.unique).load(std::memory_order_seq_cst) > 0)
        check_pending_interrupts(request);
}

/// With allow_root: callers that are neither the owner nor root may only go on with what is open already.
bool Session::is_stranger(const Request& request) const noexcept
{
    if (!options_.allow_root || request.ctx.uid == owner_ || request.ctx.uid == 0)
        return false;
    switch (request.in.header.opcode) {
    case kern::OP_INIT:
    case kern::OP_READ:
    case kern::OP_WRITE:
    case kern::OP_FSYNC:
    case kern::OP_RELEASE:
    case kern::OP_READDIR:
    case kern::OP_READDIRPLUS:
    case kern::OP_FSYNCDIR:
    case kern::OP_RELEASEDIR:
    case kern::OP_NOTIFY_REPLY:
        return false;
    default:
        return true;
    }
}

/// 0, or the errno with which `request` is answered before anybody looks at its arguments.
int Session::refusal(const Request& request) const noexcept
{
    const std::uint32_t opcode = request.in.header.opcode;
    const bool is_init = opcode == kern::OP_INIT || opcode == kern::OP_CUSE_INIT;
    const std::uint32_t first = cuse_ ? kern::OP_CUSE_INIT : kern::OP_INIT;
    if (got_init_.load(std::memory_order_acquire) ? is_init : opcode != first)
        return EIO;
    if (!request.row)
        return ENOSYS;
    return request.row->answered && is_stranger(request) ? EACCES : 0;
}

void Session::deliver(Slot& slot)
{
    Request& request = static_cast<Request&>(slot);
    begin(request);
    if (!slot.entry)
        engine_.count_device_request();
    if (debug_.load(std::memory_order_relaxed))
        trace_request(request);
    if (const int error = refusal(request); error != 0) {
        request.finish(-error);
        return;
    }
    Calls calls(*this, request);
    if (const int rc = decode(*request.row, request.in, peer_, calls); rc < 0) {
        log::error("request malformed: op=%s unique=%" PRIu64 " len=%u (%s), answered EIO", request.name(),
                   slot.in.header.unique, slot.in.header.len, log::errno_name(rc));
        request.finish(-EIO);
    }
}

void Session::note_answer(Request& request, int error, std::span<const iovec> body) noexcept
{
    std::size_t bytes = 0;
    for (const iovec& piece : body)
        bytes += piece.iov_len;
    recorder_.end(request.ticket, error != 0, bytes);
}

void Session::trace_request(const Request& request) const
{
    const kern::fuse_in_header& header = request.in.header;
    log::debug("request: unique=%" PRIu64 " op=%s (%u) nodeid=%" PRIu64 " len=%u pid=%u over=%s",
               header.unique, op_name(header.opcode), header.opcode, header.nodeid, header.len, header.pid,
               request.entry ? "ring" : "device");
}

void Session::trace_answer(const Request& request, int error, std::span<const iovec> body) const
{
    if (!debug_.load(std::memory_order_relaxed))
        return;
    std::size_t bytes = 0;
    for (const iovec& piece : body)
        bytes += piece.iov_len;
    log::debug("answer: unique=%" PRIu64 " op=%s error=%d (%s) bytes=%zu", request.in.header.unique,
               request.name(), error, error ? log::errno_name(error) : "ok", bytes);
}

} // namespace rf
