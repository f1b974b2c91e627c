// Where messages go. What syslog() sends is seen through LOG_PERROR, which copies it to stderr.
#include "base/log.hpp"
#include "check/runner.hpp"
#include "cli/log_target.hpp"

#include <cstdio>
#include <cstring>
#include <syslog.h>
#include <unistd.h>

namespace {

char g_received[1024];
int g_level = -1;

void receive(enum fuse_log_level level, const char* format, va_list args)
{
    g_level = level;
    vsnprintf(g_received, sizeof(g_received), format, args);
}

// What `act` writes to stderr.
template <class Act>
const char* stderr_of(Act act)
{
    static char text[4096];
    FILE* file = tmpfile();
    ck_assert_ptr_nonnull(file);
    std::fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    act();
    std::fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    const ssize_t n = pread(fileno(file), text, sizeof(text) - 1, 0);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    std::fclose(file);
    return text;
}

START_TEST(application_message_is_passed_on_verbatim)
{
    ck_assert_str_eq(stderr_of([] { fuse_log(FUSE_LOG_INFO, "%s=%d", "no newline", 5); }), "no newline=5");
}
END_TEST

START_TEST(own_message_ends_in_a_newline)
{
    ck_assert_str_eq(stderr_of([] { rf::log::error("it failed: n=%d", 3); }), "it failed: n=3\n");
}
END_TEST

START_TEST(application_function_gets_level_and_text_of_both_kinds)
{
    fuse_set_log_func(receive);
    ck_assert_str_eq(stderr_of([] { fuse_log(FUSE_LOG_NOTICE, "a%d\n", 1); }), "");
    ck_assert_int_eq(g_level, FUSE_LOG_NOTICE);
    ck_assert_str_eq(g_received, "a1\n");
    rf::log::warning("b");
    ck_assert_int_eq(g_level, FUSE_LOG_WARNING);
    ck_assert_str_eq(g_received, "b\n");
}
END_TEST

START_TEST(null_function_brings_stderr_back)
{
    fuse_set_log_func(receive);
    ck_assert(rf::log::has_sink());
    fuse_set_log_func(nullptr);
    ck_assert(!rf::log::has_sink());
    ck_assert_str_eq(stderr_of([] { fuse_log(FUSE_LOG_ERR, "back\n"); }), "back\n");
    ck_assert_str_eq(g_received, "");
}
END_TEST

// LOG_PERROR makes syslog() copy what it sends to stderr, with the ident in front.
START_TEST(syslog_gets_the_messages_under_the_given_name)
{
    const char* text = stderr_of([] {
        char ident[] = "mydaemon";
        fuse_log_enable_syslog(ident, LOG_PERROR, LOG_DAEMON);
        std::memset(ident, 'x', sizeof(ident) - 1); // the caller's string need not stay
        fuse_log(FUSE_LOG_ERR, "to syslog\n");
    });
    ck_assert_ptr_nonnull(std::strstr(text, "mydaemon: to syslog"));
    fuse_log_close_syslog();
    ck_assert_str_eq(stderr_of([] { fuse_log(FUSE_LOG_ERR, "plain\n"); }), "plain\n");
}
END_TEST

START_TEST(application_function_beats_syslog_and_gives_way_to_it)
{
    const char* text = stderr_of([] {
        fuse_set_log_func(receive);
        fuse_log_enable_syslog("daemon", LOG_PERROR, LOG_DAEMON);
        fuse_log(FUSE_LOG_ERR, "mine\n");
        ck_assert_str_eq(g_received, "mine\n");
        fuse_set_log_func(nullptr);
        fuse_log(FUSE_LOG_ERR, "syslogs\n");
    });
    ck_assert_ptr_null(std::strstr(text, "mine"));
    ck_assert_ptr_nonnull(std::strstr(text, "daemon: syslogs"));
    fuse_log_close_syslog();
}
END_TEST

START_TEST(closing_syslog_that_was_never_open_is_harmless)
{
    fuse_set_log_func(receive);
    fuse_log_close_syslog();
    fuse_log(FUSE_LOG_ERR, "still mine");
    ck_assert_str_eq(g_received, "still mine");
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        application_message_is_passed_on_verbatim,
        own_message_ends_in_a_newline,
        application_function_gets_level_and_text_of_both_kinds,
        null_function_brings_stderr_back,
        syslog_gets_the_messages_under_the_given_name,
        application_function_beats_syslog_and_gives_way_to_it,
        closing_syslog_that_was_never_open_is_harmless,
    };
    return rf::test::run_tests("log", tests);
}
