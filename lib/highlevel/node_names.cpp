// The table of names: hashing, chains and their growth, and nodes that change places.
#include "highlevel/node_homes.hpp"

#include <algorithm>
#include <new>

namespace rf::hl {
namespace {

/// Parent and name, without the links of the table.
void swap_places(Node& one, Node& other) noexcept
{
    std::swap(one.parent, other.parent);
    std::swap(one.name_bytes, other.name_bytes);
    std::swap_ranges(one.name_storage, one.name_storage + Node::kInlineName, other.name_storage);
    const std::uint32_t hash = one.hash.load(std::memory_order_relaxed);
    one.hash.store(other.hash.load(std::memory_order_relaxed), std::memory_order_relaxed);
    other.hash.store(hash, std::memory_order_relaxed);
}

} // namespace

std::uint32_t NodeTable::hash_of(const Node& directory, std::string_view name) const noexcept
{
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15; // 2^64 / golden ratio: spreads all bits upwards
    std::uint64_t hash = (seed_ ^ directory.number()) * kOdd;
    while (!name.empty()) {
        std::uint64_t piece = 0;
        const std::size_t bytes = std::min(name.size(), sizeof(piece));
        std::memcpy(&piece, name.data(), bytes);
        hash = (hash ^ (hash >> 29) ^ piece) * kOdd;
        hash += bytes;
        name.remove_prefix(bytes);
    }
    hash ^= hash >> 32;
    return static_cast<std::uint32_t>((hash * kOdd) >> 32);
}

// ---- The table of names. All with the shard's mutex.

Node* NodeTable::search(Shard& shard, const Node& directory, std::string_view name,
                        std::uint32_t hash) const noexcept
{
    if (shard.nr_heads == 0)
        return nullptr;
    for (Slot slot = head_of(shard, hash); slot != kNoSlot;) {
        Node* node = pool_.at(slot);
        if (node->hash.load(std::memory_order_relaxed) == hash && node->parent == &directory &&
            node->name() == name)
            return node;
        slot = node->next;
    }
    return nullptr;
}

void NodeTable::link(Shard& shard, Node& node) noexcept
{
    Slot& head = head_of(shard, node.hash.load(std::memory_order_relaxed));
    node.next = head;
    head = node.slot();
    ++shard.count;
}

void NodeTable::unlink(Shard& shard, Node& node) noexcept
{
    Slot* at = &head_of(shard, node.hash.load(std::memory_order_relaxed));
    while (*at != node.slot())
        at = &pool_.at(*at)->next;
    *at = node.next;
    --shard.count;
    constexpr std::uint32_t kFewest = 64;
    if (shard.nr_heads > kFewest && shard.count < shard.nr_heads / 8)
        resize(shard, shard.nr_heads / 4);
}

/// Moves all chains; nothing happens if memory is short.
void NodeTable::resize(Shard& shard, std::uint32_t nr_heads) noexcept
{
    std::unique_ptr<Slot[]> heads(new (std::nothrow) Slot[nr_heads]());
    if (!heads)
        return;
    std::swap(shard.heads, heads);
    const std::uint32_t nr_old = std::exchange(shard.nr_heads, nr_heads);
    for (std::uint32_t i = 0; i < nr_old; ++i) {
        for (Slot slot = heads[i]; slot != kNoSlot;) {
            Node* node = pool_.at(slot);
            slot = node->next;
            Slot& head = head_of(shard, node->hash.load(std::memory_order_relaxed));
            node->next = head;
            head = node->slot();
        }
    }
}

bool NodeTable::make_room(Shard& shard) noexcept
{
    constexpr std::uint32_t kFirst = 16;
    if (shard.count >= shard.nr_heads)
        resize(shard, shard.nr_heads == 0 ? kFirst : shard.nr_heads * 2);
    return shard.nr_heads != 0;
}

// ---- Changing names

void NodeTable::remove_name(Node& node)
{
    Node* directory = nullptr;
    bool kept = false;
    {
        const HomeLock home(*this, node);
        directory = node.parent;
        if (!directory)
            return;
        unlink(home.shard(), node);
        free_name(node);
        node.parent = nullptr;
        kept = std::exchange(node.remembered, false);
    }
    unpin(*directory);
    if (kept)
        unpin(node); // nobody can come back to it; the caller has another hold
}

void NodeTable::exchange(Node& one, Node& other)
{
    assert(one.parent && other.parent);
    const TwoHomes homes(*this, one, other);
    unlink(shard_of(one.hash.load(std::memory_order_relaxed)), one);
    unlink(shard_of(other.hash.load(std::memory_order_relaxed)), other);
    swap_places(one, other); // each directory has as many children as before
    link(shard_of(one.hash.load(std::memory_order_relaxed)), one);
    link(shard_of(other.hash.load(std::memory_order_relaxed)), other);
}

void NodeTable::move(Node& node, Node& replaced)
{
    exchange(node, replaced);
    remove_name(replaced); // which has the old name now
}

std::size_t NodeTable::table_bytes()
{
    std::size_t bytes = sizeof(*this);
    for (Shard& shard : shards_) {
        const MutexLock lock(shard.mutex);
        bytes += shard.nr_heads * sizeof(Slot);
    }
    return bytes;
}

} // namespace rf::hl
