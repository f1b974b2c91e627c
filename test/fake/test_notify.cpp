// Messages from the filesystem that answer no request, byte for byte, and the data they bring back.
#include "cases.hpp"
#include "check/runner.hpp"

#include <array>
#include <sys/mman.h>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

struct Session {
    RecordingFs fs;
    FakeKernel kernel{recording_ops(), {.userdata = &fs}};

    explicit Session(std::uint32_t minor = 45)
    {
        kernel.connect(Loop::kSingle, {.minor = minor});
        check_calls(fs, "init\n");
    }
    [[nodiscard]] fuse_session* get() const { return kernel.session(); }
};

/// One call of each notification with harmless arguments.
std::vector<int> call_all(fuse_session* session)
{
    fuse_ino_t nodes[2] = {3, 4};
    char data[] = "data";
    fuse_bufvec vector = FUSE_BUFVEC_INIT(4);
    vector.buf[0].mem = data;
    return {fuse_lowlevel_notify_inval_inode(session, 3, 0, 0),
            fuse_lowlevel_notify_inval_entry(session, 3, "a", 1),
            fuse_lowlevel_notify_expire_entry(session, 3, "a", 1),
            fuse_lowlevel_notify_delete(session, 3, 4, "a", 1),
            fuse_lowlevel_notify_store(session, 3, 0, &vector, FUSE_BUF_NO_SPLICE),
            fuse_lowlevel_notify_retrieve(session, 3, 10, 0, nullptr),
            fuse_lowlevel_notify_increment_epoch(session),
            fuse_lowlevel_notify_prune(session, nodes, 2)};
}

// The minors that taught the kernel each of call_all().
constexpr std::array<std::uint32_t, 8> kSince = {12, 12, 38, 18, 15, 15, 44, 45};

fuse_pollhandle* g_handle = nullptr;

/// Asks for data of inode 3; the number the kernel is told to answer with.
std::uint64_t retrieve(Session& session, std::size_t size, void* cookie)
{
    ck_assert_int_eq(fuse_lowlevel_notify_retrieve(session.get(), 3, size, 4096, cookie), 0);
    const Reply message = session.kernel.receive();
    ck_assert_uint_eq(message.header.unique, 0);
    ck_assert_int_eq(message.header.error, kern::NOTIFY_RETRIEVE);
    ck_assert_uint_eq(message.body.size(), sizeof(kern::fuse_notify_retrieve_out));
    return front<kern::fuse_notify_retrieve_out>(message.body).notify_unique;
}

void send_retrieved(Session& session, std::uint64_t unique, std::string_view data)
{
    kern::fuse_notify_retrieve_in in{};
    in.offset = 4096;
    in.size = static_cast<std::uint32_t>(data.size());
    session.kernel.send_with_unique(unique, kern::OP_NOTIFY_REPLY, bytes_of(in) + text(data), {.nodeid = 3});
}

} // namespace

START_TEST(inval_inode_is_sent)
{
    Session session;
    ck_assert_int_eq(fuse_lowlevel_notify_inval_inode(session.get(), 3, -4, 5), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_INVAL_INODE,
                       bytes_of(kern::fuse_notify_inval_inode_out{3, -4, 5}));
}
END_TEST

START_TEST(inval_and_expire_entry_are_sent)
{
    Session session;
    // The name need not end where its bytes end; the kernel gets a NUL.
    ck_assert_int_eq(fuse_lowlevel_notify_inval_entry(session.get(), 3, "name-and-more", 4), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_INVAL_ENTRY,
                       bytes_of(kern::fuse_notify_inval_entry_out{3, 4, 0}) + text("name\0"sv));
    ck_assert_int_eq(fuse_lowlevel_notify_expire_entry(session.get(), 3, "name", 4), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_INVAL_ENTRY,
                       bytes_of(kern::fuse_notify_inval_entry_out{3, 4, 1}) + text("name\0"sv));
}
END_TEST

START_TEST(delete_is_sent)
{
    Session session;
    ck_assert_int_eq(fuse_lowlevel_notify_delete(session.get(), 3, 4, "name", 4), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_DELETE,
                       bytes_of(kern::fuse_notify_delete_out{3, 4, 4, 0}) + text("name\0"sv));
}
END_TEST

START_TEST(store_is_sent_from_memory_and_descriptors)
{
    Session session;
    const int fd = ::memfd_create("content", MFD_CLOEXEC);
    ck_assert_int_eq(::write(fd, "0123456789", 10), 10);
    struct {
        fuse_bufvec vector{};
        fuse_buf second{};
    } two;
    two.vector.count = 2;
    fuse_buf* bufs = two.vector.buf;
    bufs[0].mem = const_cast<char*>("ab");
    bufs[0].size = 2;
    bufs[1].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    bufs[1].fd = fd;
    bufs[1].pos = 8;
    bufs[1].size = 2;
    ck_assert_int_eq(fuse_lowlevel_notify_store(session.get(), 3, 4096, &two.vector, FUSE_BUF_NO_SPLICE), 0);
    const Bytes head = bytes_of(kern::fuse_notify_store_out{3, 4096, 4, 0});
    check_notification(session.kernel.receive(), kern::NOTIFY_STORE, head + text("ab89"));
    ::close(fd);

    fuse_bufvec plain = FUSE_BUFVEC_INIT(4);
    plain.buf[0].mem = const_cast<char*>("data");
    ck_assert_int_eq(fuse_lowlevel_notify_store(session.get(), 3, 4096, &plain, FUSE_BUF_NO_SPLICE), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_STORE, head + text("data"));
}
END_TEST

START_TEST(epoch_and_prune_are_sent)
{
    Session session;
    ck_assert_int_eq(fuse_lowlevel_notify_increment_epoch(session.get()), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_INC_EPOCH, {});
    fuse_ino_t nodes[2] = {3, 1ull << 50};
    ck_assert_int_eq(fuse_lowlevel_notify_prune(session.get(), nodes, 2), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_PRUNE,
                       bytes_of(kern::fuse_notify_prune_out{2, 0, 0}) + bytes_of(nodes));
}
END_TEST

START_TEST(each_notification_needs_its_minor)
{
    const std::uint32_t minor = static_cast<std::uint32_t>(_i);
    Session session(minor);
    const std::vector<int> results = call_all(session.get());
    ck_assert_uint_eq(results.size(), kSince.size());
    std::size_t sent = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        ck_assert_int_eq(results[i], minor < kSince[i] ? -ENOSYS : 0);
        sent += minor >= kSince[i];
    }
    for (std::size_t i = 0; i < sent; ++i)
        ck_assert_uint_eq(session.kernel.receive().header.unique, 0);
    session.kernel.expect_silence();
}
END_TEST

START_TEST(nothing_is_sent_before_init)
{
    RecordingFs fs;
    FakeKernel kernel(recording_ops(), {.userdata = &fs});
    for (const int result : call_all(kernel.session()))
        ck_assert_int_lt(result, 0);
    ck_assert(kernel.is_silent());
}
END_TEST

START_TEST(a_notification_to_a_dead_connection_returns_the_error)
{
    Session session;
    session.kernel.hang_up();
    ck_assert_int_eq(session.kernel.loop_result(), 0);
    ck_assert_int_eq(fuse_lowlevel_notify_inval_inode(session.get(), 3, 0, 0), -EPIPE);
}
END_TEST

START_TEST(missing_arguments_get_einval)
{
    Session session;
    ck_assert_int_eq(fuse_lowlevel_notify_inval_inode(nullptr, 3, 0, 0), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_inval_entry(session.get(), 3, nullptr, 0), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_expire_entry(session.get(), 3, nullptr, 0), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_delete(session.get(), 3, 4, nullptr, 0), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_store(session.get(), 3, 0, nullptr, FUSE_BUF_NO_SPLICE), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_retrieve(nullptr, 3, 0, 0, nullptr), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_increment_epoch(nullptr), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_prune(session.get(), nullptr, 1), -EINVAL);
    ck_assert_int_eq(fuse_lowlevel_notify_poll(nullptr), 0);
    session.kernel.expect_silence();
}
END_TEST

START_TEST(a_poll_handle_wakes_its_file)
{
    RecordingFs fs;
    fuse_lowlevel_ops ops = recording_ops();
    ops.poll = [](fuse_req_t req, fuse_ino_t, fuse_file_info*, fuse_pollhandle* handle) {
        g_handle = handle;
        fuse_reply_poll(req, 0);
    };
    FakeKernel kernel(ops, {.userdata = &fs});
    kernel.connect();
    kernel.ask(kern::OP_POLL, bytes_of(kern::fuse_poll_in{1, 0x1234567890, kern::POLL_SCHEDULE_NOTIFY, 1}));
    ck_assert_ptr_nonnull(g_handle);
    for (int i = 0; i < 2; ++i) {
        ck_assert_int_eq(fuse_lowlevel_notify_poll(g_handle), 0);
        check_notification(kernel.receive(), kern::NOTIFY_POLL,
                           bytes_of(kern::fuse_notify_poll_wakeup_out{0x1234567890}));
    }
    fuse_pollhandle_destroy(g_handle);
    kernel.ask(kern::OP_POLL, bytes_of(kern::fuse_poll_in{1, 2, 0, 1}));
    ck_assert_ptr_null(g_handle);
}
END_TEST

START_TEST(a_notification_may_come_from_inside_an_operation)
{
    Session session;
    static fuse_session* inside;
    inside = session.get();
    session.fs.set_answer([](fuse_req_t req) {
        fuse_reply_err(req, 0);
        fuse_lowlevel_notify_inval_inode(inside, 1, 2, 3);
    });
    check_reply(session.kernel.ask(kern::OP_READLINK), 0);
    check_notification(session.kernel.receive(), kern::NOTIFY_INVAL_INODE,
                       bytes_of(kern::fuse_notify_inval_inode_out{1, 2, 3}));
}
END_TEST

START_TEST(retrieve_is_sent_and_brings_the_data_with_its_cookie)
{
    Session session;
    const std::uint64_t first = retrieve(session, 100, reinterpret_cast<void*>(11));
    const std::uint64_t second = retrieve(session, 100, reinterpret_cast<void*>(22));
    ck_assert_uint_ne(first, second);
    send_retrieved(session, second, "cached");
    send_retrieved(session, first, "");
    session.kernel.expect_silence();
    check_calls(session.fs, "retrieve_reply 22 3 4096 'cached'\nretrieve_reply 11 3 4096 ''\n");
}
END_TEST

START_TEST(retrieve_asks_for_what_was_wanted_and_no_more_than_fits)
{
    Session session;
    ck_assert_int_eq(fuse_lowlevel_notify_retrieve(session.get(), 3, 100, 4096, nullptr), 0);
    kern::fuse_notify_retrieve_out out = front<kern::fuse_notify_retrieve_out>(session.kernel.receive().body);
    ck_assert_uint_eq(out.nodeid, 3);
    ck_assert_uint_eq(out.offset, 4096);
    ck_assert_uint_eq(out.size, 100);
    ck_assert_int_eq(fuse_lowlevel_notify_retrieve(session.get(), 3, std::size_t{1} << 40, 0, nullptr), 0);
    out = front<kern::fuse_notify_retrieve_out>(session.kernel.receive().body);
    ck_assert_uint_ge(out.size, 65536);
    ck_assert_uint_le(out.size, 1u << 28);
}
END_TEST

START_TEST(retrieved_data_nobody_asked_for_is_dropped)
{
    Session session;
    const std::uint64_t unique = retrieve(session, 100, nullptr);
    send_retrieved(session, unique + 2, "stray");
    send_retrieved(session, 4, "stray");
    send_retrieved(session, unique, "wanted");
    send_retrieved(session, unique, "again");
    session.kernel.expect_silence();
    check_calls(session.fs, "retrieve_reply 0 3 4096 'wanted'\n");
}
END_TEST

START_TEST(a_filesystem_without_retrieve_reply_loses_the_data)
{
    RecordingFs fs;
    fuse_lowlevel_ops ops = recording_ops();
    ops.retrieve_reply = nullptr;
    FakeKernel kernel(ops, {.userdata = &fs});
    kernel.connect();
    ck_assert_int_eq(fuse_lowlevel_notify_retrieve(kernel.session(), 3, 100, 0, nullptr), 0);
    const auto out = front<kern::fuse_notify_retrieve_out>(kernel.receive().body);
    kernel.send_with_unique(out.notify_unique, kern::OP_NOTIFY_REPLY,
                            bytes_of(kern::fuse_notify_retrieve_in{}));
    kernel.expect_silence();
    check_calls(fs, "init\n");
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        inval_inode_is_sent,
        inval_and_expire_entry_are_sent,
        delete_is_sent,
        store_is_sent_from_memory_and_descriptors,
        epoch_and_prune_are_sent,
        {each_notification_needs_its_minor, 10, 47},
        nothing_is_sent_before_init,
        a_notification_to_a_dead_connection_returns_the_error,
        missing_arguments_get_einval,
        a_poll_handle_wakes_its_file,
        a_notification_may_come_from_inside_an_operation,
        retrieve_is_sent_and_brings_the_data_with_its_cookie,
        retrieve_asks_for_what_was_wanted_and_no_more_than_fits,
        retrieved_data_nobody_asked_for_is_dropped,
        a_filesystem_without_retrieve_reply_loses_the_data,
    };
    return run_tests("fake_notify", tests);
}
