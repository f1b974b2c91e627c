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
        count += request.state.load(std::memory_order_acquire) == RequestState::kLive;
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
