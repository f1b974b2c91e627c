// The nodes the kernel forgot and we do not, in the order their time runs out.
#pragma once

#include "base/mutex.hpp"

#include <cstdint>
#include <deque>
#include <new>

namespace rf::hl {

/// Each node is in here at most once (Node::queued). Any thread.
class Remember {
public:
    /// False if memory is short.
    [[nodiscard]] bool push(std::uint64_t number, std::uint32_t forgotten_s) RF_EXCLUDES(mutex_)
    {
        const MutexLock lock(mutex_);
        try {
            queue_.push_back({number, forgotten_s});
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }

    /// The next one forgotten at `until_s` or before; 0 if there is none.
    [[nodiscard]] std::uint64_t pop(std::uint32_t until_s) RF_EXCLUDES(mutex_)
    {
        const MutexLock lock(mutex_);
        if (queue_.empty() || queue_.front().forgotten_s > until_s)
            return 0;
        const std::uint64_t number = queue_.front().number;
        queue_.pop_front();
        return number;
    }

private:
    struct Entry {
        std::uint64_t number;
        std::uint32_t forgotten_s;
    };
    Mutex mutex_;
    // A node that comes back behind others keeps its earlier time, so times may be slightly out of order:
    // such a node waits for the ones before it.
    std::deque<Entry> queue_ RF_GUARDED_BY(mutex_);
};

} // namespace rf::hl
