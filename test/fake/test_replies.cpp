// The fuse_reply_* functions beyond the plain case of each: wrong uses, large and scattered bodies, other
// threads.
#include "cases.hpp"
#include "check/runner.hpp"

#include <array>
#include <sys/mman.h>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

/// A session whose next READ is answered by `answer`; what the kernel gets.
Reply reply_of(Answer answer, const Hello& hello = {})
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect(Loop::kSingle, hello);
    fs.set_answer(answer);
    const Reply reply = kernel.ask(kern::OP_READ, Bytes(40));
    kernel.expect_silence();
    return reply;
}

int file_with(const char* text)
{
    const int fd = ::memfd_create("content", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(::write(fd, text, std::strlen(text)), static_cast<ssize_t>(std::strlen(text)));
    return fd;
}

fuse_buf memory(const char* text)
{
    fuse_buf buf{};
    buf.size = std::strlen(text);
    buf.mem = const_cast<char*>(text);
    buf.fd = -1;
    return buf;
}

fuse_buf file_at(int fd, std::size_t size, off_t pos)
{
    fuse_buf buf{};
    buf.size = size;
    buf.flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    buf.fd = fd;
    buf.pos = pos;
    return buf;
}

/// A fuse_bufvec with room for three.
struct Three {
    fuse_bufvec vector{};
    std::array<fuse_buf, 2> more{};
};

} // namespace

START_TEST(a_second_answer_is_refused_and_sends_nothing)
{
    // An answer of each kind, after another one.
    static int results[9];
    const Reply reply = reply_of([](fuse_req_t req) {
        const fuse_entry_param entry = sample_entry();
        const struct stat attr = sample_attr();
        const fuse_file_info fi = sample_open();
        const struct statvfs st = sample_statfs();
        fuse_bufvec data = FUSE_BUFVEC_INIT(0);
        fuse_reply_buf(req, "first", 5);
        int at = 0;
        for (const int rc :
             {fuse_reply_err(req, EIO), fuse_reply_buf(req, "second", 6), fuse_reply_entry(req, &entry),
              fuse_reply_attr(req, &attr, 0), fuse_reply_open(req, &fi), fuse_reply_statfs(req, &st),
              fuse_reply_write(req, 1), fuse_reply_data(req, &data, FUSE_BUF_NO_SPLICE),
              fuse_reply_ioctl(req, 0, "x", 1)})
            results[at++] = rc;
        fuse_reply_none(req);
    });
    check_reply(reply, 0, text("first"));
    for (const int result : results)
        ck_assert_int_eq(result, -EINVAL);
    check_logged("op=READ");
}
END_TEST

START_TEST(illegal_errors_become_erange)
{
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_err(req, -5); }), -ERANGE);
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_err(req, 512); }), -ERANGE);
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_err(req, 1000000); }), -ERANGE);
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_err(req, -2147483647); }), -ERANGE);
    check_logged("sending ERANGE");
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_err(req, 511); }), -511);
}
END_TEST

START_TEST(an_answer_to_a_dead_connection_returns_the_error)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    fs.set_answer(answer_later);
    kernel.send(kern::OP_READLINK);
    fuse_req_t req = fs.take_held();
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), 0);
    ck_assert_int_eq(fuse_reply_err(req, 0), -EPIPE);
    ck_assert_int_eq(fuse_reply_err(req, 0), -EINVAL);
}
END_TEST

START_TEST(data_comes_from_memory)
{
    check_reply(reply_of([](fuse_req_t req) {
                    fuse_bufvec vector = FUSE_BUFVEC_INIT(0);
                    vector.buf[0] = memory("from memory");
                    fuse_reply_data(req, &vector, FUSE_BUF_NO_SPLICE);
                }),
                0, text("from memory"));
}
END_TEST

START_TEST(data_comes_from_a_descriptor_and_ends_with_it)
{
    static int fd;
    fd = file_with("0123456789");
    check_reply(reply_of([](fuse_req_t req) {
                    fuse_bufvec vector = FUSE_BUFVEC_INIT(0);
                    vector.buf[0] = file_at(fd, 100, 4);
                    fuse_reply_data(req, &vector, FUSE_BUF_SPLICE_MOVE);
                }),
                0, text("456789"));
    ::close(fd);
}
END_TEST

START_TEST(data_is_gathered_from_several_buffers)
{
    static int fd;
    fd = file_with("0123456789");
    check_reply(reply_of([](fuse_req_t req) {
                    Three three;
                    three.vector.count = 3;
                    three.vector.off = 2;
                    fuse_buf* bufs = three.vector.buf;
                    bufs[0] = memory("..ab");
                    bufs[1] = file_at(fd, 3, 1);
                    bufs[2] = memory("yz");
                    fuse_reply_data(req, &three.vector, FUSE_BUF_NO_SPLICE);
                }),
                0, text("ab123yz"));
    ::close(fd);
}
END_TEST

START_TEST(data_from_a_bad_descriptor_is_an_error)
{
    check_reply(reply_of([](fuse_req_t req) {
                    fuse_bufvec vector = FUSE_BUFVEC_INIT(0);
                    vector.buf[0] = file_at(-1, 10, 0);
                    fuse_reply_data(req, &vector, FUSE_BUF_NO_SPLICE);
                }),
                -EBADF);
}
END_TEST

START_TEST(no_data_is_an_empty_answer)
{
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_buf(req, nullptr, 0); }), 0);
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_iov(req, nullptr, 0); }), 0);
    check_reply(reply_of([](fuse_req_t req) {
                    fuse_bufvec vector = FUSE_BUFVEC_INIT(0);
                    fuse_reply_data(req, &vector, FUSE_BUF_NO_SPLICE);
                }),
                0);
}
END_TEST

START_TEST(an_answer_in_many_pieces_is_one_message)
{
    check_reply(reply_of([](fuse_req_t req) {
                    static char letters[] = "abcdefghijklmnopqrstuvwxyz";
                    std::array<iovec, 26> pieces;
                    for (std::size_t i = 0; i < pieces.size(); ++i)
                        pieces[i] = {letters + i, 1};
                    fuse_reply_iov(req, pieces.data(), static_cast<int>(pieces.size()));
                }),
                0, text("abcdefghijklmnopqrstuvwxyz"));
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_iov(req, nullptr, -1); }), -EINVAL);
}
END_TEST

START_TEST(an_answer_in_more_pieces_than_writev_takes_arrives)
{
    constexpr std::size_t kPieces = 3000;
    check_reply(reply_of([](fuse_req_t req) {
                    static char letter = 'x';
                    std::vector<iovec> pieces(kPieces, iovec{&letter, 1});
                    fuse_reply_iov(req, pieces.data(), static_cast<int>(pieces.size()));
                }),
                0, Bytes(kPieces, std::byte{'x'}));
}
END_TEST

START_TEST(an_ioctl_is_answered_in_pieces)
{
    check_reply(reply_of([](fuse_req_t req) {
                    iovec pieces[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cde"), 3}};
                    fuse_reply_ioctl_iov(req, 6, pieces, 2);
                }),
                0, bytes_of(kern::fuse_ioctl_out{6, 0, 0, 0}) + text("abcde"));
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_ioctl(req, -1, nullptr, 0); }), 0,
                bytes_of(kern::fuse_ioctl_out{-1, 0, 0, 0}));
    check_reply(reply_of([](fuse_req_t req) { fuse_reply_ioctl_iov(req, 0, nullptr, -1); }), -EINVAL);
}
END_TEST

START_TEST(an_ioctl_may_ask_for_more_of_the_caller)
{
    const Answer retry = [](fuse_req_t req) {
        const iovec in[2] = {{reinterpret_cast<void*>(0x1000), 8}, {reinterpret_cast<void*>(0x2000), 16}};
        const iovec out{reinterpret_cast<void*>(0x3000), 32};
        fuse_reply_ioctl_retry(req, in, 2, &out, 1);
    };
    // Three pairs of 64-bit numbers on this machine, in the wire's structure or (before 7.16) in the C
    // library's.
    const Bytes expected = bytes_of(kern::fuse_ioctl_out{0, kern::kIoctlRetry, 2, 1}) +
                           bytes_of(kern::fuse_ioctl_iovec{0x1000, 8}) +
                           bytes_of(kern::fuse_ioctl_iovec{0x2000, 16}) +
                           bytes_of(kern::fuse_ioctl_iovec{0x3000, 32});
    check_reply(reply_of(retry), 0, expected);
    check_reply(reply_of(retry, {.minor = 15}), 0, expected);
    check_reply(reply_of([](fuse_req_t req) {
                    static iovec many[257];
                    fuse_reply_ioctl_retry(req, many, 256, many, 1);
                }),
                -E2BIG);
}
END_TEST

START_TEST(directory_records_are_packed)
{
    kern::fuse_dirent record{.ino = 11, .off = 5, .namelen = 3, .type = 8};
    check_reply(reply_of([](fuse_req_t req) {
                    char buf[64] = {};
                    const struct stat attr = sample_attr();
                    const std::size_t bytes = fuse_add_direntry(req, buf, sizeof(buf), "abc", &attr, 5);
                    // The second does not fit any more; its size is told all the same.
                    const std::size_t wanted = fuse_add_direntry(req, buf + bytes, 8, "abc", &attr, 6);
                    fuse_reply_buf(req, buf, wanted == bytes ? bytes : 0);
                }),
                0, bytes_of(record) + text("abc\0\0\0\0\0"sv));
    const kern::fuse_direntplus plus{.entry_out = sample_wire_entry(), .dirent = record};
    check_reply(reply_of([](fuse_req_t req) {
                    char buf[256] = {};
                    const fuse_entry_param entry = sample_entry();
                    const std::size_t bytes = fuse_add_direntry_plus(req, buf, sizeof(buf), "abc", &entry, 5);
                    const std::size_t told = fuse_add_direntry_plus(req, nullptr, 0, "abc", nullptr, 0);
                    fuse_reply_buf(req, buf, told == bytes ? bytes : 0);
                }),
                0, bytes_of(plus) + text("abc\0\0\0\0\0"sv));
}
END_TEST

START_TEST(security_labels_come_with_a_creating_request)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    kernel.connect();
    check_calls(fs, "init\n");
    const Bytes first = bytes_of(kern::fuse_secctx{3, 0}) + text("security.a\0one\0\0"sv);
    const Bytes second = bytes_of(kern::fuse_secctx{3, 0}) + text("b\0two\0\0\0"sv);
    const auto bytes =
        static_cast<std::uint32_t>(sizeof(kern::fuse_secctx_header) + first.size() + second.size());
    fs.set_answer([](fuse_req_t req) {
        const char* name = nullptr;
        const void* value = nullptr;
        std::uint32_t size = 0;
        for (int round = 0; round < 2; ++round) {
            RecordingFs::of(req).note(call("labels", fuse_req_secctx_count(req)));
            while (fuse_req_secctx_next(req, &name, &value, &size) == 1)
                RecordingFs::of(req).note(
                    call("label", name, std::string(static_cast<const char*>(value), size)));
            fuse_req_secctx_reset(req);
        }
        fuse_reply_err(req, 0);
    });
    const Bytes body = bytes_of(kern::fuse_mkdir_in{1, 2}) + text("d\0"sv);
    kernel.ask(kern::OP_MKDIR, body,
               {.extensions = bytes_of(kern::fuse_secctx_header{bytes, 2}) + first + second});
    const std::string round = "labels 2\nlabel security.a one\nlabel b two\n";
    check_calls(fs, "mkdir 7 d 1 umask 2\n" + round + round);
    // The next request has none of it.
    kernel.ask(kern::OP_MKDIR, body);
    check_calls(fs, "mkdir 7 d 1 umask 2\nlabels 0\nlabels 0\n");
    // Labels that contradict themselves are none, and the request goes on.
    kernel.ask(kern::OP_MKDIR, body, {.extensions = bytes_of(kern::fuse_secctx_header{9999, 1})});
    check_calls(fs, "mkdir 7 d 1 umask 2\nlabels 0\nlabels 0\n");
}
END_TEST

START_TEST(there_is_no_payload_to_build_in_over_a_descriptor)
{
    static int result;
    reply_of([](fuse_req_t req) {
        char* payload = nullptr;
        std::size_t bytes = 0;
        result = fuse_req_get_payload(req, &payload, &bytes, nullptr);
        fuse_reply_err(req, 0);
    });
    ck_assert_int_eq(result, -EINVAL);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        a_second_answer_is_refused_and_sends_nothing,
        illegal_errors_become_erange,
        an_answer_to_a_dead_connection_returns_the_error,
        data_comes_from_memory,
        data_comes_from_a_descriptor_and_ends_with_it,
        data_is_gathered_from_several_buffers,
        data_from_a_bad_descriptor_is_an_error,
        no_data_is_an_empty_answer,
        an_answer_in_many_pieces_is_one_message,
        an_answer_in_more_pieces_than_writev_takes_arrives,
        an_ioctl_is_answered_in_pieces,
        an_ioctl_may_ask_for_more_of_the_caller,
        directory_records_are_packed,
        security_labels_come_with_a_creating_request,
        there_is_no_payload_to_build_in_over_a_descriptor,
    };
    return run_tests("fake_replies", tests);
}
