// Which transport is asked for, and what is said when it cannot be had.
#include "transport/select.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cstdlib>

using namespace rf;

namespace {

void clear_environment()
{
    ck_assert_int_eq(::unsetenv("RINGFUSE_DISABLE"), 0);
    ck_assert_int_eq(::unsetenv("RINGFUSE_TRANSPORT"), 0);
    log_capture::start();
}

void set(const char* name, const char* value)
{
    ck_assert_int_eq(::setenv(name, value, 1), 0);
}

} // namespace

START_TEST(every_choice_has_a_name_that_is_read_back)
{
    const struct {
        const char* text;
        Choice choice;
    } rows[] = {{"auto", Choice::kAuto},
                {"fuse_uring", Choice::kFuseUring},
                {"dev", Choice::kDevice},
                {"dev_uring", Choice::kDeviceUring}};
    for (const auto& row : rows) {
        Choice out = row.choice == Choice::kAuto ? Choice::kDevice : Choice::kAuto;
        ck_assert(parse_choice(row.text, out));
        ck_assert(out == row.choice);
        ck_assert_str_eq(choice_name(row.choice), row.text);
    }
}
END_TEST

START_TEST(other_words_are_no_choice)
{
    for (const char* text : {"", "AUTO", "auto ", "dev_", "uring", "de"}) {
        Choice out = Choice::kFuseUring;
        ck_assert_msg(!parse_choice(text, out), "%s", text);
        ck_assert(out == Choice::kFuseUring);
    }
}
END_TEST

START_TEST(an_empty_environment_says_nothing)
{
    Choice out = Choice::kFuseUring;
    ck_assert_int_eq(choice_from_environment(out), 0);
    set("RINGFUSE_TRANSPORT", "");
    set("RINGFUSE_DISABLE", "0");
    ck_assert_int_eq(choice_from_environment(out), 0);
    ck_assert(out == Choice::kFuseUring);
    ck_assert(log_capture::is_empty());
}
END_TEST

START_TEST(the_environment_names_a_transport)
{
    Choice out = Choice::kAuto;
    set("RINGFUSE_TRANSPORT", "fuse_uring");
    ck_assert_int_eq(choice_from_environment(out), 1);
    ck_assert(out == Choice::kFuseUring);
}
END_TEST

START_TEST(disable_beats_the_named_transport)
{
    Choice out = Choice::kAuto;
    set("RINGFUSE_TRANSPORT", "fuse_uring");
    set("RINGFUSE_DISABLE", "1");
    ck_assert_int_eq(choice_from_environment(out), 1);
    ck_assert(out == Choice::kDevice);
}
END_TEST

START_TEST(an_unknown_transport_is_an_error_with_a_message)
{
    Choice out = Choice::kFuseUring;
    set("RINGFUSE_TRANSPORT", "carrier-pigeon");
    ck_assert_int_eq(choice_from_environment(out), -EINVAL);
    ck_assert(out == Choice::kFuseUring);
    ck_assert(log_capture::contains("RINGFUSE_TRANSPORT=carrier-pigeon"));
    ck_assert(log_capture::contains("dev_uring"));
}
END_TEST

START_TEST(each_reason_comes_with_a_remedy)
{
    for (const int error : {-EPERM, -EACCES, -ENOSYS, -EMFILE, -ENFILE, -ENOMEM, -EAGAIN, -EINVAL, -ENOENT})
        ck_assert_msg(explain_ring_error(error).find("remedy: ") != std::string::npos, "%d", error);
    ck_assert(explain_ring_error(-EMFILE).find("RLIMIT_NOFILE") != std::string::npos);
    ck_assert(explain_ring_error(-ENOMEM).find("RLIMIT_MEMLOCK") != std::string::npos);
    ck_assert(explain_ring_error(-ENOENT).find("/sys is not mounted") != std::string::npos);
    // Without a remedy we know of: the bare error.
    ck_assert(explain_ring_error(-EXDEV).find("EXDEV") != std::string::npos);
    ck_assert(!explain_ring_error(-EOPNOTSUPP).empty());
}
END_TEST

START_TEST(a_probe_that_fails_says_why)
{
    std::string why;
    const int rc = probe_ring(why);
    ck_assert_int_le(rc, 0);
    ck_assert_int_eq(why.empty(), rc == 0);
}
END_TEST

START_TEST(the_page_limit_is_never_zero)
{
    ck_assert_uint_ge(max_pages_limit(), 1);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_choice_has_a_name_that_is_read_back,
        other_words_are_no_choice,
        an_empty_environment_says_nothing,
        the_environment_names_a_transport,
        disable_beats_the_named_transport,
        an_unknown_transport_is_an_error_with_a_message,
        each_reason_comes_with_a_remedy,
        a_probe_that_fails_says_why,
        the_page_limit_is_never_zero,
    };
    return rf::test::run_tests("select", tests, {.before = clear_environment});
}
