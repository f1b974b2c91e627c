// From a node's number to a path that stays true while it is used: every node on the way to the root is held.
// doc/highlevel.md has the rules and why they cannot deadlock.
#pragma once

#include "highlevel/node_table.hpp"
#include "highlevel/path_buffer.hpp"

namespace rf::hl {

/// One path, held from lock() to release() or the end of the object. Owner thread only.
class LockedPath {
public:
    explicit LockedPath(NodeTable& table) noexcept : table_(table) {}
    ~LockedPath() { release(); }
    LockedPath(const LockedPath&) = delete;
    LockedPath& operator=(const LockedPath&) = delete;

    // ---- What to lock; before lock().

    /// The node itself.
    void aim_at(std::uint64_t number) noexcept { number_ = number; }
    /// A name in the directory. The directory is held, the name is not.
    void aim_at(std::uint64_t directory, const char* name) noexcept
    {
        number_ = directory;
        name_ = name;
    }
    /// A name in the directory that is going to be removed or replaced: its node is held for writing, and
    /// made if there is none.
    void aim_to_change(std::uint64_t directory, const char* name) noexcept
    {
        aim_at(directory, name);
        writes_ = true;
    }

    // ---- Locking. 0, or -ESTALE: the node is unknown or has no name (any more); -ENOMEM.

    [[nodiscard]] int lock();
    /// Both or none. Also -EINVAL: `second` would lie below what `first` changes; -ENOTEMPTY: the other way
    /// round.
    [[nodiscard]] static int lock_both(LockedPath& first, LockedPath& second);
    void release();

    // ---- While locked.

    [[nodiscard]] const char* c_str() const noexcept
    {
        return buffer_.text().empty() ? "/" : buffer_.c_str();
    }
    [[nodiscard]] std::string_view text() const noexcept { return c_str(); }
    /// The node aimed at, or the directory.
    [[nodiscard]] Node& base() const noexcept { return *base_; }
    /// The node of the name, held for writing; null if it is the same as the other path's.
    [[nodiscard]] Node* target() const noexcept { return target_; }
    /// The name's new node, held for writing by the caller, which has also a reference to it: both are this
    /// object's now, those of the old one the caller's.
    void replace_target(Node& node) noexcept { target_ = &node; }

private:
    static constexpr int kConflict = 1;
    struct Conflict {
        Node* node = nullptr; // with a reference
        bool writes = false;
    };

    [[nodiscard]] int attempt(const LockedPath* first, Conflict& conflict);
    [[nodiscard]] int take_target(const LockedPath* first, Conflict& conflict);
    [[nodiscard]] int walk(const LockedPath* first, Conflict& conflict);
    [[nodiscard]] bool holds_on_the_way(const Node& node) const noexcept;
    void release_way(const Node* until);
    void release_target();
    static void wait_for(NodeTable& table, Waiter& waiter, const Conflict& conflict);
    static void settle(NodeTable& table, Waiter& waiter);

    NodeTable& table_;
    std::uint64_t number_ = 0;
    const char* name_ = nullptr;
    bool writes_ = false;

    Node* base_ = nullptr;   // null: not locked
    Node* target_ = nullptr; // held for writing, with a reference
    PathBuffer buffer_;
};

} // namespace rf::hl
