// Every option of the high level ends up in its field, and leaves the list.
#include "highlevel/config.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

using namespace rf::hl;

namespace {

std::string parse(Config& config, std::initializer_list<const char*> words, int wanted_rc = 0)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "program"), 0);
    for (const char* word : words)
        ck_assert_int_eq(fuse_opt_add_arg(&args, word), 0);
    ck_assert_int_eq(parse_config(args, config), wanted_rc);
    std::string rest;
    for (int i = 1; i < args.argc; ++i)
        rest += (i > 1 ? " " : "") + std::string(args.argv[i]);
    fuse_opt_free_args(&args);
    return rest;
}

fuse_config parsed(const char* options)
{
    Config config;
    const std::string rest = parse(config, {"-o", options});
    ck_assert_msg(rest.empty(), "%s left %s", options, rest.c_str());
    return config.options;
}

bool is(double value, double wanted)
{
    return value >= wanted && value <= wanted;
}

} // namespace

START_TEST(without_options_everything_is_at_its_default)
{
    Config config;
    const std::string rest = parse(config, {});
    ck_assert_str_eq(rest.c_str(), "");
    fuse_config wanted{};
    wanted.entry_timeout = 1;
    wanted.attr_timeout = 1;
    wanted.ac_attr_timeout = 1;
    wanted.intr_signal = SIGUSR1;
    ck_assert_mem_eq(&config.options, &wanted, sizeof(wanted));
    ck_assert_ptr_null(config.modules.get());
}
END_TEST

START_TEST(switches_set_their_field)
{
    ck_assert_int_eq(parsed("kernel_cache").kernel_cache, 1);
    ck_assert_int_eq(parsed("auto_cache").auto_cache, 1);
    ck_assert_int_eq(parsed("auto_cache,noauto_cache").auto_cache, 0);
    ck_assert_int_eq(parsed("no_rofd_flush").no_rofd_flush, 1);
    ck_assert_int_eq(parsed("noforget").remember, -1);
    ck_assert_int_eq(parsed("remember=30").remember, 30);
    ck_assert_int_eq(parsed("parallel_direct_write=1").parallel_direct_writes, 1);
}
END_TEST

START_TEST(owners_and_masks_say_that_they_hold)
{
    const fuse_config owner = parsed("uid=1000,gid=65534");
    ck_assert(owner.set_uid == 1 && owner.uid == 1000);
    ck_assert(owner.set_gid == 1 && owner.gid == 65534);
    ck_assert_int_eq(owner.set_mode, 0);

    const fuse_config mask = parsed("umask=027");
    ck_assert(mask.set_mode == 1 && mask.umask == 027 && mask.fmask == 0 && mask.dmask == 0);
    ck_assert(mask.set_uid == 0 && mask.set_gid == 0);
    const fuse_config files = parsed("fmask=0133");
    ck_assert(files.set_mode == 1 && files.fmask == 0133 && files.umask == 0);
    const fuse_config directories = parsed("dmask=22");
    ck_assert(directories.set_mode == 1 && directories.dmask == 022);
}
END_TEST

START_TEST(timeouts_are_seconds_with_fractions)
{
    const fuse_config config =
        parsed("entry_timeout=2.5,negative_timeout=0.25,attr_timeout=7,ac_attr_timeout=0");
    ck_assert(is(config.entry_timeout, 2.5));
    ck_assert(is(config.negative_timeout, 0.25));
    ck_assert(is(config.attr_timeout, 7));
    ck_assert(is(config.ac_attr_timeout, 0));
    ck_assert_int_eq(config.ac_attr_timeout_set, 1);
}
END_TEST

START_TEST(ac_attr_timeout_follows_attr_timeout)
{
    const fuse_config config = parsed("attr_timeout=3.5");
    ck_assert(is(config.ac_attr_timeout, 3.5));
    ck_assert_int_eq(config.ac_attr_timeout_set, 0);
}
END_TEST

START_TEST(debug_stays_for_the_session)
{
    for (const char* word : {"-d", "-odebug"}) {
        Config config;
        const std::string rest = parse(config, {word});
        ck_assert_int_eq(config.options.debug, 1);
        ck_assert_msg(rest == "-d" || rest == "-o debug", "%s left %s", word, rest.c_str());
    }
}
END_TEST

START_TEST(modules_are_kept_apart_from_what_init_may_wipe)
{
    Config config;
    const std::string rest = parse(config, {"-o", "modules=subdir:iconv,subdir=/x"});
    ck_assert_str_eq(rest.c_str(), "-o subdir=/x");
    ck_assert_str_eq(config.modules.get(), "subdir:iconv");
    ck_assert_ptr_eq(config.options.modules, config.modules.get());
}
END_TEST

START_TEST(other_options_are_left)
{
    Config config;
    const std::string rest = parse(
        config, {"-o", "ro,use_ino,kernel_cache,direct_io,hard_remove,intr,nullpath_ok", "--strange", "-h"});
    ck_assert_str_eq(rest.c_str(), "-o ro,use_ino,direct_io,hard_remove,intr,nullpath_ok --strange -h");
}
END_TEST

START_TEST(wrong_values_are_refused)
{
    for (const char* word : {"-ouid=x", "-oumask=9", "-oentry_timeout=soon", "-oremember=-"}) {
        log_capture::start();
        Config config;
        (void)parse(config, {word}, -EINVAL);
        ck_assert_msg(!log_capture::is_empty(), "%s", word);
    }
}
END_TEST

START_TEST(help_is_taken_out)
{
    for (const char* word : {"-h", "--help"}) {
        fuse_args args = FUSE_ARGS_INIT(0, nullptr);
        ck_assert_int_eq(fuse_opt_add_arg(&args, "program"), 0);
        ck_assert_int_eq(fuse_opt_add_arg(&args, word), 0);
        bool wanted = false;
        ck_assert_int_eq(parse_help(args, wanted), 0);
        ck_assert(wanted);
        ck_assert_int_eq(args.argc, 1);
        ck_assert_int_eq(parse_help(args, wanted), 0);
        ck_assert(!wanted);
        fuse_opt_free_args(&args);
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        without_options_everything_is_at_its_default,
        switches_set_their_field,
        owners_and_masks_say_that_they_hold,
        timeouts_are_seconds_with_fractions,
        ac_attr_timeout_follows_attr_timeout,
        debug_stays_for_the_session,
        modules_are_kept_apart_from_what_init_may_wipe,
        other_options_are_left,
        wrong_values_are_refused,
        help_is_taken_out,
    };
    return rf::test::run_tests("config", tests, {.before = log_capture::start});
}
