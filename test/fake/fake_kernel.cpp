#include "fake_kernel.hpp"

#include "base/log.hpp"
#include "check/runner.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <fuse_opt.h>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace rf::fake {
namespace {

constexpr int kDeadlineSeconds = 20;
constexpr int kSocketBytes = 1 << 20;
constexpr std::size_t kLargestMessage = 1 << 20;
constexpr std::uint32_t kUnknownOpcode = 63;

ssize_t plain_read(int fd, void* buffer, std::size_t bytes, void*)
{
    return ::read(fd, buffer, bytes);
}

ssize_t plain_writev(int fd, iovec* pieces, int count, void*)
{
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = static_cast<std::size_t>(count);
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

void make_room(int fd)
{
    ck_assert_int_eq(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof(kSocketBytes)), 0);
    ck_assert_int_eq(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBytes, sizeof(kSocketBytes)), 0);
}

std::mutex g_log_mutex;
std::string g_log;

void keep_message(int, const char* format, va_list args)
{
    std::array<char, 2048> line;
    vsnprintf(line.data(), line.size(), format, args);
    const std::lock_guard lock(g_log_mutex);
    g_log += line.data();
}

} // namespace

std::string take_log()
{
    const std::lock_guard lock(g_log_mutex);
    return std::exchange(g_log, {});
}

void check_logged(const char* text)
{
    const std::string log = take_log();
    ck_assert_msg(log.find(text) != std::string::npos, "not logged: %s\nlog: %s", text, log.c_str());
}

void keep_log()
{
    log::set_sink(keep_message);
}

Bytes text(std::string_view characters)
{
    Bytes out(characters.size());
    if (!out.empty())
        std::memcpy(out.data(), characters.data(), characters.size());
    return out;
}

Bytes operator+(Bytes left, const Bytes& right)
{
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

void copy_front(const Bytes& bytes, void* out, std::size_t count)
{
    ck_assert_uint_ge(bytes.size(), count);
    if (count > 0)
        std::memcpy(out, bytes.data(), count);
}

fuse_session* FakeKernel::new_session(const fuse_lowlevel_ops& ops, const Setup& setup)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "fake"), 0);
    for (const char* option : setup.options)
        ck_assert_int_eq(fuse_opt_add_arg(&args, option), 0);
    const libfuse_version version{3, 19, 0, 0};
    fuse_session* session = fuse_session_new_versioned(&args, &ops, setup.op_size, &version, setup.userdata);
    fuse_opt_free_args(&args);
    return session;
}

FakeKernel::FakeKernel(const fuse_lowlevel_ops& ops, const Setup& setup)
    : FakeKernel(new_session(ops, setup), setup)
{}

FakeKernel::FakeKernel(fuse_session* session, const Setup& setup)
    : session_(session), clone_fd_(setup.clone_fd)
{
    ck_assert_ptr_nonnull(session_);
    int ends[2];
    ck_assert_int_eq(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    make_room(ends[0]);
    make_room(ends[1]);
    fd_ = ends[0];

    fuse_custom_io io = setup.io;
    io.read = io.read ? io.read : plain_read;
    io.writev = io.writev ? io.writev : plain_writev;
    ck_assert_int_eq(fuse_session_custom_io_317(session_, &io, sizeof(io), ends[1]), 0);
}

FakeKernel::~FakeKernel()
{
    hang_up();
    if (running_)
        loop_result();
    destroy_session();
}

void* FakeKernel::loop_main(void* self)
{
    FakeKernel& kernel = *static_cast<FakeKernel*>(self);
    if (kernel.loop_ == Loop::kSingle) {
        kernel.result_ = fuse_session_loop(kernel.session_);
    } else {
        fuse_loop_config* config = fuse_loop_cfg_create();
        fuse_loop_cfg_set_clone_fd(config, kernel.clone_fd_ ? 1 : 0);
        kernel.result_ = fuse_session_loop_mt_312(kernel.session_, config);
        fuse_loop_cfg_destroy(config);
    }
    return nullptr;
}

void FakeKernel::start(Loop loop)
{
    ck_assert(!running_);
    loop_ = loop;
    ck_assert_int_eq(pthread_create(&thread_, nullptr, loop_main, this), 0);
    running_ = true;
}

kern::fuse_init_out FakeKernel::connect(Loop loop, const Hello& hello)
{
    start(loop);
    const std::uint64_t unique = send_init(hello);
    Reply reply = receive_message();
    // Whoever notifies from another thread may overtake the answer; receive() gives those later.
    for (; reply.header.unique == 0; reply = receive_message())
        early_.push_back(reply);
    ck_assert_uint_eq(reply.header.unique, unique);
    ck_assert_int_eq(reply.header.error, 0);
    kern::fuse_init_out out{};
    ck_assert_uint_le(reply.body.size(), sizeof(out));
    std::memcpy(&out, reply.body.data(), reply.body.size());
    return out;
}

int FakeKernel::loop_result()
{
    ck_assert(running_);
    timespec deadline{};
    ::clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += kDeadlineSeconds;
    ck_assert_msg(pthread_timedjoin_np(thread_, nullptr, &deadline) == 0, "the loop does not end");
    running_ = false;
    return result_;
}

void FakeKernel::hang_up()
{
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = -1;
}

void FakeKernel::destroy_session()
{
    ck_assert(!running_);
    fuse_session_destroy(session_);
    session_ = nullptr;
}

std::uint64_t FakeKernel::send(std::uint32_t opcode, const Bytes& body, const Sender& from)
{
    const std::uint64_t unique = next_unique_;
    next_unique_ += 2;
    send_with_unique(unique, opcode, body, from);
    return unique;
}

void FakeKernel::send_with_unique(std::uint64_t unique, std::uint32_t opcode, const Bytes& body,
                                  const Sender& from)
{
    kern::fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof(header) + body.size() + from.extensions.size());
    header.opcode = opcode;
    header.unique = unique;
    header.nodeid = from.nodeid;
    header.uid = from.uid;
    header.gid = from.gid;
    header.pid = from.pid;
    ck_assert_uint_eq(from.extensions.size() % 8, 0);
    header.total_extlen = static_cast<std::uint16_t>(from.extensions.size() / 8);
    send_raw(bytes_of(header) + body + from.extensions);
}

void FakeKernel::send_raw(std::span<const std::byte> message)
{
    ck_assert_int_eq(::send(fd_, message.data(), message.size(), MSG_NOSIGNAL),
                     static_cast<ssize_t>(message.size()));
}

std::uint64_t FakeKernel::send_init(const Hello& hello)
{
    kern::fuse_init_in in{};
    in.major = hello.major;
    in.minor = hello.minor;
    in.max_readahead = hello.max_readahead;
    in.flags = static_cast<std::uint32_t>(hello.flags);
    in.flags2 = static_cast<std::uint32_t>(hello.flags >> 32);
    return send(kern::OP_INIT, bytes_of(in, hello.bytes), {.nodeid = 0, .uid = 0, .gid = 0, .pid = 0});
}

Reply FakeKernel::receive()
{
    if (early_.empty())
        return receive_message();
    Reply reply = early_.front();
    early_.pop_front();
    return reply;
}

Reply FakeKernel::receive_message()
{
    pollfd watched{fd_, POLLIN, 0};
    ck_assert_msg(::poll(&watched, 1, kDeadlineSeconds * 1000) == 1, "no answer came");
    static Bytes buffer(kLargestMessage);
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), MSG_TRUNC);
    ck_assert_int_ge(n, static_cast<ssize_t>(sizeof(kern::fuse_out_header)));
    ck_assert_uint_le(static_cast<std::size_t>(n), buffer.size());
    Reply reply;
    std::memcpy(&reply.header, buffer.data(), sizeof(reply.header));
    // Kernel: fuse_dev_do_write(), fs/fuse/dev.c (v6.18) refuses a message of another length than it says.
    ck_assert_uint_eq(reply.header.len, static_cast<std::size_t>(n));
    reply.body.assign(buffer.begin() + sizeof(reply.header), buffer.begin() + n);
    return reply;
}

Reply FakeKernel::ask(std::uint32_t opcode, const Bytes& body, const Sender& from)
{
    const std::uint64_t unique = send(opcode, body, from);
    Reply reply = receive();
    ck_assert_uint_eq(reply.header.unique, unique);
    return reply;
}

void FakeKernel::expect_silence()
{
    ck_assert(loop_ == Loop::kSingle);
    const std::uint64_t unique = send(kUnknownOpcode, {}, {.uid = ::getuid()});
    const Reply reply = receive();
    ck_assert_msg(reply.header.unique == unique, "unexpected message: unique=%llu error=%d",
                  static_cast<unsigned long long>(reply.header.unique), reply.header.error);
}

bool FakeKernel::is_silent() const
{
    pollfd watched{fd_, POLLIN, 0};
    return ::poll(&watched, 1, 0) == 0;
}

void check_reply(const Reply& reply, int error, const Bytes& body)
{
    ck_assert_int_eq(reply.header.error, error);
    ck_assert_uint_eq(reply.body.size(), body.size());
    if (!body.empty())
        ck_assert_mem_eq(reply.body.data(), body.data(), body.size());
}

void check_notification(const Reply& message, kern::NotifyCode code, const Bytes& body)
{
    ck_assert_uint_eq(message.header.unique, 0);
    check_reply(message, code, body);
}

} // namespace rf::fake
