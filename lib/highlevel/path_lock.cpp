#include "highlevel/path_lock.hpp"

#include <cerrno>

namespace rf::hl {

int LockedPath::take_target(const LockedPath* first, Conflict& conflict)
{
    for (;;) {
        Node* node = table_.pin_child(*base_, name_);
        if (!node)
            return -ENOMEM;
        if (first && first->target_ == node) {
            table_.unpin(*node); // one name twice: the first path has it
            return 0;
        }
        if (!node->word.try_write()) {
            // What the first path holds itself would never become free.
            if (first && first->holds_on_the_way(*node)) {
                table_.unpin(*node);
                return -ENOTEMPTY;
            }
            conflict = {node, /* writes= */ true};
            return kConflict;
        }
        // Held, so name and directory stay what they are. Before that another operation may have moved or
        // removed it.
        if (node->parent == base_ && node->name() == name_) {
            target_ = node;
            return 0;
        }
        table_.drop(*node, Hold::kWriter);
        table_.unpin(*node);
    }
}

/// Holds and writes down everything from base_ to the root, or nothing.
int LockedPath::walk(const LockedPath* first, Conflict& conflict)
{
    for (Node* node = base_; node != &table_.root();) {
        if (!node->word.try_read()) {
            int rc = -EINVAL;
            // A node that this very operation changes would never become free.
            if (!(first && first->target_ == node) && target_ != node) {
                node->word.add_reference(); // alive: the walk holds a child of it, or the kernel the base
                conflict = {node, /* writes= */ false};
                rc = kConflict;
            }
            release_way(node);
            return rc;
        }
        // Held, so name and directory stay what they are.
        Node* directory = node->parent;
        if (!directory || !buffer_.prepend(node->name())) {
            const int rc = directory ? -ENOMEM : -ESTALE;
            release_way(directory);
            return rc;
        }
        node = directory;
    }
    return 0;
}

int LockedPath::attempt(const LockedPath* first, Conflict& conflict)
{
    base_ = table_.find(number_);
    if (!base_)
        return -ESTALE;
    buffer_.clear();
    int rc = name_ && !buffer_.prepend(name_) ? -ENOMEM : 0;
    if (rc == 0 && writes_)
        rc = take_target(first, conflict);
    if (rc == 0)
        rc = walk(first, conflict);
    if (rc != 0) {
        release_target();
        base_ = nullptr;
    }
    return rc;
}

void LockedPath::wait_for(NodeTable& table, Waiter& waiter, const Conflict& conflict)
{
    if (waiter.node() == conflict.node && waiter.writes() == conflict.writes) {
        table.unpin(*conflict.node); // the waiter has a reference already
    } else {
        settle(table, waiter);
        waiter.met(*conflict.node, conflict.writes);
    }
    waiter.sleep(table.parking());
}

void LockedPath::settle(NodeTable& table, Waiter& waiter)
{
    if (Node* node = waiter.settle(table.parking()))
        table.unpin(*node);
}

int LockedPath::lock()
{
    Conflict conflict;
    int rc = attempt(nullptr, conflict);
    if (rc != kConflict)
        return rc;
    Waiter waiter;
    do {
        wait_for(table_, waiter, conflict);
        rc = attempt(nullptr, conflict);
    } while (rc == kConflict);
    settle(table_, waiter);
    return rc;
}

int LockedPath::lock_both(LockedPath& first, LockedPath& second)
{
    Waiter waiter;
    for (;;) {
        Conflict conflict;
        int rc = first.attempt(nullptr, conflict);
        if (rc == 0) {
            rc = second.attempt(&first, conflict);
            if (rc != 0)
                first.release();
        }
        if (rc != kConflict) {
            settle(first.table_, waiter);
            return rc;
        }
        wait_for(first.table_, waiter, conflict);
    }
}

bool LockedPath::holds_on_the_way(const Node& node) const noexcept
{
    for (const Node* at = base_; at && at != &table_.root(); at = at->parent)
        if (at == &node)
            return true;
    return false;
}

/// Lets everything on the way go, up to but not including `until`; null: up to where the way ends.
void LockedPath::release_way(const Node* until)
{
    for (Node* node = base_; node && node != until && node != &table_.root();) {
        Node* directory =
            node->parent; // asked before the node may change, and alive while we hold it or its child
        table_.drop(*node, Hold::kReader);
        node = directory;
    }
}

void LockedPath::release_target()
{
    if (!target_)
        return;
    table_.drop(*target_, Hold::kWriter);
    table_.unpin(*target_);
    target_ = nullptr;
}

void LockedPath::release()
{
    if (!base_)
        return;
    release_target();
    release_way(&table_.root());
    base_ = nullptr;
}

} // namespace rf::hl
