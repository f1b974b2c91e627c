// Character devices: the socket pair plays /dev/cuse.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "recording_fs.hpp"

#include <cuse_lowlevel.h>
#include <string>
#include <unistd.h>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

constexpr Sender kDevice{.nodeid = 0}; // what the kernel sends for a device
const char* const kProperties[] = {"DEVNAME=probe0", "EXTRA=1"};
constexpr auto kPropertyBytes = "DEVNAME=probe0\0EXTRA=1\0"sv;

void dev_init(void* userdata, fuse_conn_info* conn)
{
    static_cast<RecordingFs*>(userdata)->init(conn);
}

void dev_init_done(void* userdata)
{
    static_cast<RecordingFs*>(userdata)->note("init_done");
}

void dev_destroy(void* userdata)
{
    static_cast<RecordingFs*>(userdata)->note("destroy");
}

template <class... Words>
void record(fuse_req_t req, const char* name, Words... words)
{
    RecordingFs::of(req).note(call(name, words...));
    RecordingFs::of(req).answer(req);
}

void dev_open(fuse_req_t req, fuse_file_info* fi)
{
    record(req, "open", static_cast<const fuse_file_info*>(fi));
}

void dev_read(fuse_req_t req, size_t size, off_t off, fuse_file_info* fi)
{
    record(req, "read", size, off, static_cast<const fuse_file_info*>(fi));
}

void dev_write(fuse_req_t req, const char* data, size_t size, off_t off, fuse_file_info* fi)
{
    record(req, "write", std::string(data, size), off, static_cast<const fuse_file_info*>(fi));
}

void dev_flush(fuse_req_t req, fuse_file_info* fi)
{
    record(req, "flush", static_cast<const fuse_file_info*>(fi));
}

void dev_release(fuse_req_t req, fuse_file_info* fi)
{
    record(req, "release", static_cast<const fuse_file_info*>(fi));
}

void dev_fsync(fuse_req_t req, int datasync, fuse_file_info* fi)
{
    record(req, "fsync", datasync, static_cast<const fuse_file_info*>(fi));
}

void dev_ioctl(fuse_req_t req, unsigned cmd, void* arg, fuse_file_info* fi, unsigned flags, const void* in,
               size_t in_bytes, size_t out_bytes)
{
    record(req, "ioctl", cmd, reinterpret_cast<std::uintptr_t>(arg), static_cast<const fuse_file_info*>(fi),
           flags, std::string(static_cast<const char*>(in), in_bytes), out_bytes);
}

fuse_pollhandle* g_handle = nullptr; // what poll got last; taken by the thread of the test

void dev_poll(fuse_req_t req, fuse_file_info* fi, fuse_pollhandle* handle)
{
    g_handle = handle;
    record(req, "poll", static_cast<const fuse_file_info*>(fi));
}

constexpr cuse_lowlevel_ops kDeviceOps{
    .init = dev_init,
    .init_done = dev_init_done,
    .destroy = dev_destroy,
    .open = dev_open,
    .read = dev_read,
    .write = dev_write,
    .flush = dev_flush,
    .release = dev_release,
    .fsync = dev_fsync,
    .ioctl = dev_ioctl,
    .poll = dev_poll,
};

cuse_info probe_info()
{
    cuse_info info{};
    info.dev_major = 240;
    info.dev_minor = 3;
    info.dev_info_argc = 2;
    info.dev_info_argv = const_cast<const char**>(kProperties);
    info.flags = CUSE_UNRESTRICTED_IOCTL;
    return info;
}

fuse_session* new_device(RecordingFs& fs, const cuse_info& info, const cuse_lowlevel_ops& ops = kDeviceOps,
                         std::size_t op_size = sizeof(cuse_lowlevel_ops), const char* option = nullptr)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "fake"), 0);
    if (option)
        ck_assert_int_eq(fuse_opt_add_arg(&args, option), 0);
    libfuse_version version{3, 19, 0, 0};
    fuse_session* session = cuse_lowlevel_new_319(&args, &info, &ops, op_size, &version, &fs);
    fuse_opt_free_args(&args);
    return session;
}

Bytes hello(std::uint32_t major = kern::kMajor, std::uint32_t minor = kern::kMinor)
{
    return bytes_of(kern::cuse_init_in{.major = major, .minor = minor, .unused = 0, .flags = 1});
}

/// Starts the loop and makes the device; what the kernel was told.
kern::cuse_init_out connect(FakeKernel& kernel, Loop loop = Loop::kSingle)
{
    kernel.start(loop);
    const Reply reply = kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice);
    ck_assert_int_eq(reply.header.error, 0);
    return front<kern::cuse_init_out>(reply.body);
}

constexpr kern::fuse_read_in kRead{77, 10, 20, 0, 0, 0, 0};
constexpr kern::fuse_write_in kWrite{77, 11, 4, 0, 0, 0, 0};
constexpr kern::fuse_flush_in kFlush{77, 0, 0, 0};
constexpr kern::fuse_fsync_in kFsync{77, 1, 0};
constexpr kern::fuse_release_in kRelease{77, 2, 0, 0};
constexpr kern::fuse_ioctl_in kIoctl{.fh = 1, .flags = 2, .cmd = 3, .arg = 4, .in_size = 4, .out_size = 5};

} // namespace

START_TEST(the_kernel_is_told_of_the_device)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    kernel.start();
    const Reply reply = kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice);
    kern::cuse_init_out out{};
    out.major = 7;
    out.minor = kern::kMinor;
    out.flags = kern::kCuseUnrestrictedIoctl;
    out.max_read = out.max_write = 131072;
    out.dev_major = 240;
    out.dev_minor = 3;
    check_reply(reply, 0, bytes_of(out) + text(kPropertyBytes));
    // init_done() follows the answer; the next request is handled after it.
    check_reply(kernel.ask(kern::OP_FLUSH, bytes_of(kern::fuse_flush_in{}), kDevice), 0);
    check_calls(fs, "init\ninit_done\nflush fh 0 flags 0 owner 0 flush\n");
}
END_TEST

START_TEST(init_may_lower_the_sizes_but_not_raise_them)
{
    RecordingFs fs;
    fs.set_init([](fuse_conn_info* conn) {
        ck_assert_uint_eq(conn->proto_major, 7);
        ck_assert_uint_eq(conn->proto_minor, kern::kMinor);
        conn->max_read = 4096;
        conn->max_write = 1u << 20;
    });
    FakeKernel kernel(new_device(fs, probe_info()));
    const kern::cuse_init_out out = connect(kernel);
    ck_assert_uint_eq(out.max_read, 4096);
    ck_assert_uint_eq(out.max_write, 131072);
}
END_TEST

START_TEST(operations_get_what_the_kernel_sent_without_an_inode)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    connect(kernel);
    const auto run = [&](std::uint32_t opcode, const Bytes& body, Answer answer, const Bytes& reply) {
        fs.set_answer(answer);
        check_reply(kernel.ask(opcode, body, kDevice), 0, reply);
    };
    run(
        kern::OP_OPEN, bytes_of(kern::fuse_open_in{.flags = 2, .open_flags = 0}),
        [](fuse_req_t req) {
            fuse_file_info fi{};
            fi.fh = 77;
            fuse_reply_open(req, &fi);
        },
        bytes_of(kern::fuse_open_out{77, 0, 0}));
    run(
        kern::OP_READ, bytes_of(kRead), [](fuse_req_t req) { fuse_reply_buf(req, "bytes", 5); },
        text("bytes"));
    run(
        kern::OP_WRITE, bytes_of(kWrite) + text("data"), [](fuse_req_t req) { fuse_reply_write(req, 4); },
        bytes_of(kern::fuse_write_out{4, 0}));
    run(kern::OP_FLUSH, bytes_of(kFlush), answer_ok, {});
    run(kern::OP_FSYNC, bytes_of(kFsync), answer_ok, {});
    run(
        kern::OP_IOCTL, bytes_of(kIoctl) + text("data"),
        [](fuse_req_t req) { fuse_reply_ioctl(req, -93, "out", 3); },
        bytes_of(kern::fuse_ioctl_out{-93, 0, 0, 0}) + text("out"));
    run(
        kern::OP_POLL, bytes_of(kern::fuse_poll_in{.fh = 77, .kh = 2, .flags = 0, .events = 3}),
        [](fuse_req_t req) { fuse_reply_poll(req, 94); }, bytes_of(kern::fuse_poll_out{94, 0}));
    run(kern::OP_RELEASE, bytes_of(kRelease), answer_ok, {});
    check_calls(fs, "init\ninit_done\n"
                    "open fh 0 flags 2 owner 0\n"
                    "read 20 10 fh 77 flags 0 owner 0\n"
                    "write data 11 fh 77 flags 0 owner 0\n"
                    "flush fh 77 flags 0 owner 0 flush\n"
                    "fsync 1 fh 77 flags 0 owner 0\n"
                    "ioctl 3 4 fh 1 flags 0 owner 0 2 data 5\n"
                    "poll fh 77 flags 0 owner 0 events 3\n"
                    "release fh 77 flags 2 owner 0\n");
}
END_TEST

START_TEST(missing_operations_answer_as_a_filesystem_without_them)
{
    RecordingFs fs;
    const cuse_lowlevel_ops none{};
    FakeKernel kernel(new_device(fs, probe_info(), none));
    connect(kernel);
    check_reply(kernel.ask(kern::OP_OPEN, bytes_of(kern::fuse_open_in{}), kDevice), 0,
                bytes_of(kern::fuse_open_out{}));
    check_reply(kernel.ask(kern::OP_RELEASE, bytes_of(kern::fuse_release_in{}), kDevice), 0);
    for (const auto& [opcode, body] : {std::pair{kern::OP_READ, bytes_of(kern::fuse_read_in{})},
                                       std::pair{kern::OP_WRITE, bytes_of(kern::fuse_write_in{})},
                                       std::pair{kern::OP_FLUSH, bytes_of(kern::fuse_flush_in{})},
                                       std::pair{kern::OP_FSYNC, bytes_of(kern::fuse_fsync_in{})},
                                       std::pair{kern::OP_POLL, bytes_of(kern::fuse_poll_in{})},
                                       std::pair{kern::OP_IOCTL, bytes_of(kern::fuse_ioctl_in{})}})
        check_reply(kernel.ask(opcode, body, kDevice), -ENOSYS);
    check_calls(fs, "");
}
END_TEST

START_TEST(a_table_of_an_older_caller_ends_where_it_says)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info(), kDeviceOps, offsetof(cuse_lowlevel_ops, poll)));
    connect(kernel);
    check_reply(kernel.ask(kern::OP_POLL, bytes_of(kern::fuse_poll_in{}), kDevice), -ENOSYS);
    fs.set_answer([](fuse_req_t req) { fuse_reply_ioctl(req, 5, nullptr, 0); });
    check_reply(kernel.ask(kern::OP_IOCTL, bytes_of(kern::fuse_ioctl_in{}), kDevice), 0,
                bytes_of(kern::fuse_ioctl_out{5, 0, 0, 0}));
}
END_TEST

START_TEST(an_unrestricted_ioctl_may_ask_for_memory)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    connect(kernel);
    fs.set_answer([](fuse_req_t req) {
        const iovec in{reinterpret_cast<void*>(0x1000), 8};
        const iovec out{reinterpret_cast<void*>(0x2000), 16};
        fuse_reply_ioctl_retry(req, &in, 1, &out, 1);
    });
    check_reply(kernel.ask(kern::OP_IOCTL, bytes_of(kIoctl) + text("data"), kDevice), 0,
                bytes_of(kern::fuse_ioctl_out{0, kern::kIoctlRetry, 1, 1}) +
                    bytes_of(kern::fuse_ioctl_iovec{0x1000, 8}) +
                    bytes_of(kern::fuse_ioctl_iovec{0x2000, 16}));
}
END_TEST

START_TEST(pollers_are_told)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    connect(kernel);
    fs.set_answer([](fuse_req_t req) { fuse_reply_poll(req, 0); });
    check_reply(kernel.ask(kern::OP_POLL,
                           bytes_of(kern::fuse_poll_in{
                               .fh = 1, .kh = 4321, .flags = kern::POLL_SCHEDULE_NOTIFY, .events = 1}),
                           kDevice),
                0, bytes_of(kern::fuse_poll_out{0, 0}));
    ck_assert_ptr_nonnull(g_handle);
    ck_assert_int_eq(fuse_lowlevel_notify_poll(g_handle), 0);
    fuse_pollhandle_destroy(g_handle);
    check_notification(kernel.receive(), kern::NOTIFY_POLL, bytes_of(std::uint64_t{4321}));
}
END_TEST

START_TEST(nothing_is_served_before_the_device_was_made_and_it_is_made_once)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    kernel.start();
    check_reply(kernel.ask(kern::OP_OPEN, bytes_of(kern::fuse_open_in{}), kDevice), -EIO);
    check_reply(kernel.ask(kern::OP_INIT, Bytes(sizeof(kern::fuse_init_in)), kDevice), -EIO);
    check_calls(fs, "");
    ck_assert_int_eq(kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice).header.error, 0);
    check_reply(kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice), -EIO);
    check_reply(kernel.ask(kern::OP_INIT, Bytes(sizeof(kern::fuse_init_in)), kDevice), -EIO);
    check_calls(fs, "init\ninit_done\n");
}
END_TEST

START_TEST(old_kernels_get_an_error_and_the_loop_ends)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    kernel.start();
    check_reply(kernel.ask(kern::OP_CUSE_INIT, hello(6, 9), kDevice), -EPROTO);
    ck_assert_int_eq(kernel.loop_result(), -EPROTO);
    check_calls(fs, "");
}
END_TEST

START_TEST(a_short_init_is_answered_eio)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    kernel.start();
    Bytes part = hello();
    part.pop_back();
    check_reply(kernel.ask(kern::OP_CUSE_INIT, part, kDevice), -EIO);
    check_calls(fs, "");
}
END_TEST

START_TEST(a_device_the_kernel_ended_is_an_error)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    connect(kernel);
    kernel.hang_up();
    ck_assert_int_eq(kernel.loop_result(), -ENODEV);
    check_logged("name=probe0 major=240 minor=3");
    kernel.destroy_session();
    check_calls(fs, "init\ninit_done\ndestroy\n");
}
END_TEST

START_TEST(a_loop_that_was_asked_to_end_is_none)
{
    RecordingFs fs;
    FakeKernel kernel(new_device(fs, probe_info()));
    connect(kernel, Loop::kThreads);
    fuse_session_exit(kernel.session());
    ck_assert_int_eq(kernel.loop_result(), 0);
}
END_TEST

START_TEST(the_descriptor_is_never_cloned)
{
    RecordingFs fs;
    Setup setup;
    setup.clone_fd = true;
    setup.io.clone_fd = [](int) -> int {
        ck_abort_msg("another open of /dev/cuse is another device");
        return -1;
    };
    FakeKernel kernel(new_device(fs, probe_info()), setup);
    connect(kernel, Loop::kThreads);
    check_reply(kernel.ask(kern::OP_FLUSH, bytes_of(kern::fuse_flush_in{}), kDevice), 0);
}
END_TEST

START_TEST(properties_have_room_up_to_the_kernels_limit)
{
    RecordingFs fs;
    const std::string longest = "DEVNAME=" + std::string(4096 - 9, 'x');
    const std::string longer = longest + "x";
    const char* word = longest.c_str();
    cuse_info info{};
    info.dev_info_argc = 1;
    info.dev_info_argv = &word;
    {
        FakeKernel kernel(new_device(fs, info));
        kernel.start();
        const Reply reply = kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice);
        ck_assert_uint_eq(reply.body.size(), sizeof(kern::cuse_init_out) + 4096);
    }
    word = longer.c_str();
    ck_assert_ptr_null(new_device(fs, info));
    check_logged("bytes=4097 most=4096 (E2BIG)");
}
END_TEST

START_TEST(incomplete_devices_are_refused)
{
    RecordingFs fs;
    cuse_info info = probe_info();
    info.dev_info_argv = nullptr;
    ck_assert_ptr_null(new_device(fs, info));
    check_logged("dev_info_argv is missing (EINVAL)");
    const char* words[] = {"DEVNAME=a", nullptr};
    info.dev_info_argv = words;
    ck_assert_ptr_null(new_device(fs, info));
    check_logged("dev_info_argv[1] is missing (EINVAL)");
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_ptr_null(cuse_lowlevel_new(&args, nullptr, &kDeviceOps, &fs));
    ck_assert_ptr_null(cuse_lowlevel_new(&args, &info, nullptr, &fs));
    check_logged("device and operations are needed");
    ck_assert_ptr_null(new_device(fs, probe_info(), kDeviceOps, sizeof(kDeviceOps), "-obogus"));
    check_logged("unknown option");
    fuse_opt_free_args(&args);
}
END_TEST

START_TEST(the_form_of_older_headers_makes_the_same_device)
{
    RecordingFs fs;
    const cuse_info info = probe_info();
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "fake"), 0);
    FakeKernel kernel(cuse_lowlevel_new(&args, &info, &kDeviceOps, &fs));
    fuse_opt_free_args(&args);
    kernel.start();
    const Reply reply = kernel.ask(kern::OP_CUSE_INIT, hello(), kDevice);
    ck_assert_int_eq(reply.header.error, 0);
    ck_assert_uint_eq(reply.body.size(), sizeof(kern::cuse_init_out) + kPropertyBytes.size());
    fs.set_answer([](fuse_req_t req) { fuse_reply_poll(req, 1); });
    check_reply(kernel.ask(kern::OP_POLL, bytes_of(kern::fuse_poll_in{}), kDevice), 0,
                bytes_of(kern::fuse_poll_out{1, 0}));
}
END_TEST

// Where /dev/cuse can be opened, test/vm shows the rest.
START_TEST(set_up_says_what_is_wrong_with_the_command_line_or_the_device)
{
    RecordingFs fs;
    const cuse_info info = probe_info();
    char program[] = "fake", single[] = "-s", foreground[] = "-f", bogus[] = "-obogus";
    char ring[] = "-otransport=fuse_uring";
    int threads = 7;
    char* wrong[] = {program, bogus, nullptr};
    ck_assert_ptr_null(cuse_lowlevel_setup(2, wrong, &info, &kDeviceOps, &threads, &fs));
    ck_assert_int_eq(threads, 1);
    check_logged("unknown option");
    char* over_ring[] = {program, foreground, single, ring, nullptr};
    ck_assert_ptr_null(cuse_lowlevel_setup(4, over_ring, &info, &kDeviceOps, &threads, &fs));
    ck_assert_int_eq(threads, 0);
    check_logged("transport=fuse_uring cannot run");
    if (::access("/dev/cuse", R_OK | W_OK) == 0)
        return;
    char* plain[] = {program, foreground, nullptr};
    ck_assert_int_eq(cuse_lowlevel_main(2, plain, &info, &kDeviceOps, &fs), 1);
    check_logged("cannot open /dev/cuse (");
    check_calls(fs, "");
    cuse_lowlevel_teardown(nullptr);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        the_kernel_is_told_of_the_device,
        init_may_lower_the_sizes_but_not_raise_them,
        operations_get_what_the_kernel_sent_without_an_inode,
        missing_operations_answer_as_a_filesystem_without_them,
        a_table_of_an_older_caller_ends_where_it_says,
        an_unrestricted_ioctl_may_ask_for_memory,
        pollers_are_told,
        nothing_is_served_before_the_device_was_made_and_it_is_made_once,
        old_kernels_get_an_error_and_the_loop_ends,
        a_short_init_is_answered_eio,
        a_device_the_kernel_ended_is_an_error,
        a_loop_that_was_asked_to_end_is_none,
        the_descriptor_is_never_cloned,
        properties_have_room_up_to_the_kernels_limit,
        incomplete_devices_are_refused,
        the_form_of_older_headers_makes_the_same_device,
        set_up_says_what_is_wrong_with_the_command_line_or_the_device,
    };
    return run_tests("cuse", tests);
}
