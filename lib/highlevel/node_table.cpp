#include "highlevel/node_table.hpp"

#include "base/fd.hpp"
#include "highlevel/file_locks.hpp"

#include <algorithm>
#include <new>
#include <sys/random.h>

#define RF_LOCKS_BY_HAND RF_TSA(no_thread_safety_analysis)

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

void free_name(Node& node) noexcept
{
    if (node.name_bytes > Node::kInlineName)
        delete[] node.long_name();
    node.name_bytes = 0;
}

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
