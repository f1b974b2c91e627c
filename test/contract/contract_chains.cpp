// A handler may wait for what only another, later handler provides, from whichever CPU that comes.
#include "mount.hpp"

#include <fcntl.h>
#include <mutex>

using namespace rf::contract;

namespace {

constexpr long kDeepest = 10; // the default of max_threads

/// Link `i` of a chain of n[1] links waits for link i + 1 and then lets link i - 1 go on.
void be_a_link(Shared& shared, long i)
{
    shared.n[0]++;
    if (i + 1 < shared.n[1] && !shared.gate[static_cast<std::size_t>(i + 1)].pass(3 * kSoonMs))
        shared.n[2]++; // in vain
    shared.gate[static_cast<std::size_t>(i)].open();
}

bool chain_of_reads(Call& call)
{
    if (call.op == Op::kRead && call.at < kDeepest)
        be_a_link(call.shared, call.at);
    return false;
}

/// Links d0/d10, d1/d11, ...: in turn a lookup, a getattr, an opendir and a readdir. Each has a parent of its
/// own, since the kernel may take the lookups in one directory in turn.
bool chain_of_directories(Call& call)
{
    constexpr fuse_ino_t kFirstLink = kFirstDirectory + 10;
    constexpr std::array<Op, 4> kKinds = {Op::kLookup, Op::kGetattr, Op::kOpendir, Op::kReaddir};
    if (call.ino < kFirstLink || call.ino >= kFirstLink + kDeepest)
        return false;
    const auto link = static_cast<std::size_t>(call.ino - kFirstLink);
    // Each link waits once, at the first call of its kind.
    if (call.op == kKinds[link % kKinds.size()] && call.at == 0 && call.shared.n[20 + link]++ == 0)
        be_a_link(call.shared, static_cast<long>(link));
    return false;
}

/// Starts the links one after the other, each from `on`, and waits for all of them.
void run_chain(Mount& mount, long depth, bool in_order, const std::function<Client(long)>& start)
{
    Shared& shared = mount.shared();
    shared.n[0] = 0;
    shared.n[1] = depth;
    std::vector<Client> links;
    for (long i = 0; i < depth; i++) {
        links.push_back(start(i));
        if (in_order)
            CLAIM(soon([&] { return shared.n[0] > i; }), "link %ld of %ld was not called", i, depth);
    }
    for (Client& link : links) {
        CLAIM(link.done_within(kSoonMs), "a link of %ld hangs, %ld were called", depth, shared.n[0].load());
        ck_assert_msg(link.result() >= 0, "a link got %ld", link.result());
    }
    ck_assert_int_eq(shared.n[2], 0);
}

void run_chain_of_reads(Mount& mount, int fd, long depth, bool in_order)
{
    run_chain(mount, depth, in_order,
              [fd](long i) { return Client(cpu(0), [fd, i] { return read_at(fd, i); }); });
}

constexpr std::array<long, 3> kDepths = {2, 5, kDeepest};

START_TEST(reads_from_one_cpu_wait_for_the_next_one)
{
    const Setup setup{.hook = chain_of_reads};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    for (int round = 0; round < 3; round++)
        run_chain_of_reads(mount, fd, kDepths[static_cast<unsigned>(_i)], round != 2);
    close(fd);
    mount.end();
    mount.claim_transport_used(6);
}
END_TEST

START_TEST(directories_on_a_fresh_mount_wait_for_the_next_one)
{
    const Setup setup{.hook = chain_of_directories};
    Mount mount(setup);
    run_chain(mount, kDepths[static_cast<unsigned>(_i)], true, [&](long i) {
        const std::string name = "d" + std::to_string(i) + "/d" + std::to_string(10 + i);
        return Client(cpu(0), [path = mount.path(name)] { return list_directory(path); });
    });
    mount.end();
}
END_TEST

START_TEST(ten_thousand_fast_requests_before_change_nothing)
{
    const Setup setup{.hook = chain_of_reads};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    for (int round = 0; round < 2; round++) {
        Client fast(cpu(0), [fd] {
            for (int i = 0; i < 10000; i++) {
                if (file_status(fd) < 0)
                    return -1L;
            }
            return 0L;
        });
        CLAIM(fast.done_within(6 * kSoonMs), "fast requests hang");
        ck_assert_int_eq(fast.result(), 0);
        run_chain_of_reads(mount, fd, kDeepest, round == 0);
    }
    close(fd);
    mount.end();
    mount.claim_transport_used(20000);
}
END_TEST

START_TEST(eight_fast_clients_beside_change_nothing)
{
    const Setup setup{.hook = chain_of_reads};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Hammer hammer(fd, {cpu(0), cpu(0), cpu(0), cpu(0), cpu(1), cpu(1), cpu(1), cpu(1)});
    for (int round = 0; round < 5; round++)
        run_chain_of_reads(mount, fd, kDepths[static_cast<unsigned>(_i)], round % 2 == 0);
    ck_assert_int_gt(hammer.stop(), 100);
    close(fd);
    mount.end();
}
END_TEST

// --- locks
// ---------------------------------------------------------------------------------------------------

std::mutex s_mutex;
bool s_locked = false;
std::vector<fuse_req_t> s_waiters;

/// One lock for everybody; whoever waits for it is answered later.
bool locks_answered_later(Call& call)
{
    if (call.op != Op::kSetlk)
        return false;
    fuse_req_t ready = call.req;
    fuse_req_t next = nullptr;
    {
        const std::lock_guard lock(s_mutex);
        if (call.lock->l_type == F_UNLCK) {
            s_locked = false;
            if (!s_waiters.empty()) {
                next = s_waiters.front();
                s_waiters.erase(s_waiters.begin());
                s_locked = true;
            }
        } else if (s_locked) {
            s_waiters.push_back(call.req);
            ready = nullptr;
            call.shared.n[0]++;
        } else {
            s_locked = true;
        }
    }
    if (ready)
        fuse_reply_err(ready, 0);
    if (next)
        fuse_reply_err(next, 0);
    return true;
}

/// The same with handlers that block until the lock is free. gate[0] is open while it is.
bool locks_that_block(Call& call)
{
    if (call.op != Op::kSetlk)
        return false;
    Shared& shared = call.shared;
    if (call.lock->l_type == F_UNLCK) {
        if (shared.n[4].exchange(0) == 1)
            shared.gate[0].open();
        return false;
    }
    shared.n[0]++;
    if (!shared.gate[0].pass(3 * kSoonMs)) {
        fuse_reply_err(call.req, EDEADLK);
        return true;
    }
    shared.n[4] = 1;
    return false;
}

void open_first(Server& server)
{
    server.shared.gate[0].open();
}

long set_lock(int fd, short type)
{
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    // Of the open file: threads of one process are different owners then.
    return fcntl(fd, F_OFD_SETLKW, &lock) < 0 ? -errno : 0;
}

void waiters_and_the_unlock_from_one_cpu(Hook hook, long before_unlock)
{
    const Setup setup{.hook = hook, .before_loop = open_first};
    Mount mount(setup);
    Shared& shared = mount.shared();
    std::vector<int> files;
    for (unsigned i = 0; i < 6; i++)
        files.push_back(open_on(cpu(0), mount.path("f1"), O_RDWR));
    Client first(cpu(0), [&] { return set_lock(files[0], F_WRLCK); });
    CLAIM(first.done_within(kSoonMs) && first.result() == 0, "the first lock is not had");
    std::vector<Client> waiters;
    for (unsigned i = 1; i < 6; i++) {
        waiters.emplace_back(cpu(0), [fd = files[i]] {
            const long rc = set_lock(fd, F_WRLCK);
            return rc == 0 ? set_lock(fd, F_UNLCK) : rc;
        });
    }
    CLAIM(soon([&] { return shared.n[0] == before_unlock; }), "%ld of %ld handlers wait for the lock",
          shared.n[0].load(), before_unlock);
    Client unlock(cpu(0), [&] { return set_lock(files[0], F_UNLCK); });
    CLAIM(unlock.done_within(kSoonMs) && unlock.result() == 0,
          "the unlock waits behind those who wait for it");
    for (Client& waiter : waiters)
        CLAIM(waiter.done_within(kSoonMs) && waiter.result() == 0, "a waiter hangs");
    for (const int fd : files)
        close(fd);
    mount.end();
}

START_TEST(lock_waiters_answered_later_get_the_lock)
{
    waiters_and_the_unlock_from_one_cpu(locks_answered_later, 5);
}
END_TEST

START_TEST(lock_waiters_in_blocked_handlers_get_the_lock)
{
    waiters_and_the_unlock_from_one_cpu(locks_that_block, 6);
}
END_TEST

// --- a filesystem that uses its own mount
// --------------------------------------------------------------------

/// Reading f1 at n opens, stats, lists and reads the mount itself; the read is at n - 1.
bool reads_of_itself(Call& call)
{
    if (call.op != Op::kRead || call.ino != kFirstFile + 1 || call.at <= 0 || call.at > 100)
        return false;
    const std::string dir = call.server.dir;
    const int fd = open((dir + "/f1").c_str(), O_RDONLY | O_CLOEXEC);
    const bool well = fd >= 0 && file_status(fd) >= 0 && path_status(dir + "/f7") >= 0 &&
                      list_directory(dir) == 2 && read_at(fd, call.at - 1) == 16;
    if (fd >= 0)
        close(fd);
    if (!well)
        call.shared.n[0]++;
    return false;
}

START_TEST(handlers_use_their_own_mount)
{
    const Setup setup{.hook = reads_of_itself};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDONLY);
    // n nested handlers block, and the innermost one's calls need one thread more.
    for (const long depth : {1, 3, 8}) {
        Client client(cpu(0), [&] { return read_at(fd, depth); });
        CLAIM(client.done_within(2 * kSoonMs) && client.result() == 16, "self-access of depth %ld hangs",
              depth);
    }
    std::vector<Client> several;
    for (unsigned i = 0; i < 4; i++)
        several.emplace_back(cpu(0), [&] {
            for (int n = 0; n < 20; n++) {
                if (read_at(fd, 1) != 16)
                    return -1L;
            }
            return 0L;
        });
    for (Client& client : several)
        CLAIM(client.done_within(2 * kSoonMs) && client.result() == 0, "self-access of several hangs");
    ck_assert_int_eq(mount.shared().n[0], 0);
    // The release of what the handlers opened may be under way still.
    close(fd);
    CLAIM(soon([&] { return mount.shared().inside == 0; }), "a handler does not end");
    mount.end();
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {reads_from_one_cpu_wait_for_the_next_one, 0, 3},
        {directories_on_a_fresh_mount_wait_for_the_next_one, 0, 3},
        ten_thousand_fast_requests_before_change_nothing,
        {eight_fast_clients_beside_change_nothing, 0, 3},
        lock_waiters_answered_later_get_the_lock,
        lock_waiters_in_blocked_handlers_get_the_lock,
        handlers_use_their_own_mount,
    };
    return run_tests("contract_chains", tests, {.seconds = 90});
}
