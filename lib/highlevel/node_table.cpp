// Life of nodes: found, counted, forgotten, freed.
#include "highlevel/node_homes.hpp"

#include "base/fd.hpp"
#include "highlevel/file_locks.hpp"

#include <algorithm>
#include <new>
#include <sys/random.h>

namespace rf::hl {
namespace {

std::uint32_t now_s() noexcept
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint32_t>(now.tv_sec);
}

/// False if memory is short. The node has no name before.
bool set_name(Node& node, std::string_view name) noexcept
{
    char* to = node.name_storage;
    if (name.size() > Node::kInlineName) {
        to = new (std::nothrow) char[name.size()];
        if (!to)
            return false;
        std::memcpy(node.name_storage, &to, sizeof(to));
    }
    std::memcpy(to, name.data(), name.size());
    node.name_bytes = static_cast<std::uint16_t>(name.size());
    return true;
}

} // namespace

NodeTable::~NodeTable()
{
    for_each([](Node& node) {
        free_name(node);
        if (node.extra)
            delete node.extra->locks;
        delete node.extra;
    });
}

int NodeTable::open()
{
    if (const int rc = pool_.open(); rc < 0)
        return rc;
    // A seed nobody can guess: who chooses names must not be able to choose collisions. Without one it works,
    // too.
    (void)::getrandom(&seed_, sizeof(seed_), GRND_NONBLOCK);
    root_ = pool_.allocate(/* lane= */ 0);
    if (!root_)
        return -ENOMEM;
    assert(root_->number() == 1); // FUSE_ROOT_ID
    root_->word.revive();
    return 0;
}

/// A node with one reference, the caller's.
Node* NodeTable::make(Shard& shard, Node& directory, std::string_view name, std::uint32_t hash)
{
    Node* node = make_room(shard) ? pool_.allocate(hash >> kShardShift) : nullptr;
    if (!node)
        return nullptr;
    if (!set_name(*node, name)) {
        pool_.free(*node);
        return nullptr;
    }
    node->hash.store(hash, std::memory_order_relaxed);
    node->parent = &directory;
    directory.word.add_reference();
    node->word.revive();
    link(shard, *node);
    return node;
}

/// Frees a dead node. Returns the directory, whose reference for this child is the caller's to drop, or null.
Node* NodeTable::bury(Shard& shard, Node& node)
{
    Node* directory = node.parent;
    if (directory) {
        unlink(shard, node);
        free_name(node);
    }
    if (node.extra)
        delete node.extra->locks;
    delete node.extra;
    pool_.free(node);
    return directory;
}

// ---- Finding

Node* NodeTable::count_lookup(Node& directory, std::string_view name)
{
    const std::uint32_t hash = hash_of(directory, name);
    Shard& shard = shard_of(hash);
    const MutexLock lock(shard.mutex);
    Node* node = search(shard, directory, name, hash);
    if (!node) {
        node = make(shard, directory, name, hash);
        if (!node)
            return nullptr;
    } else if (node->nlookup == 0 && !std::exchange(node->remembered, false)) {
        node->word.add_reference(); // for all lookups together
    }
    ++node->nlookup;
    return node;
}

bool NodeTable::count_lookup_again(std::uint64_t number)
{
    Node* node = find(number);
    if (!node)
        return false;
    const HomeLock home(*this, *node);
    if (node->number() != number)
        return false; // it ended meanwhile
    if (node == root_)
        return true; // never forgotten
    if (node->nlookup == 0 && !std::exchange(node->remembered, false))
        node->word.add_reference();
    ++node->nlookup;
    return true;
}

bool NodeTable::is_known(Node& node)
{
    const HomeLock home(*this, node);
    return node.nlookup != 0 || node.remembered;
}

Node* NodeTable::pin_child(Node& directory, std::string_view name)
{
    const std::uint32_t hash = hash_of(directory, name);
    Shard& shard = shard_of(hash);
    const MutexLock lock(shard.mutex);
    Node* node = search(shard, directory, name, hash);
    if (!node)
        return make(shard, directory, name, hash);
    node->word.add_reference();
    return node;
}

Node* NodeTable::pin_known(Node& directory, std::string_view name)
{
    const std::uint32_t hash = hash_of(directory, name);
    Shard& shard = shard_of(hash);
    const MutexLock lock(shard.mutex);
    Node* node = search(shard, directory, name, hash);
    if (node)
        node->word.add_reference();
    return node;
}

// ---- Letting go

void NodeTable::drop(Node& node, Hold hold)
{
    const Slot slot = node.slot();
    switch (node.word.drop(hold, /* may_die= */ false)) {
    case Left::kOthers:
        return;
    case Left::kSleepers:
        parking_.wake(slot);
        return;
    case Left::kNobody:
        drop_at_home(node, hold);
        return;
    }
}

/// The hold may be the last one. A child's end drops a reference of its directory, which may be the last of
/// that one.
void NodeTable::drop_at_home(Node& node, Hold hold)
{
    for (Node* at = &node; at;) {
        const Slot slot = at->slot();
        Node* directory = nullptr;
        Left left = Left::kOthers;
        {
            const HomeLock home(*this, *at);
            left = at->word.drop(hold, /* may_die= */ true);
            if (left == Left::kNobody)
                directory = bury(home.shard(), *at);
        }
        if (left == Left::kSleepers)
            parking_.wake(slot);
        hold = Hold::kReference;
        at = directory && directory->word.drop(hold, /* may_die= */ false) == Left::kNobody ? directory
                                                                                            : nullptr;
    }
}

/// With the home locked: true if the reference of the kernel's lookups is kept for a while.
bool NodeTable::keep_forgotten(Node& node)
{
    if (remember_seconds_ == 0 || !node.parent)
        return false;
    node.forgotten_s = now_s();
    if (remember_seconds_ > 0 && !node.queued) {
        if (!remembered_.push(node.number(), node.forgotten_s))
            return false;
        node.queued = true;
    }
    node.remembered = true;
    return true;
}

void NodeTable::forget(std::uint64_t number, std::uint64_t nlookup)
{
    Node* node = find(number);
    if (!node || node == root_)
        return;
    {
        const HomeLock home(*this, *node);
        if (node->number() != number || node->nlookup == 0)
            return; // more forgets than lookups
        node->nlookup -= std::min(node->nlookup, nlookup);
        if (node->nlookup != 0 || node->remembered || keep_forgotten(*node))
            return;
    }
    unpin(*node);
}

void NodeTable::expire(std::uint32_t now)
{
    if (remember_seconds_ <= 0 || now < static_cast<std::uint32_t>(remember_seconds_))
        return;
    const std::uint32_t until = now - static_cast<std::uint32_t>(remember_seconds_);
    while (const std::uint64_t number = remembered_.pop(until)) {
        Node* node = find(number);
        if (!node)
            continue;
        {
            // It may be gone before this, and even be another one: then the number shows it.
            const HomeLock home(*this, *node);
            if (node->number() != number)
                continue;
            node->queued = false;
            if (!node->remembered)
                continue;
            if (node->forgotten_s > until && remembered_.push(number, node->forgotten_s)) {
                node->queued = true;
                continue;
            }
            node->remembered = false;
        }
        unpin(*node);
    }
}

} // namespace rf::hl
