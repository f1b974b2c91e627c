#include "session/request.hpp"

#include "base/log.hpp"
#include "session/session.hpp"

#include <cinttypes>

namespace rf {

bool Request::take_answer()
{
    RequestState expected = RequestState::kLive;
    // acq_rel: the thread that answers has seen all the deliverer wrote; the next user of the object sees
    // that the answer is given.
    if (state.compare_exchange_strong(expected, RequestState::kAnswered, std::memory_order_acq_rel))
        return true;
    log::error("answer refused: op=%s unique=%" PRIu64 " was answered before, nothing sent", name(),
               unique.load(std::memory_order_relaxed));
    return false;
}

int Request::finish(int error, std::span<const iovec> body)
{
    // Invariant: one answer per request. Its `unique` may already mean another one, so a second answer would
    // reach a stranger.
    if (!take_answer())
        return -EINVAL;
    session->note_answer(*this, error, body);
    if (row && !row->answered) {
        // A FORGET's unique is 0, and a message with that is a notification to the kernel.
        transport->recycle(*this);
        let_go();
        return 0;
    }
    // Kernel: fuse_dev_do_write(), fs/fuse/dev.c (v6.18): an error outside -511..0 is refused before the
    // request is looked up, so its caller would wait for ever. Send something legal.
    if (error > 0 || error < -static_cast<int>(kern::kMaxReplyError)) {
        log::error("illegal answer: op=%s unique=%" PRIu64 " error=%d, sending ERANGE", name(),
                   unique.load(std::memory_order_relaxed), error);
        error = -ERANGE;
    }
    session->trace_answer(*this, error, body);
    const int rc = transport->commit(*this, error, body);
    let_go();
    return rc;
}

void Request::finish_unanswered()
{
    if (!take_answer())
        return;
    session->note_answer(*this, 0, {});
    transport->recycle(*this);
    let_go();
}

bool Request::try_hold() noexcept
{
    int count = references.load(std::memory_order_relaxed);
    while (count > 0) {
        if (references.compare_exchange_weak(count, count + 1, std::memory_order_acq_rel))
            return true;
    }
    return false;
}

void Request::let_go()
{
    if (drop_reference())
        session->release_slot(*this);
}

} // namespace rf
