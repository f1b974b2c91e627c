// A kernel for tests: a socket pair stands in for /dev/fuse, the test writes requests at one end as the
// kernel would, and a session of the library serves the other end. No privileges, no mount. Every wait has a
// deadline.
#pragma once

#include "check/runner.hpp"
#include "proto/kernel.hpp"

#include <cstddef>
#include <cstring>
#include <deque>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rf::fake {

using test::run_tests;
using test::Tests;

using Bytes = std::vector<std::byte>;

/// The bytes of a structure of the wire.
template <class T>
Bytes bytes_of(const T& value, std::size_t count = sizeof(T))
{
    static_assert(std::is_trivially_copyable_v<T>);
    Bytes out(count);
    if (count > 0)
        std::memcpy(out.data(), &value, count);
    return out;
}
/// Characters as they are; write "name\0"sv where a NUL is meant.
[[nodiscard]] Bytes text(std::string_view characters);
[[nodiscard]] Bytes operator+(Bytes left, const Bytes& right);

/// The structure at the front of `bytes`. Fails the test if there is less.
void copy_front(const Bytes& bytes, void* out, std::size_t count);
template <class T>
T front(const Bytes& bytes)
{
    T out;
    copy_front(bytes, &out, sizeof(out));
    return out;
}

/// What the library sent: the answer to a request, or (unique 0) a notification.
struct Reply {
    kern::fuse_out_header header{};
    Bytes body;
};

/// Who asks.
struct Sender {
    std::uint64_t nodeid = 7;
    std::uint32_t uid = 1001;
    std::uint32_t gid = 1002;
    std::uint32_t pid = 1003;
    Bytes extensions = {}; // a multiple of 8 bytes
};

enum class Loop { kSingle, kThreads };

/// How the session is made.
struct Setup {
    std::vector<const char*> options = {}; // behind argv[0]
    void* userdata = nullptr;
    std::size_t op_size = sizeof(fuse_lowlevel_ops);
    fuse_custom_io io = {}; // unset members: read(2) and writev(2)
    bool clone_fd = false;  // of the loop of threads
};

/// Every flag there is in 7.45.
inline constexpr std::uint64_t kAllFlags = (std::uint64_t{1} << 43) - 1 - kern::INIT_RESERVED;

struct Hello {
    std::uint32_t major = kern::kMajor;
    std::uint32_t minor = kern::kMinor;
    std::uint32_t max_readahead = 131072;
    std::uint64_t flags = kAllFlags;
    std::size_t bytes = sizeof(kern::fuse_init_in); // what is sent of the structure
};

/// Used by the thread of the test only.
class FakeKernel {
public:
    explicit FakeKernel(const fuse_lowlevel_ops& ops, const Setup& setup = {});
    /// Of `setup`, only what is not about making the session counts. The session is destroyed here.
    explicit FakeKernel(fuse_session* session, const Setup& setup = {});
    /// Ends what still runs: the connection, the loop, the session.
    ~FakeKernel();
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;

    [[nodiscard]] fuse_session* session() const noexcept { return session_; }

    /// Runs the session's loop on a thread of its own.
    void start(Loop loop = Loop::kSingle);
    /// start(), an INIT, and its answer, which must be a success.
    kern::fuse_init_out connect(Loop loop = Loop::kSingle, const Hello& hello = {});
    /// Waits for the end of the loop; what it returned.
    int loop_result();
    /// The end of the connection, as an unmount.
    void hang_up();
    void destroy_session();

    /// Sends a request; its unique: even and never repeated, as the kernel's.
    std::uint64_t send(std::uint32_t opcode, const Bytes& body = {}, const Sender& from = {});
    void send_with_unique(std::uint64_t unique, std::uint32_t opcode, const Bytes& body = {},
                          const Sender& from = {});
    void send_raw(std::span<const std::byte> message);
    std::uint64_t send_init(const Hello& hello);

    Reply receive();
    /// send() and receive(); the answer must be to this request.
    Reply ask(std::uint32_t opcode, const Bytes& body = {}, const Sender& from = {});

    /// Fails the test if anything was sent so far. Only with Loop::kSingle: a request that is answered in a
    /// known way follows, and nothing may come before that answer.
    void expect_silence();
    /// Nothing is on the wire at this moment. For tests that know that everybody is done.
    [[nodiscard]] bool is_silent() const;

private:
    static void* loop_main(void* self);
    static fuse_session* new_session(const fuse_lowlevel_ops& ops, const Setup& setup);

    int fd_ = -1; // the kernel's end
    fuse_session* session_ = nullptr;
    pthread_t thread_{};
    [[nodiscard]] Reply receive_message();

    bool running_ = false;
    std::deque<Reply> early_; // notifications that came before the answer to INIT
    Loop loop_ = Loop::kSingle;
    const bool clone_fd_;
    int result_ = 0;
    std::uint64_t next_unique_ = 2;
};

/// Keeps what the library logs, of all threads, from stderr; for the start of main().
void keep_log();
/// What the library logged since the last time.
[[nodiscard]] std::string take_log();
/// Fails the test unless `text` was logged since the last look.
void check_logged(const char* text);

/// The answer is `error` and, if 0, exactly `body`.
void check_reply(const Reply& reply, int error, const Bytes& body = {});
/// The message is a notification with these bytes.
void check_notification(const Reply& message, kern::NotifyCode code, const Bytes& body);

} // namespace rf::fake
