#include "highlevel/cleanup.hpp"

#include "highlevel/node_table.hpp"

#include <algorithm>
#include <ctime>
#include <poll.h>

namespace rf::hl {

int clean_nodes(NodeTable& nodes)
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    nodes.expire(static_cast<std::uint32_t>(now.tv_sec));
    // A tenth of the time nodes are kept is how much longer some may stay.
    constexpr int kLongest = 3600;
    return std::clamp(nodes.remember_seconds() / 10, 1, kLongest);
}

int Cleanup::start(NodeTable& nodes)
{
    const MutexLock lock(mutex_);
    if (nodes.remember_seconds() <= 0 || thread_.started())
        return 0;
    if (const int rc = end_.open(); rc < 0)
        return rc;
    nodes_ = &nodes;
    return thread_.start("fuse-cleanup", run, this);
}

void Cleanup::stop()
{
    const MutexLock lock(mutex_);
    if (!thread_.started())
        return;
    end_.signal();
    thread_.join();
    end_.close();
}

void Cleanup::run(void* self)
{
    Cleanup& cleanup = *static_cast<Cleanup*>(self);
    int seconds = clean_nodes(*cleanup.nodes_);
    pollfd end{cleanup.end_.fd(), POLLIN, 0};
    // Only the end makes it readable; after a signal of somebody's it merely looks earlier.
    while (::poll(&end, 1, seconds * 1000) <= 0)
        seconds = clean_nodes(*cleanup.nodes_);
}

} // namespace rf::hl
