// Memory of nodes: finds a node by its number without a lock, and never gives the address of one back, so
// that even a number from long ago can be looked at safely.
//
// A number is slot + generation * 2^32. Slots are handed out again with the next generation; one whose
// generations are used up is retired, so no number comes twice.
#pragma once

#include "base/mutex.hpp"
#include "highlevel/node.hpp"

#include <array>
#include <cstddef>

namespace rf::hl {

class NodePool {
public:
    NodePool() = default;
    ~NodePool();
    NodePool(const NodePool&) = delete;
    NodePool& operator=(const NodePool&) = delete;

    /// 0 or -errno. Before anything else; not concurrently.
    [[nodiscard]] int open();

    /// A blank node with a number that was never used; nullptr if memory or slots are short. Any thread.
    /// Threads that pass different numbers do not disturb each other.
    [[nodiscard]] Node* allocate(unsigned lane);
    /// REQUIRES: nobody else can find the node. Any thread.
    void free(Node& node);

    /// The node with this number; nullptr if there is none (any more). Any thread.
    [[nodiscard]] Node* find(std::uint64_t number) const noexcept
    {
        Node* node = at(static_cast<Slot>(number));
        return node && node->number() == number ? node : nullptr;
    }
    /// The node in a slot that is in use, by its link. nullptr for kNoSlot and slots that never were.
    [[nodiscard]] Node* at(Slot slot) const noexcept
    {
        const std::size_t chunk = slot / kChunkNodes;
        if (chunk >= kMaxChunks)
            return nullptr;
        // acquire: the chunk is complete before its address is stored.
        const Chunk* found = directory_[chunk].load(std::memory_order_acquire);
        return found ? found->nodes + slot % kChunkNodes : nullptr;
    }

    // For tests and statistics. Any thread.
    [[nodiscard]] std::size_t live();
    [[nodiscard]] std::size_t chunks() const noexcept { return nr_chunks_.load(std::memory_order_relaxed); }

    static constexpr std::size_t kChunkNodes = 1024;

private:
    static constexpr std::size_t kMaxChunks = std::size_t{1} << 20;
    static constexpr std::size_t kLanes = 16;

    struct Chunk {
        Node* nodes = nullptr;
        Slot first = 0;
        unsigned lane = 0;

        // Guarded by the lane.
        std::uint32_t live = 0;
        std::uint32_t fresh = 0;      // slots from here on were not used since the pages were given back
        Slot free_head = kNoSlot;     // chained by Node::next
        std::uint32_t generation = 0; // of fresh slots
        std::uint32_t newest = 0;     // highest generation handed out
        bool listed = false;
        Chunk* next = nullptr;
        Chunk* previous = nullptr;
    };
    struct alignas(64) Lane {
        Mutex mutex;
        Chunk* roomy RF_GUARDED_BY(mutex) = nullptr; // chunks with free slots
        std::size_t live RF_GUARDED_BY(mutex) = 0;
    };

    [[nodiscard]] Chunk* new_chunk(unsigned lane);
    static void list(Lane& lane, Chunk& chunk) RF_REQUIRES(lane.mutex);
    static void unlist(Lane& lane, Chunk& chunk) RF_REQUIRES(lane.mutex);
    static void give_pages_back(Chunk& chunk) noexcept;
    [[nodiscard]] Node* take_slot(Lane& lane, Chunk& chunk) RF_REQUIRES(lane.mutex);

    std::atomic<Chunk*>* directory_ = nullptr; // kMaxChunks pointers, resident where used
    std::atomic<std::size_t> nr_chunks_{0};
    std::array<Lane, kLanes> lanes_;
};

} // namespace rf::hl
