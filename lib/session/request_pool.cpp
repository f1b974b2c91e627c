#include "session/request_pool.hpp"

#include <new>

namespace rf {

Request* RequestPool::acquire()
{
    const MutexLock lock(mutex_);
    if (free_.empty()) {
        Chunk* chunk = new (std::nothrow) Chunk;
        if (!chunk)
            return nullptr;
        chunk->older = newest_.load(std::memory_order_relaxed);
        newest_.store(chunk, std::memory_order_release);
        for (Request& request : chunk->requests)
            free_.push_back(&request);
    }
    Request* request = free_.back();
    free_.pop_back();
    return request;
}

void RequestPool::release(Request& request)
{
    const MutexLock lock(mutex_);
    free_.push_back(&request);
}

std::size_t RequestPool::unanswered()
{
    std::size_t count = 0;
    find([&](const Request& request) {
        // An answer that was given may be on its way to the kernel until its sender lets go.
        const RequestState state = request.state.load(std::memory_order_acquire);
        count += state == RequestState::kLive ||
                 (state == RequestState::kAnswered && request.references.load(std::memory_order_acquire) > 0);
        return false;
    });
    return count;
}

RequestPool::~RequestPool()
{
    Chunk* chunk = newest_.load(std::memory_order_relaxed);
    while (chunk) {
        Chunk* older = chunk->older;
        delete chunk;
        chunk = older;
    }
}

} // namespace rf
