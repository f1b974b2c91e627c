#include "transport/handler_limit.hpp"

#include "transport/ring_queue.hpp"

namespace rf {

unsigned HandlerLimit::inside() const noexcept
{
    unsigned inside = 0;
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        inside += queue->inside.load(std::memory_order_seq_cst);
    return inside;
}

bool HandlerLimit::enter(RingQueue& queue)
{
    if (!active_.load(std::memory_order_seq_cst)) {
        queue.inside.fetch_add(1, std::memory_order_seq_cst);
        return true;
    }
    const MutexLock lock(mutex_);
    if (reached())
        return false;
    queue.inside.fetch_add(1, std::memory_order_seq_cst);
    return true;
}

void HandlerLimit::leave(RingQueue& queue)
{
    queue.inside.fetch_sub(1, std::memory_order_seq_cst);
    if (!active_.load(std::memory_order_relaxed))
        return;
    // Its own queue's the worker looks at itself, without another thread's help.
    for (const std::unique_ptr<RingQueue>& other : queues_) {
        if (other.get() == &queue || !other->has_waiting())
            continue;
        if (other->run_waiting())
            return;
        // Nobody is parked there: the supervisor finds somebody.
        other->shared().rouse_supervisor();
    }
}

} // namespace rf
