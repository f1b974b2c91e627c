// Where requests live: chunks that are never given back before the session ends, so that looking through all
// of them (for an INTERRUPT) needs no lock against those that come and go.
#pragma once

#include "base/mutex.hpp"
#include "session/request.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <vector>

namespace rf {

/// Any thread. Workers keep the request they get and come back only when the filesystem holds on to one.
class RequestPool {
public:
    /// nullptr when memory is short.
    [[nodiscard]] Request* acquire() RF_EXCLUDES(mutex_);
    void release(Request& request) RF_EXCLUDES(mutex_);

    /// Calls `visit(request)` for every request there is, whatever its state, until it returns true.
    template <class Visit>
    void find(Visit&& visit)
    {
        for (Chunk* chunk = newest_.load(std::memory_order_acquire); chunk; chunk = chunk->older) {
            for (Request& request : chunk->requests) {
                if (visit(request))
                    return;
            }
        }
    }

    /// Requests whose answer was not given, or not sent yet. Exact only while nothing is delivered or
    /// answered.
    [[nodiscard]] std::size_t unanswered();

    ~RequestPool();

private:
    struct Chunk {
        std::array<fuse_req, 64> requests;
        Chunk* older = nullptr;
    };

    std::atomic<Chunk*> newest_{nullptr};
    Mutex mutex_;
    std::vector<Request*> free_ RF_GUARDED_BY(mutex_);
};

} // namespace rf
