// The thread that frees remembered nodes whose time is over. Runs no filesystem code.
#pragma once

#include "base/event.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"

namespace rf::hl {

class NodeTable;

/// Frees what is due, and returns the seconds after which it is worth doing again. Any thread.
int clean_nodes(NodeTable& nodes);

/// Any thread.
class Cleanup {
public:
    /// 0, also if it runs already or nothing is remembered for a time; -errno.
    [[nodiscard]] int start(NodeTable& nodes) RF_EXCLUDES(mutex_);
    void stop() RF_EXCLUDES(mutex_);

private:
    static void run(void* self);

    Mutex mutex_;
    Thread thread_ RF_GUARDED_BY(mutex_);
    // Constant while the thread runs.
    NodeTable* nodes_ = nullptr;
    EventFd end_;
};

} // namespace rf::hl
