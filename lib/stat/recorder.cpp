#include "stat/recorder.hpp"

#include "base/cpu.hpp"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace rf::stat {
namespace {

// Requests beyond these are counted, but do not show among those in flight. 1 MiB of address space; resident
// is what was ever used.
constexpr std::uint32_t kRecords = 16 * 1024;
// Blocks for threads that answer what others received, by CPU, and for threads beyond the last block.
constexpr std::uint32_t kMostSharedBlocks = 8;
constexpr std::uint32_t kBlocksPerCpu = 4;
constexpr std::uint32_t kFurtherBlocks = 64; // a loop over the device may have many threads on few CPUs
constexpr std::uint32_t kMostBlocks = 1024;

std::atomic<std::uint64_t> g_next_id{1};

/// The block the calling thread counts in, and which recorder it belongs to.
struct Remembered {
    std::uint64_t recorder;
    Block* block; // nullptr: none was free, the shared ones serve
};
thread_local Remembered t_remembered{0, nullptr};

std::int32_t this_thread() noexcept
{
    return static_cast<std::int32_t>(::syscall(SYS_gettid));
}

// Relaxed throughout: a counter says nothing about other memory. With one writer, loading and storing is
// enough.
void add(std::uint64_t& counter, std::uint64_t amount, bool shared) noexcept
{
    const std::atomic_ref<std::uint64_t> here(counter);
    if (shared)
        here.fetch_add(amount, std::memory_order_relaxed);
    else
        here.store(here.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

std::uint64_t get(std::uint64_t& counter) noexcept
{
    return std::atomic_ref<std::uint64_t>(counter).load(std::memory_order_relaxed);
}

template <class Word>
void put(Word& word, Word value, std::memory_order order = std::memory_order_relaxed) noexcept
{
    std::atomic_ref<Word>(word).store(value, order);
}

// Of a block that changes hands: the thread before has ended, which orders nothing by itself.
std::int32_t tid_of(Block& block) noexcept
{
    return std::atomic_ref<std::int32_t>(block.tid).load(std::memory_order_relaxed);
}

bool is_gone(std::int32_t tid) noexcept
{
    return from_libc(::syscall(SYS_tgkill, ::getpid(), tid, 0)) == -ESRCH;
}

/// A file that grows beyond RLIMIT_FSIZE ends the process (SIGXFSZ).
bool may_be_as_large(std::size_t bytes) noexcept
{
    rlimit limit{};
    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes);
}

int create_memfd() noexcept
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = from_libc(::memfd_create(kFileName, flags | MFD_NOEXEC_SEAL));
    if (fd == -EINVAL) // kernels before 6.3
        fd = from_libc(::memfd_create(kFileName, flags));
    return fd;
}

/// Nobody else may change what the file holds, or its size: memory that vanishes would end this process
/// (SIGBUS).
void seal(int fd) noexcept
{
    if (from_libc(::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)) <
        0)
        (void)from_libc(::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)); // before 5.1
}

bool switched_off() noexcept
{
    const char* text = ::secure_getenv("RINGFUSE_STATISTICS");
    return text && std::strcmp(text, "0") == 0;
}

} // namespace

Clock choose_clock() noexcept
{
#if defined(__x86_64__)
    const UniqueFd file(from_libc(
        ::open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC)));
    std::array<char, 8> name{};
    const ssize_t n = file ? ::read(file.get(), name.data(), name.size()) : -1;
    if (n > 0 && std::string_view(name.data(), static_cast<std::size_t>(n)) == "tsc\n")
        return Clock::kTsc;
#endif
    return Clock::kMonotonicNs;
}

Recorder::Recorder() noexcept : id_(g_next_id.fetch_add(1, std::memory_order_relaxed)) {}

Recorder::~Recorder()
{
    if (Facts* facts = facts_.load(std::memory_order_relaxed))
        ::munmap(facts, bytes_);
}

int Recorder::open() noexcept
{
    const MutexLock lock(mutex_);
    if (tried_)
        return 0;
    tried_ = true;
    return switched_off() ? 0 : create_file();
}

int Recorder::create_file() noexcept
{
    const std::uint32_t cpus = static_cast<std::uint32_t>(std::max(possible_cpus(), 1));
    const std::uint32_t nr_shared = std::min(cpus, kMostSharedBlocks);
    const std::uint32_t nr_blocks = std::min(nr_shared + cpus * kBlocksPerCpu + kFurtherBlocks, kMostBlocks);
    constexpr std::size_t kAlign = alignof(Block);
    const std::size_t blocks_at = (sizeof(Facts) + kAlign - 1) / kAlign * kAlign;
    const std::size_t records_at = blocks_at + nr_blocks * sizeof(Block);
    const std::size_t bytes = records_at + kRecords * sizeof(Record);
    if (!may_be_as_large(bytes))
        return -EFBIG;

    UniqueFd file(create_memfd());
    int rc = file.get() < 0 ? file.release() : 0;
    if (rc == 0)
        rc = from_libc(::fchmod(file.get(), 0600));
    if (rc == 0)
        rc = from_libc(::ftruncate(file.get(), static_cast<off_t>(bytes)));
    if (rc < 0)
        return rc;
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED)
        return from_libc(-1);
    seal(file.get());

    // The memory is zero. Facts' defaults are, but for the connection; blocks and records say what they are
    // when they are first used.
    Facts* facts = new (at) Facts;
    facts->facts_bytes = sizeof(Facts);
    facts->total_bytes = bytes;
    facts->blocks_at = blocks_at;
    facts->records_at = records_at;
    facts->block_bytes = sizeof(Block);
    facts->nr_blocks = nr_blocks;
    facts->record_bytes = sizeof(Record);
    facts->nr_records = kRecords;
    clock_ = choose_clock();
    facts->clock = static_cast<std::uint32_t>(clock_);
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    facts->started_ns =
        static_cast<std::uint64_t>(now.tv_sec) * 1000000000u + static_cast<std::uint64_t>(now.tv_nsec);
    facts->version = kVersion;
    // release: who finds the magic finds the rest as well.
    put(facts->magic, kMagic, std::memory_order_release);

    bytes_ = bytes;
    nr_shared_ = nr_shared;
    used_blocks_ = nr_shared;
    file_ = std::move(file);
    facts_.store(facts, std::memory_order_release);
    return 0;
}

Block* Recorder::block(std::uint32_t index) const noexcept
{
    Facts* facts = facts_.load(std::memory_order_relaxed);
    std::byte* blocks = reinterpret_cast<std::byte*>(facts) + facts->blocks_at;
    return reinterpret_cast<Block*>(blocks) + index;
}

/// A block for the calling thread; nullptr if all are in use.
Block* Recorder::adopt_block() noexcept
{
    const std::int32_t tid = this_thread();
    const MutexLock lock(mutex_);
    Block* orphan = nullptr;
    for (std::uint32_t i = nr_shared_; i < used_blocks_; ++i) {
        Block* const here = block(i);
        if (tid_of(*here) == tid)
            return here; // it served another session in between
        if (!orphan && is_gone(tid_of(*here)))
            orphan = here;
    }
    if (!orphan) {
        if (used_blocks_ == facts_.load(std::memory_order_relaxed)->nr_blocks)
            return nullptr;
        orphan = block(used_blocks_++);
    }
    put(orphan->tid, tid);
    put(orphan->queue, -1);
    return orphan;
}

Recorder::Counters Recorder::shared() const noexcept
{
    const int cpu = ::sched_getcpu();
    return {block(static_cast<std::uint32_t>(std::max(cpu, 0)) % nr_shared_), true};
}

/// For a thread that takes requests: one block is its own from now on.
Recorder::Counters Recorder::mine() noexcept
{
    Remembered& remembered = t_remembered;
    if (remembered.recorder != id_) [[unlikely]]
        remembered = {id_, adopt_block()};
    return remembered.block ? Counters{remembered.block, false} : shared();
}

/// For a thread that may only answer, of which a filesystem may have any number.
Recorder::Counters Recorder::mine_or_shared() noexcept
{
    const Remembered& remembered = t_remembered;
    return remembered.recorder == id_ && remembered.block ? Counters{remembered.block, false} : shared();
}

Record* Recorder::claim_record() noexcept
{
    const std::uint32_t index = used_records_.fetch_add(1, std::memory_order_relaxed);
    if (index >= kRecords) {
        used_records_.store(kRecords, std::memory_order_relaxed); // so that it never wraps
        return nullptr;
    }
    Facts* facts = facts_.load(std::memory_order_relaxed);
    std::byte* records = reinterpret_cast<std::byte*>(facts) + facts->records_at;
    return reinterpret_cast<Record*>(records) + index;
}

void Recorder::begin(Ticket& ticket, const Arrival& arrival) noexcept
{
    if (!facts_.load(std::memory_order_acquire))
        return;
    const Counters counters = mine();
    ticket.row = row_of(arrival.opcode);
    ticket.started = ticks(clock_);
    add(counters.block->rows[ticket.row].requests, 1, counters.shared);
    add(counters.block->bytes_in, arrival.bytes, counters.shared);
    if (!counters.shared)
        put(counters.block->queue, arrival.queue);
    if (!ticket.asked_for_record) {
        ticket.asked_for_record = true;
        ticket.record = claim_record();
    }
    if (Record* record = ticket.record) {
        put(record->unique, arrival.unique);
        put(record->nodeid, arrival.nodeid);
        put(record->opcode, arrival.opcode);
        put(record->caller_pid, arrival.caller_pid);
        put(record->tid, counters.shared ? 0 : tid_of(*counters.block));
        put(record->queue, arrival.queue);
        // release: who sees the stamp sees whose it is.
        put(record->started, ticket.started, std::memory_order_release);
    }
}

void Recorder::end(Ticket& ticket, bool failed, std::size_t bytes) noexcept
{
    if (ticket.started == 0)
        return;
    const std::uint64_t now = ticks(clock_);
    // TSCs of two CPUs may differ by a little.
    const std::uint64_t took = now > ticket.started ? now - ticket.started : 0;
    ticket.started = 0;
    if (ticket.record)
        put(ticket.record->started, std::uint64_t{0});
    const Counters counters = mine_or_shared();
    Row& row = counters.block->rows[ticket.row];
    add(row.ticks, took, counters.shared);
    add(row.buckets[bucket_of(took)], 1, counters.shared);
    if (failed)
        add(row.errors, 1, counters.shared);
    if (bytes > 0)
        add(counters.block->bytes_out, bytes, counters.shared);
}

void Recorder::set_state(State state) noexcept
{
    change([state](Facts& facts) {
        put(facts.pid, static_cast<std::int32_t>(::getpid()));
        put(facts.state, static_cast<std::uint32_t>(state));
    });
}

Totals Recorder::totals() const noexcept
{
    Totals totals;
    Facts* const facts = facts_.load(std::memory_order_acquire);
    if (!facts)
        return totals;
    // Blocks nobody has used yet are zero. The first such ends the search: they are taken in order.
    for (std::uint32_t i = 0; i < facts->nr_blocks; ++i) {
        Block& here = *block(i);
        if (i >= nr_shared_ && tid_of(here) == 0)
            break;
        totals.bytes_in += get(here.bytes_in);
        totals.bytes_out += get(here.bytes_out);
        for (Row& row : here.rows) {
            totals.requests += get(row.requests);
            totals.errors += get(row.errors);
        }
    }
    std::byte* const records = reinterpret_cast<std::byte*>(facts) + facts->records_at;
    const std::uint32_t used = std::min(used_records_.load(std::memory_order_relaxed), kRecords);
    for (std::uint32_t i = 0; i < used; ++i)
        totals.in_flight += get(reinterpret_cast<Record*>(records)[i].started) != 0;
    return totals;
}

void Recorder::count_interrupt() noexcept
{
    change([](Facts& facts) { add(facts.interrupts, 1, true); });
}

void Recorder::count_fallback() noexcept
{
    change([](Facts& facts) { add(facts.fallbacks, 1, true); });
}

} // namespace rf::stat
