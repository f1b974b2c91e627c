// The words a session takes out of its arguments, and the environment's say.
#include "session/options.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cstdlib>
#include <string>

using namespace rf;

namespace {

constexpr const char* kVariables[] = {
    "FUSE_URING_ENABLE", "FUSE_URING_QUEUE_DEPTH", "RINGFUSE_DISABLE",        "RINGFUSE_TRANSPORT",
    "RINGFUSE_PIN",      "RINGFUSE_NONBLOCKING",   "RINGFUSE_PAYLOAD_MEMORY", "RINGFUSE_WORKERS"};

void clear_environment()
{
    for (const char* name : kVariables)
        ck_assert_int_eq(::unsetenv(name), 0);
    log_capture::start();
}

void set(const char* name, const char* value)
{
    ck_assert_int_eq(::setenv(name, value, 1), 0);
}

struct Parsed {
    int rc = 0;
    SessionOptions options;
    std::string rest; // what was left of the arguments
};

Parsed parse(std::initializer_list<const char*> words)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "program"), 0);
    for (const char* word : words)
        ck_assert_int_eq(fuse_opt_add_arg(&args, word), 0);
    Parsed parsed;
    parsed.rc = parse_session_options(&args, parsed.options);
    for (int i = 1; i < args.argc; ++i)
        parsed.rest += (i > 1 ? " " : "") + std::string(args.argv[i]);
    fuse_opt_free_args(&args);
    return parsed;
}

} // namespace

START_TEST(without_words_everything_is_at_its_default)
{
    const Parsed parsed = parse({});
    ck_assert_int_eq(parsed.rc, 0);
    ck_assert(!parsed.options.debug && !parsed.options.allow_root && !parsed.options.io_uring);
    ck_assert_uint_eq(parsed.options.ring.depth, 8);
    ck_assert(parsed.options.transport == Choice::kAuto);
}
END_TEST

START_TEST(debug_has_three_spellings)
{
    ck_assert(parse({"-d"}).options.debug);
    ck_assert(parse({"--debug"}).options.debug);
    ck_assert(parse({"-o", "debug"}).options.debug);
}
END_TEST

START_TEST(our_words_are_taken_and_others_left)
{
    const Parsed parsed =
        parse({"-o", "allow_root,ro,io_uring,io_uring_q_depth=32,transport=dev,fsname=x", "--strange"});
    ck_assert_int_eq(parsed.rc, 0);
    ck_assert(parsed.options.allow_root);
    ck_assert(parsed.options.io_uring);
    ck_assert_uint_eq(parsed.options.ring.depth, 32);
    ck_assert(parsed.options.transport == Choice::kDevice);
    ck_assert_str_eq(parsed.rest.c_str(), "-o ro,fsname=x --strange");
}
END_TEST

START_TEST(depths_out_of_range_are_refused)
{
    for (const char* word :
         {"-oio_uring_q_depth=0", "-oio_uring_q_depth=65536", "-oio_uring_q_depth=4294967295"}) {
        log_capture::start();
        ck_assert_msg(parse({word}).rc == -EINVAL, "%s", word);
        ck_assert(log_capture::contains("io_uring_q_depth"));
    }
    ck_assert_int_eq(parse({"-oio_uring_q_depth=65535"}).rc, 0);
    ck_assert_int_eq(parse({"-oio_uring_q_depth=many"}).rc, -EINVAL);
}
END_TEST

START_TEST(unknown_transports_are_refused)
{
    ck_assert_int_eq(parse({"-otransport=pigeon"}).rc, -EINVAL);
    ck_assert(log_capture::contains("transport=pigeon"));
}
END_TEST

START_TEST(what_the_ring_is_to_be_like_can_be_said)
{
    using rf::ring_policy::Pin;
    ck_assert(parse({}).options.ring.pin == Pin::kAuto);
    ck_assert(!parse({}).options.ring.nonblocking);
    ck_assert_uint_eq(parse({}).options.ring.memory_bytes, 0);
    ck_assert_uint_eq(parse({}).options.ring.workers, 0);
    const Parsed parsed = parse({"-opin=wait,nonblocking_handlers,payload_memory=64M,workers=3"});
    ck_assert_int_eq(parsed.rc, 0);
    ck_assert(parsed.options.ring.pin == Pin::kWait);
    ck_assert(parsed.options.ring.nonblocking);
    ck_assert_uint_eq(parsed.options.ring.memory_bytes, 64u << 20);
    ck_assert_uint_eq(parsed.options.ring.workers, 3);
    ck_assert_uint_eq(parse({"-opayload_memory=4096"}).options.ring.memory_bytes, 4096);
    ck_assert_uint_eq(parse({"-opayload_memory=3k"}).options.ring.memory_bytes, 3072);
    ck_assert(parse({"-opin=none"}).options.ring.pin == Pin::kNone);
}
END_TEST

START_TEST(wrong_words_about_the_ring_are_refused)
{
    for (const char* word : {"-opin=left", "-opin=", "-opayload_memory=0", "-opayload_memory=12Q",
                             "-opayload_memory=-1", "-opayload_memory=99999999999G", "-opayload_memory=M"}) {
        log_capture::start();
        ck_assert_msg(parse({word}).rc == -EINVAL, "%s", word);
        ck_assert_msg(log_capture::contains("-o p"), "%s", word);
    }
    for (const char* word : {"-oworkers=0", "-oworkers=", "-oworkers=two", "-oworkers=-1", "-oworkers=2x",
                             "-oworkers=9999999", "-oworkers=99999999999999"}) {
        log_capture::start();
        ck_assert_msg(parse({word}).rc == -EINVAL, "%s", word);
        ck_assert_msg(log_capture::contains("number of workers refused: -o workers="), "%s", word);
    }
}
END_TEST

START_TEST(the_environment_beats_the_words_about_the_ring)
{
    using rf::ring_policy::Pin;
    set("RINGFUSE_PIN", "always");
    set("RINGFUSE_PAYLOAD_MEMORY", "1G");
    set("RINGFUSE_NONBLOCKING", "1");
    set("RINGFUSE_WORKERS", "5");
    const Parsed parsed = parse({"-opin=none,payload_memory=1M,workers=2"});
    ck_assert_uint_eq(parsed.options.ring.workers, 5);
    ck_assert(parsed.options.ring.pin == Pin::kAlways);
    ck_assert_uint_eq(parsed.options.ring.memory_bytes, 1u << 30);
    ck_assert(parsed.options.ring.nonblocking);
    set("RINGFUSE_NONBLOCKING", "0");
    ck_assert(!parse({"-ononblocking_handlers"}).options.ring.nonblocking);
    set("RINGFUSE_PIN", "left");
    ck_assert_int_eq(parse({}).rc, -EINVAL);
}
END_TEST

START_TEST(dev_uring_can_be_asked_for)
{
    const Parsed parsed = parse({"-otransport=dev_uring"});
    ck_assert_int_eq(parsed.rc, 0);
    ck_assert(parsed.options.transport == Choice::kDeviceUring);
}
END_TEST

START_TEST(the_environment_decides_over_the_transport)
{
    set("RINGFUSE_TRANSPORT", "fuse_uring");
    ck_assert(parse({"-otransport=dev"}).options.transport == Choice::kFuseUring);
    set("RINGFUSE_DISABLE", "1");
    ck_assert(parse({"-otransport=fuse_uring"}).options.transport == Choice::kDevice);
    clear_environment();
    set("RINGFUSE_TRANSPORT", "pigeon");
    ck_assert_int_eq(parse({}).rc, -EINVAL);
}
END_TEST

START_TEST(the_environment_switches_the_ring_on)
{
    set("FUSE_URING_ENABLE", "1");
    ck_assert(parse({}).options.io_uring);
    for (const char* value : {"0", ""}) {
        set("FUSE_URING_ENABLE", value);
        ck_assert(!parse({}).options.io_uring);
    }
}
END_TEST

START_TEST(a_depth_in_the_arguments_beats_the_environment)
{
    set("FUSE_URING_QUEUE_DEPTH", "16");
    ck_assert_uint_eq(parse({}).options.ring.depth, 16);
    ck_assert_uint_eq(parse({"-oio_uring_q_depth=4"}).options.ring.depth, 4);
}
END_TEST

START_TEST(wrong_depths_in_the_environment_are_refused)
{
    for (const char* value : {"0", "65536", "-1", "8x", "x", "", " 8", "99999999999"}) {
        log_capture::start();
        set("FUSE_URING_QUEUE_DEPTH", value);
        ck_assert_msg(parse({}).rc == -EINVAL, "%s", value);
        ck_assert(log_capture::contains("FUSE_URING_QUEUE_DEPTH"));
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        without_words_everything_is_at_its_default,
        debug_has_three_spellings,
        our_words_are_taken_and_others_left,
        depths_out_of_range_are_refused,
        unknown_transports_are_refused,
        dev_uring_can_be_asked_for,
        what_the_ring_is_to_be_like_can_be_said,
        wrong_words_about_the_ring_are_refused,
        the_environment_beats_the_words_about_the_ring,
        the_environment_decides_over_the_transport,
        the_environment_switches_the_ring_on,
        a_depth_in_the_arguments_beats_the_environment,
        wrong_depths_in_the_environment_are_refused,
    };
    return rf::test::run_tests("session_options", tests, {.before = clear_environment});
}
