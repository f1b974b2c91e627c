// One name in one directory, as long as the kernel or an operation knows it.
#pragma once

#include "highlevel/node_word.hpp"

#include <cstring>
#include <ctime>
#include <string_view>
#include <sys/types.h>

namespace rf::hl {

class FileLocks;

/// What only few nodes have. Guarded by the node's extra mutex (NodeTable::extra_mutex).
struct NodeExtra {
    // auto_cache: whether cached data may be kept, and by what it is judged.
    bool cache_valid = false;
    timespec looked_at{}; // when size and mtime were seen, CLOCK_MONOTONIC
    timespec mtime{};
    off_t size = 0;

    FileLocks* locks = nullptr; // record locks, owned
};

/// Where a node lives in the pool; also the low half of its number.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = 0;

/// "Home" is the mutex of the name's shard, see node_table.hpp.
struct Node {
    // Any thread.
    std::atomic<std::uint64_t> id{
        0}; // 0 in a free slot. Relaxed: who asks holds the node, or the home and checks
    NodeWord word;

    // Written with the node held for writing and the home locked; read with either.
    Node* parent = nullptr; // null: the root, or a node that lost its name

    // Guarded by the home.
    std::uint64_t nlookup = 0;

    // Guarded by the extra mutex.
    NodeExtra* extra = nullptr;

    std::atomic<std::uint32_t> hash{0}; // says which shard is the home: relaxed, looked at again once locked
    Slot next = kNoSlot;                // in the home's chain, or in the pool's list of free slots

    std::atomic<std::uint32_t> opens{0}; // open files; see hidden.hpp for the order against `hidden`
    std::uint32_t forgotten_s = 0; // when the kernel forgot a node that is remembered. Guarded by the home

    // As parent.
    std::uint16_t name_bytes = 0;

    std::atomic<bool> hidden{false};
    bool remembered = false; // has the reference the kernel's lookups had. Guarded by the home
    bool queued = false;     // is in the list of remembered nodes. Guarded by the home

    static constexpr std::size_t kInlineName = 35;
    char name_storage[kInlineName]; // the name, or a pointer to it if it is longer. As parent

    [[nodiscard]] Slot slot() const noexcept { return static_cast<Slot>(id.load(std::memory_order_relaxed)); }
    [[nodiscard]] std::uint64_t number() const noexcept { return id.load(std::memory_order_relaxed); }

    [[nodiscard]] char* long_name() const noexcept
    {
        char* at = nullptr;
        std::memcpy(&at, name_storage, sizeof(at));
        return at;
    }
    [[nodiscard]] std::string_view name() const noexcept
    {
        return {name_bytes <= kInlineName ? name_storage : long_name(), name_bytes};
    }
};
static_assert(sizeof(Node) == 96, "doc/highlevel.md and NodePool's chunks count on it");

} // namespace rf::hl
