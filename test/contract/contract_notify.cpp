// Messages to the kernel: poll wake-ups, retrieved data and invalidations, from handlers and from other
// threads, while handlers block.
#include "mount.hpp"

#include <fcntl.h>
#include <mutex>
#include <poll.h>

using namespace rf::contract;

namespace {

constexpr fuse_ino_t kCachedFile = kFirstFile + 1;

// --- poll
// ----------------------------------------------------------------------------------------------------

std::mutex s_mutex;
fuse_pollhandle* s_handle = nullptr;
bool s_ready = false;

void wake_poller()
{
    fuse_pollhandle* handle = nullptr;
    {
        const std::lock_guard lock(s_mutex);
        s_ready = true;
        std::swap(handle, s_handle);
    }
    if (handle) {
        fuse_lowlevel_notify_poll(handle);
        fuse_pollhandle_destroy(handle);
    }
}

/// Nothing to read before somebody writes: at 1 the handler wakes the pollers, at 2 another thread does.
bool poll_until_written(Call& call)
{
    if (call.op == Op::kPoll) {
        unsigned events = 0;
        {
            const std::lock_guard lock(s_mutex);
            if (call.handle) {
                if (s_handle)
                    fuse_pollhandle_destroy(s_handle);
                s_handle = call.handle;
            }
            events = s_ready ? POLLIN : 0;
        }
        call.shared.n[0]++;
        fuse_reply_poll(call.req, events);
        return true;
    }
    if (call.op != Op::kWrite)
        return false;
    if (call.at == 1) {
        wake_poller();
    } else {
        std::thread waker(wake_poller);
        waker.join();
    }
    return false;
}

START_TEST(notify_poll_wakes_a_poller_of_the_same_cpu)
{
    const Setup setup{.hook = poll_until_written};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client poller(cpu(0), [fd] {
        pollfd watched{fd, POLLIN, 0};
        const int rc = poll(&watched, 1, 2 * kSoonMs);
        return rc == 1 ? static_cast<long>(watched.revents) : -1;
    });
    CLAIM(soon([&] { return mount.shared().n[0] >= 1; }), "poll did not reach the filesystem");
    ck_assert(!poller.done_within(100));
    Client writer(cpu(0), [fd, at = _i] { return write_at(fd, at); });
    CLAIM(writer.done_within(kSoonMs) && writer.result() == 16, "the writer hangs");
    CLAIM(poller.done_within(kSoonMs), "the poller was not woken");
    ck_assert_int_eq(poller.result(), POLLIN);
    close(fd);
    mount.end();
}
END_TEST

// --- retrieve
// ------------------------------------------------------------------------------------------------

/// Reading f2: at 4096 the handler blocks; at 8192 it retrieves f1 and waits for the data before it answers;
/// at 16384 it answers and retrieves afterwards.
bool retrieving(Call& call)
{
    if (call.op == Op::kRetrieved) {
        call.shared.n[2] = static_cast<long>(call.bytes);
        if (call.cookie != &s_mutex || call.ino != kCachedFile)
            call.shared.n[3]++;
        call.shared.gate[1].open();
        return false;
    }
    if (call.op != Op::kWrite || call.ino != kFirstFile + 2)
        return false;
    call.shared.n[0]++;
    switch (call.at) {
    case 1:
        (void)call.shared.gate[0].pass(2 * kSoonMs);
        return false;
    case 2:
        call.shared.n[4] = fuse_lowlevel_notify_retrieve(call.server.session, kCachedFile, 4096, 0, &s_mutex);
        if (!call.shared.gate[1].pass(kSoonMs))
            call.shared.n[3]++;
        return false;
    case 3:
        fuse_reply_write(call.req, call.bytes);
        call.shared.n[4] = fuse_lowlevel_notify_retrieve(call.server.session, kCachedFile, 4096, 0, &s_mutex);
        return true;
    default:
        return false;
    }
}

START_TEST(retrieved_data_comes_while_handlers_block)
{
    const Setup setup{.hook = retrieving, .cached = true};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int cached = open_on(cpu(0), mount.path("f1"), O_RDONLY);
    Client fill(cpu(0), [&] { return read_at(cached, 0, 4096); });
    CLAIM(fill.done_within(kSoonMs) && fill.result() == 4096, "filling the cache");
    // Writes through separate open files of separate inodes: the kernel takes those of one file in turn.
    const int fd = open_on(cpu(0), mount.path("f2"), O_WRONLY);
    std::vector<Client> blocked;
    blocked.emplace_back(cpu(0), [&] { return write_at(fd, 1); });
    CLAIM(soon([&] { return shared.n[0] == 1; }), "the blocking handler was not called");
    Client unlocked(cpu(0), [&] { return path_status(mount.path("f3")); });
    CLAIM(unlocked.done_within(kSoonMs), "nothing else is served");
    shared.gate[0].open();
    CLAIM(blocked.front().done_within(kSoonMs), "the blocked client hangs");
    for (const off_t at : {2, 3}) {
        shared.n[2] = -1;
        Client asker(cpu(0), [&] { return write_at(fd, at); });
        CLAIM(asker.done_within(2 * kSoonMs) && asker.result() == 16, "the asker hangs");
        CLAIM(soon([&] { return shared.n[2] == 4096; }), "retrieved %ld bytes", shared.n[2].load());
        ck_assert_int_eq(shared.n[4], 0);
        ck_assert_int_eq(shared.n[3], 0);
    }
    close(fd);
    close(cached);
    mount.end();
}
END_TEST

/// Looking up f20 ... f27 (each in a directory of its own: the kernel may take those of one in turn) blocks;
/// looking up f10 retrieves and waits.
bool retrieving_beside_lookups(Call& call)
{
    if (call.op == Op::kLookup && call.ino >= kFirstFile + 20 && call.ino < kFirstFile + 28) {
        call.shared.n[0]++;
        (void)call.shared.gate[0].pass(2 * kSoonMs);
        return false;
    }
    if (call.op == Op::kLookup && call.ino == kFirstFile + 10) {
        call.shared.n[4] = fuse_lowlevel_notify_retrieve(call.server.session, kCachedFile, 4096, 0, &s_mutex);
        if (!call.shared.gate[1].pass(kSoonMs))
            call.shared.n[3]++;
        return false;
    }
    return retrieving(call);
}

START_TEST(a_handler_waits_for_retrieved_data_beside_eight_that_block)
{
    const Setup setup{.hook = retrieving_beside_lookups, .cached = true};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int cached = open_on(cpu(0), mount.path("f1"), O_RDONLY);
    Client fill(cpu(0), [&] { return read_at(cached, 0, 4096); });
    CLAIM(fill.done_within(kSoonMs) && fill.result() == 4096, "filling the cache");
    std::vector<Client> blocked;
    for (int i = 0; i < 8; i++) {
        const std::string name = "d" + std::to_string(i) + "/f" + std::to_string(20 + i);
        blocked.emplace_back(cpu(0), [path = mount.path(name)] { return path_status(path); });
    }
    CLAIM(soon([&] { return shared.n[0] == 8; }), "%ld of 8 handlers were called", shared.n[0].load());
    Client asker(cpu(0), [&] { return path_status(mount.path("f10")); });
    CLAIM(asker.done_within(2 * kSoonMs) && asker.result() == 0, "the asker hangs");
    ck_assert_int_eq(shared.n[3], 0);
    ck_assert_int_eq(shared.n[2], 4096);
    shared.gate[0].open(8);
    for (Client& client : blocked)
        CLAIM(client.done_within(kSoonMs) && client.result() == 0, "a blocked client hangs");
    close(cached);
    mount.end();
}
END_TEST

// --- invalidations
// -------------------------------------------------------------------------------------------

/// The kernel holds the root's lock during a lookup and drops it with the answer: after that the handler may
/// invalidate the very name. Reads may invalidate anything else.
bool invalidating(Call& call)
{
    fuse_session* session = call.server.session;
    if (call.op == Op::kLookup && call.ino == kFirstFile + 6) {
        answer_normally(call);
        // ENOENT: the kernel has not put the name into its cache yet.
        call.shared.n[1] = fuse_lowlevel_notify_inval_entry(session, FUSE_ROOT_ID, "f6", 2);
        call.shared.n[2] = fuse_lowlevel_notify_inval_inode(session, kFirstFile + 7, 0, 0);
        call.shared.n[0]++;
        return true;
    }
    if (call.op == Op::kGetattr && call.ino == kFirstDirectory + 1) {
        answer_normally(call);
        call.shared.n[3] = fuse_lowlevel_notify_inval_inode(session, kFirstDirectory + 1, -1, 0);
        call.shared.n[0]++;
        return true;
    }
    return false;
}

void invalidate_for_ever(Server& server)
{
    server.background.emplace_back([&server] {
        while (server.shared.n[10] == 0) {
            (void)fuse_lowlevel_notify_inval_inode(server.session, kFirstFile + 1, 0, 0);
            (void)fuse_lowlevel_notify_inval_entry(server.session, FUSE_ROOT_ID, "f2", 2);
            server.shared.n[11]++;
            std::this_thread::sleep_for(std::chrono::microseconds(300));
        }
        server.shared.gate[10].open();
    });
}

/// Nobody notifies a session that is being unmounted. The test has told the thread to end before; that went
/// through another process, which a sanitizer cannot follow.
void end_invalidation(Server& server)
{
    for (std::thread& thread : server.background)
        thread.join();
    server.background.clear();
}

START_TEST(handlers_invalidate_after_their_answer)
{
    const Setup setup{.hook = invalidating};
    Mount mount(setup);
    Shared& shared = mount.shared();
    Client known(cpu(0), [&] { return path_status(mount.path("f7")); });
    CLAIM(known.done_within(kSoonMs), "a lookup hangs");
    for (long i = 0; i < 20; i++) {
        Client client(cpu(0), [&] {
            const long rc = path_status(mount.path("f6"));
            return rc < 0 ? rc : path_status(mount.path("d1"));
        });
        CLAIM(client.done_within(kSoonMs) && client.result() == 0,
              "the client of an invalidating handler hangs");
    }
    CLAIM(soon([&] { return shared.inside == 0; }), "an invalidating handler hangs");
    ck_assert_int_ge(shared.n[0], 20);
    ck_assert_msg(shared.n[1] == 0 || shared.n[1] == -ENOENT, "inval_entry: %ld", shared.n[1].load());
    ck_assert_int_eq(shared.n[2], 0);
    mount.end();
}
END_TEST

START_TEST(another_thread_invalidates_under_load)
{
    const Setup setup{.before_loop = invalidate_for_ever, .after_loop = end_invalidation};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> clients;
    for (unsigned i = 0; i < 4; i++) {
        clients.emplace_back(cpu(i), [&] {
            for (int n = 0; n < 300; n++) {
                if (path_status(mount.path("f2")) < 0 || read_at(fd, 1 << 20) != 16)
                    return -1L;
            }
            return 0L;
        });
    }
    for (Client& client : clients)
        CLAIM(client.done_within(2 * kSoonMs) && client.result() == 0, "a client hangs");
    shared.n[10] = 1;
    CLAIM(shared.gate[10].pass(kSoonMs), "the invalidating thread hangs");
    ck_assert_int_gt(shared.n[11], 5);
    close(fd);
    mount.end();
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {notify_poll_wakes_a_poller_of_the_same_cpu, 1, 3},
        handlers_invalidate_after_their_answer,
        another_thread_invalidates_under_load,
    };
    const Tests beside_blocked_handlers = {
        retrieved_data_comes_while_handlers_block,
        a_handler_waits_for_retrieved_data_beside_eight_that_block,
    };
    // Two cases, for the second is not for a filesystem that promises that its handlers never block.
    return run_cases("contract_notify",
                     {{"contract_notify", tests}, {"beside_blocked_handlers", beside_blocked_handlers}});
}
