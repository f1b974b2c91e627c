// The mutexes of homes, held for a scope. Only for the node table's own files.
#pragma once

#include "highlevel/node_table.hpp"

#include <utility>

#define RF_LOCKS_BY_HAND RF_TSA(no_thread_safety_analysis)

namespace rf::hl {

/// Holds the mutex of a node's home, whichever that is when it is got.
class NodeTable::HomeLock {
public:
    HomeLock(NodeTable& table, const Node& node) RF_LOCKS_BY_HAND
    {
        for (;;) {
            // Relaxed: looked at again under the mutex, which whoever changes it holds.
            shard_ = &table.shard_of(node.hash.load(std::memory_order_relaxed));
            shard_->mutex.lock();
            if (shard_ == &table.shard_of(node.hash.load(std::memory_order_relaxed)))
                return;
            shard_->mutex.unlock();
        }
    }
    ~HomeLock() RF_LOCKS_BY_HAND { shard_->mutex.unlock(); }
    HomeLock(const HomeLock&) = delete;
    HomeLock& operator=(const HomeLock&) = delete;
    [[nodiscard]] Shard& shard() const noexcept { return *shard_; }

private:
    Shard* shard_ = nullptr;
};

/// Holds the mutexes of the homes of two nodes that are held for writing, so the homes do not change.
class NodeTable::TwoHomes {
public:
    TwoHomes(NodeTable& table, const Node& one, const Node& other) RF_LOCKS_BY_HAND
        : first_(&table.shard_of(one.hash.load(std::memory_order_relaxed))),
          second_(&table.shard_of(other.hash.load(std::memory_order_relaxed)))
    {
        if (second_ < first_)
            std::swap(first_, second_);
        first_->mutex.lock();
        if (second_ != first_)
            second_->mutex.lock();
    }
    ~TwoHomes() RF_LOCKS_BY_HAND
    {
        if (second_ != first_)
            second_->mutex.unlock();
        first_->mutex.unlock();
    }
    TwoHomes(const TwoHomes&) = delete;
    TwoHomes& operator=(const TwoHomes&) = delete;

private:
    Shard* first_;
    Shard* second_;
};

/// The name's memory only; the node keeps its place in the table.
inline void free_name(Node& node) noexcept
{
    if (node.name_bytes > Node::kInlineName)
        delete[] node.long_name();
    node.name_bytes = 0;
}

} // namespace rf::hl
