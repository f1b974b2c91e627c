// System calls inside handlers are not disturbed: no EINTR while other requests pour in on the same CPU.
#include "mount.hpp"

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

using namespace rf::contract;

namespace {

enum Wait { kEpoll = 1, kRecv, kNanosleep, kPipe, kFutex, kPoll, kSelect, kNrWaits };
constexpr std::array<const char*, kNrWaits> kNames = {"",     "epoll_wait", "recv", "nanosleep",
                                                      "read", "futex",      "poll", "select"};
constexpr long kWaitMs = 15;
constexpr int kRounds = 12;

std::array<int, 2> s_pipe{-1, -1};

int recv_with_timeout()
{
    std::array<int, 2> pair{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
        return 0;
    const timeval timeout{0, kWaitMs * 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    char byte = 0;
    const ssize_t rc = recv(pair[0], &byte, 1, 0);
    const int error = errno;
    close(pair[0]);
    close(pair[1]);
    errno = error;
    return static_cast<int>(rc);
}

/// One wait of about kWaitMs; -1 and errno if it was disturbed.
int wait_once(off_t how)
{
    std::atomic<std::uint32_t> word{0};
    const timespec duration{0, kWaitMs * 1000000};
    timespec left{};
    epoll_event event{};
    pollfd watched{s_pipe[0], 0, 0};
    timeval timeout{0, kWaitMs * 1000};
    char byte = 0;
    switch (how) {
    case kEpoll: {
        const int epoll = epoll_create1(EPOLL_CLOEXEC);
        const int rc = epoll_wait(epoll, &event, 1, kWaitMs);
        const int error = errno;
        close(epoll);
        errno = error;
        return rc;
    }
    case kRecv:
        return recv_with_timeout();
    case kNanosleep:
        return nanosleep(&duration, &left);
    case kPipe:
        return static_cast<int>(read(s_pipe[0], &byte, 1));
    case kFutex:
        return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &duration, nullptr, 0));
    case kPoll:
        return poll(&watched, 1, kWaitMs);
    default:
        return select(0, nullptr, nullptr, nullptr, &timeout);
    }
}

void feed_pipe(Server& server)
{
    if (pipe2(s_pipe.data(), O_CLOEXEC) != 0)
        abort();
    server.background.emplace_back([shared = &server.shared] {
        while (shared->n[10] == 0) {
            (void)!write(s_pipe[1], "x", 1);
            std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs / 3));
        }
        shared->gate[10].open();
    });
}

bool wait_in_handler(Call& call)
{
    if (call.op != Op::kRead || call.at <= 0 || call.at >= kNrWaits)
        return false;
    for (int i = 0; i < kRounds; i++) {
        errno = 0;
        if (wait_once(call.at) < 0 && errno == EINTR)
            call.shared.n[static_cast<std::size_t>(call.at)]++;
    }
    call.shared.n[20]++;
    return false;
}

std::mutex s_mutex;
std::vector<fuse_req_t> s_held;

/// The same with a crowd of requests that another thread answers: those answers have to be sent by somebody.
bool wait_beside_async_answers(Call& call)
{
    if (call.op == Op::kRead && call.at >= kNrWaits) {
        const std::lock_guard lock(s_mutex);
        s_held.push_back(call.req);
        call.shared.gate[11].open();
        return true;
    }
    return wait_in_handler(call);
}

void feed_pipe_and_answer(Server& server)
{
    feed_pipe(server);
    server.background.emplace_back([shared = &server.shared] {
        while (shared->n[11] == 0) {
            (void)shared->gate[11].pass(20);
            std::vector<fuse_req_t> some;
            {
                const std::lock_guard lock(s_mutex);
                some.swap(s_held);
            }
            for (const fuse_req_t req : some)
                reply_bytes(req, 16);
        }
        shared->gate[12].open();
    });
}

void claim_undisturbed(const Setup& setup)
{
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Hammer hammer(fd, {cpu(0), cpu(0), cpu(0), cpu(1)});
    std::vector<Client> clients;
    for (int how = kEpoll; how < kNrWaits; how++)
        clients.emplace_back(cpu(0), [fd, how] { return read_at(fd, how); });
    for (Client& client : clients)
        CLAIM(client.done_within(3 * kSoonMs) && client.result() == 16,
              "a client of a waiting handler hangs");
    ck_assert_int_gt(hammer.stop(), setup.single ? 0 : 100);
    shared.n[10] = shared.n[11] = 1;
    ck_assert(shared.gate[10].pass(kSoonMs));
    ck_assert(!setup.hook || setup.hook == wait_in_handler || shared.gate[12].pass(kSoonMs));
    close(fd);
    mount.end();
    for (std::size_t how = kEpoll; how < kNrWaits; how++)
        ck_assert_msg(shared.n[how] == 0, "%s got EINTR %ld times", kNames[how], shared.n[how].load());
    ck_assert_int_eq(shared.n[20], kNrWaits - 1);
    mount.claim_transport_used(setup.single ? 10 : 100);
}

START_TEST(system_calls_of_handlers_get_no_eintr)
{
    claim_undisturbed({.hook = wait_in_handler, .before_loop = feed_pipe});
}
END_TEST

START_TEST(nor_while_others_answer_from_another_thread)
{
    claim_undisturbed({.hook = wait_beside_async_answers, .before_loop = feed_pipe_and_answer});
}
END_TEST

START_TEST(nor_in_a_single_threaded_loop)
{
    claim_undisturbed({.hook = wait_in_handler, .single = true, .before_loop = feed_pipe});
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        system_calls_of_handlers_get_no_eintr,
        nor_while_others_answer_from_another_thread,
        nor_in_a_single_threaded_loop,
    };
    return run_tests("contract_undisturbed", tests);
}
