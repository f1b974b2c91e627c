// All nodes of a mount: by number (the pool) and by (directory, name), with the kernel's lookup counts.
//
// A hash table in shards. The shard a node's name belongs to is its home; the home's mutex guards the name's
// place in the table, the lookup count, and the end of the node: a node dies only with its home locked, and
// is found by name only there, so what a search finds is alive. The home changes in move() and exchange()
// alone, which lock both.
#pragma once

#include "base/mutex.hpp"
#include "highlevel/node_pool.hpp"
#include "highlevel/parking.hpp"
#include "highlevel/remember.hpp"

#include <memory>

namespace rf::hl {

class NodeTable {
public:
    NodeTable() = default;
    ~NodeTable();
    NodeTable(const NodeTable&) = delete;
    NodeTable& operator=(const NodeTable&) = delete;

    /// 0 or -errno. Before anything else; not concurrently.
    [[nodiscard]] int open();
    /// Nodes the kernel forgets are kept: for ever (negative), for this many seconds, or not at all (0).
    /// Before the first lookup.
    // Relaxed: whoever reads an old value looks again a little later.
    void set_remember(int seconds) noexcept { remember_seconds_.store(seconds, std::memory_order_relaxed); }
    [[nodiscard]] int remember_seconds() const noexcept
    {
        return remember_seconds_.load(std::memory_order_relaxed);
    }

    // ---- Finding. Any thread.

    [[nodiscard]] Node& root() const noexcept { return *root_; }
    /// The caller needs a reason to believe that the node stays: the kernel does not forget what a request is
    /// about.
    [[nodiscard]] Node* find(std::uint64_t number) const noexcept { return pool_.find(number); }
    /// One more lookup of the kernel, for forget(). Makes the node if there is none. nullptr: no memory.
    /// REQUIRES: `directory` is held.
    [[nodiscard]] Node* count_lookup(Node& directory, std::string_view name);
    /// One more lookup of a node by its number. False if there is none (any more): nothing is required of it.
    [[nodiscard]] bool count_lookup_again(std::uint64_t number);
    /// Whether the kernel knows the node, or did a while ago. REQUIRES: the node is held.
    [[nodiscard]] bool is_known(Node& node);
    /// As count_lookup(), but the caller gets a reference instead, for unpin().
    [[nodiscard]] Node* pin_child(Node& directory, std::string_view name);
    /// As pin_child(), but makes nothing: nullptr if the name is not known.
    [[nodiscard]] Node* pin_known(Node& directory, std::string_view name);

    // ---- Letting go. Any thread.

    /// The kernel takes back `nlookup` lookups; unknown numbers are ignored.
    void forget(std::uint64_t number, std::uint64_t nlookup);
    void unpin(Node& node) { drop(node, Hold::kReference); }
    /// Gives one hold back; wakes whoever waits for the lock, frees the node if it was the last hold.
    void drop(Node& node, Hold hold);
    /// Frees remembered nodes whose time is over at `now_s` (CLOCK_MONOTONIC).
    void expire(std::uint32_t now_s);

    // ---- Changing names. REQUIRES: the nodes are held for writing, the directories in any way. Any thread.

    /// The node has no name any more.
    void remove_name(Node& node);
    /// Gives `node` the place of `replaced`, which loses its name.
    /// REQUIRES: both have a name.
    void move(Node& node, Node& replaced);
    /// The two change places. REQUIRES: both have a name.
    void exchange(Node& one, Node& other);

    // ---- Parts.

    [[nodiscard]] Parking& parking() noexcept { return parking_; }
    /// Guards Node::extra of `node`, and what is behind it.
    [[nodiscard]] Mutex& extra_mutex(const Node& node) noexcept
    {
        return extra_mutexes_[node.slot() % extra_mutexes_.size()].mutex;
    }

    /// Calls visit(node) for each node. Nobody else may use the table.
    template <class Visit>
    void for_each(Visit&& visit) const
    {
        for (std::size_t slot = 1; slot < pool_.chunks() * NodePool::kChunkNodes; ++slot)
            if (Node* node = pool_.at(static_cast<Slot>(slot)); node && node->number() != 0)
                visit(*node);
    }

    // For tests and statistics: bytes of the tables of names, and nodes in use. Any thread.
    [[nodiscard]] std::size_t table_bytes();
    [[nodiscard]] std::size_t live_nodes() { return pool_.live(); }

private:
    struct alignas(64) Shard {
        Mutex mutex;
        std::unique_ptr<Slot[]> heads; // of chains
        std::uint32_t nr_heads = 0;    // power of two, or 0
        std::uint32_t count = 0;
    };
    struct alignas(64) ExtraMutex {
        Mutex mutex;
    };
    class HomeLock;
    class TwoHomes;

    [[nodiscard]] std::uint32_t hash_of(const Node& directory, std::string_view name) const noexcept;
    [[nodiscard]] Shard& shard_of(std::uint32_t hash) noexcept { return shards_[hash >> kShardShift]; }
    [[nodiscard]] Slot& head_of(Shard& shard, std::uint32_t hash) const noexcept
    {
        return shard.heads[hash & (shard.nr_heads - 1)];
    }

    // All with the shard's mutex.
    [[nodiscard]] Node* search(Shard& shard, const Node& directory, std::string_view name,
                               std::uint32_t hash) const noexcept;
    [[nodiscard]] Node* make(Shard& shard, Node& directory, std::string_view name, std::uint32_t hash);
    [[nodiscard]] bool make_room(Shard& shard) noexcept;
    void resize(Shard& shard, std::uint32_t nr_heads) noexcept;
    void link(Shard& shard, Node& node) noexcept;
    void unlink(Shard& shard, Node& node) noexcept;
    [[nodiscard]] Node* bury(Shard& shard, Node& node);
    void drop_at_home(Node& node, Hold hold);
    [[nodiscard]] bool keep_forgotten(Node& node);

    static constexpr unsigned kShards = 64;
    static constexpr unsigned kShardShift = 32 - 6;

    NodePool pool_;
    Parking parking_;
    std::array<Shard, kShards> shards_;
    std::array<ExtraMutex, 64> extra_mutexes_;
    Node* root_ = nullptr;
    std::uint64_t seed_ = 0;
    std::atomic<int> remember_seconds_{0};
    Remember remembered_;
};

} // namespace rf::hl
