#include "highlevel/node_pool.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <new>
#include <sys/mman.h>

namespace rf::hl {
namespace {

constexpr std::size_t kChunkBytes = NodePool::kChunkNodes * sizeof(Node);

/// Zero pages, resident where touched; -errno in `error`. A forked child keeps them: programs go into the
/// background between fuse_new() and the loop.
void* map_zero(std::size_t bytes, int& error) noexcept
{
    void* at =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    error = at == MAP_FAILED ? from_libc(-1) : 0;
    return error == 0 ? at : nullptr;
}

} // namespace

NodePool::~NodePool()
{
    if (!directory_)
        return;
    for (std::size_t i = 0; i < chunks(); ++i) {
        Chunk* chunk = directory_[i].load(std::memory_order_relaxed);
        if (!chunk)
            continue; // its number was taken, its memory could not be had
        ::munmap(chunk->nodes, kChunkBytes);
        delete chunk;
    }
    ::munmap(static_cast<void*>(directory_), kMaxChunks * sizeof(*directory_));
}

int NodePool::open()
{
    int rc = 0;
    // Zero bytes are null pointers to the atomics, too.
    directory_ = static_cast<std::atomic<Chunk*>*>(map_zero(kMaxChunks * sizeof(*directory_), rc));
    return rc;
}

NodePool::Chunk* NodePool::new_chunk(unsigned lane)
{
    // Relaxed: only the number matters.
    std::size_t index = nr_chunks_.load(std::memory_order_relaxed);
    do {
        if (index == kMaxChunks)
            return nullptr;
    } while (!nr_chunks_.compare_exchange_weak(index, index + 1, std::memory_order_relaxed));
    Chunk* chunk = new (std::nothrow) Chunk;
    int rc = 0;
    void* nodes = chunk ? map_zero(kChunkBytes, rc) : nullptr;
    if (!nodes) {
        delete chunk;
        return nullptr;
    }
    chunk->nodes = static_cast<Node*>(nodes);
    chunk->first = static_cast<Slot>(index * kChunkNodes);
    chunk->lane = lane;
    chunk->fresh = index == 0 ? 1 : 0; // slot 0 is no slot
    directory_[index].store(chunk, std::memory_order_release);
    return chunk;
}

void NodePool::list(Lane& lane, Chunk& chunk)
{
    chunk.listed = true;
    chunk.previous = nullptr;
    chunk.next = lane.roomy;
    if (lane.roomy)
        lane.roomy->previous = &chunk;
    lane.roomy = &chunk;
}

void NodePool::unlist(Lane& lane, Chunk& chunk)
{
    chunk.listed = false;
    (chunk.previous ? chunk.previous->next : lane.roomy) = chunk.next;
    if (chunk.next)
        chunk.next->previous = chunk.previous;
}

/// REQUIRES: the chunk has room.
Node* NodePool::take_slot(Lane& lane, Chunk& chunk)
{
    Slot slot = chunk.free_head;
    std::uint32_t generation = chunk.generation;
    if (slot != kNoSlot) {
        Node& old = chunk.nodes[slot - chunk.first];
        chunk.free_head = old.next;
        generation = static_cast<std::uint32_t>(old.nlookup); // left there by free()
    } else {
        slot = chunk.first + chunk.fresh++;
    }
    chunk.newest = std::max(chunk.newest, generation);
    ++chunk.live;
    ++lane.live;
    if (chunk.free_head == kNoSlot && chunk.fresh == kChunkNodes)
        unlist(lane, chunk);
    Node* node = new (&chunk.nodes[slot - chunk.first]) Node;
    node->id.store(slot | std::uint64_t{generation} << 32, std::memory_order_relaxed);
    return node;
}

Node* NodePool::allocate(unsigned lane_number)
{
    lane_number %= kLanes;
    Lane& lane = lanes_[lane_number];
    const MutexLock lock(lane.mutex);
    if (!lane.roomy) {
        Chunk* chunk = new_chunk(lane_number);
        if (!chunk)
            return nullptr;
        list(lane, *chunk);
    }
    return take_slot(lane, *lane.roomy);
}

/// The next generation of every slot is above all that were used.
void NodePool::give_pages_back(Chunk& chunk) noexcept
{
    chunk.generation = chunk.newest + 1;
    chunk.free_head = kNoSlot;
    chunk.fresh = chunk.first == 0 ? 1 : 0;
    (void)::madvise(chunk.nodes, kChunkBytes,
                    MADV_DONTNEED); // they read as zero from now on, or stay: both will do
}

void NodePool::free(Node& node)
{
    const std::uint64_t number = node.number();
    const Slot slot = static_cast<Slot>(number);
    const std::uint32_t generation = static_cast<std::uint32_t>(number >> 32);
    Chunk& chunk = *directory_[slot / kChunkNodes].load(std::memory_order_acquire);
    Lane& lane = lanes_[chunk.lane];
    const MutexLock lock(lane.mutex);
    node.id.store(0, std::memory_order_relaxed);
    --lane.live;
    if (generation == UINT32_MAX)
        return; // retired: counts as used for ever
    node.nlookup = generation + 1;
    node.next = chunk.free_head;
    chunk.free_head = slot;
    --chunk.live;
    if (!chunk.listed)
        list(lane, chunk);
    // Not the first one, which serves the next allocation, and not a generation that would be the last.
    else if (chunk.live == 0 && lane.roomy != &chunk && chunk.newest < UINT32_MAX)
        give_pages_back(chunk);
}

std::size_t NodePool::live()
{
    std::size_t sum = 0;
    for (Lane& lane : lanes_) {
        const MutexLock lock(lane.mutex);
        sum += lane.live;
    }
    return sum;
}

} // namespace rf::hl
