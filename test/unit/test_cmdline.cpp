// The generic command line, help and version texts.
#include "cli/cmdline.hpp"

#include "check/runner.hpp"
#include "cli/help.hpp"
#include "cli/opt.hpp"
#include "log_capture.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <unistd.h>

using namespace rf::cli;

namespace {

struct Parsed {
    OwnedArgs args;
    fuse_cmdline_opts opts = {};
    int rc = 0;

    explicit Parsed(std::initializer_list<const char*> words)
    {
        for (const char* word : words)
            ck_assert_int_eq(add_arg(args.get(), word), 0);
        log_capture::start();
        rc = parse_cmdline(args.get(), opts);
    }
    ~Parsed() { std::free(opts.mountpoint); }

    bool has(const char* word)
    {
        for (int i = 1; i < args.get().argc; i++) {
            if (std::strcmp(args.get().argv[i], word) == 0)
                return true;
        }
        return false;
    }
};

// What `print` writes to descriptor 1.
template <class Print>
const char* captured(Print print)
{
    static std::array<char, 8192> text;
    FILE* file = tmpfile();
    ck_assert_ptr_nonnull(file);
    std::fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
    print();
    std::fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    const ssize_t n = pread(fileno(file), text.data(), text.size() - 1, 0);
    ck_assert_int_ge(n, 0);
    text[static_cast<std::size_t>(n)] = '\0';
    std::fclose(file);
    return text.data();
}

START_TEST(defaults_are_those_of_libfuse)
{
    Parsed p({"/usr/bin/hello"});
    ck_assert_int_eq(p.rc, 0);
    ck_assert_int_eq(p.opts.foreground, 0);
    ck_assert_int_eq(p.opts.singlethread, 0);
    ck_assert_int_eq(p.opts.clone_fd, 0);
    ck_assert_uint_eq(p.opts.max_idle_threads, ~0u);
    ck_assert_uint_eq(p.opts.max_threads, 10);
    ck_assert_ptr_null(p.opts.mountpoint);
    ck_assert(p.has("-osubtype=hello"));
}
END_TEST

START_TEST(own_options_are_taken_and_others_passed_on)
{
    Parsed p({"hello", "-f", "-s", "-o", "clone_fd,max_idle_threads=5,max_threads=7,ro", "-V", "--help",
              "--mine"});
    ck_assert_int_eq(p.rc, 0);
    ck_assert_int_eq(p.opts.foreground, 1);
    ck_assert_int_eq(p.opts.singlethread, 1);
    ck_assert_int_eq(p.opts.clone_fd, 1);
    ck_assert_uint_eq(p.opts.max_idle_threads, 5);
    ck_assert_uint_eq(p.opts.max_threads, 7);
    ck_assert_int_eq(p.opts.show_version, 1);
    ck_assert_int_eq(p.opts.show_help, 1);
    ck_assert(p.has("ro") && p.has("--mine"));
    ck_assert(!p.has("-f") && !p.has("-s") && !p.has("-V") && !p.has("--help"));
}
END_TEST

START_TEST(debug_means_foreground_and_stays_for_the_session)
{
    Parsed dash({"hello", "-d"});
    ck_assert_int_eq(dash.opts.debug, 1);
    ck_assert_int_eq(dash.opts.foreground, 1);
    ck_assert(dash.has("-d"));
    Parsed word({"hello", "-odebug"});
    ck_assert_int_eq(word.opts.debug, 1);
    ck_assert_int_eq(word.opts.foreground, 1);
    ck_assert(word.has("debug"));
}
END_TEST

START_TEST(named_filesystem_gets_no_default_subtype)
{
    Parsed fsname({"hello", "-ofsname=disk"});
    ck_assert_int_eq(fsname.opts.nodefault_subtype, 1);
    ck_assert(fsname.has("fsname=disk"));
    ck_assert_int_eq(fsname.args.get().argc, 3);
    Parsed subtype({"hello", "-osubtype=kind"});
    ck_assert_int_eq(subtype.opts.nodefault_subtype, 1);
    ck_assert(subtype.has("subtype=kind"));
}
END_TEST

START_TEST(comma_in_the_program_name_makes_no_option)
{
    Parsed p({"/bin/a,allow_other"});
    ck_assert(p.has("-osubtype=a\\,allow_other"));
}
END_TEST

START_TEST(mountpoint_becomes_absolute)
{
    ck_assert_int_eq(chdir("/usr"), 0);
    Parsed p({"hello", "bin/.."});
    ck_assert_int_eq(p.rc, 0);
    ck_assert_str_eq(p.opts.mountpoint, "/usr");
}
END_TEST

START_TEST(descriptor_mountpoint_is_taken_verbatim)
{
    Parsed p({"hello", "/dev/fd/77"}); // not open, so it could not be resolved
    ck_assert_int_eq(p.rc, 0);
    ck_assert_str_eq(p.opts.mountpoint, "/dev/fd/77");
    ck_assert(is_fd_mountpoint("/dev/fd/0"));
    ck_assert(!is_fd_mountpoint("/dev/fd/"));
    ck_assert(!is_fd_mountpoint("/dev/fd/3x"));
    ck_assert(!is_fd_mountpoint("/dev/fd/-3"));
    ck_assert(!is_fd_mountpoint("/dev/fd/99999999999"));
    ck_assert(!is_fd_mountpoint("/mnt"));
}
END_TEST

START_TEST(bad_mountpoint_is_named_with_its_errno)
{
    Parsed p({"hello", "/no/such/place"});
    ck_assert_int_lt(p.rc, 0);
    ck_assert_ptr_null(p.opts.mountpoint);
    ck_assert(log_capture::contains("/no/such/place"));
    ck_assert(log_capture::contains("ENOENT"));
}
END_TEST

START_TEST(second_mountpoint_is_an_error_and_frees_the_first)
{
    Parsed p({"hello", "/", "/usr"});
    ck_assert_int_lt(p.rc, 0);
    ck_assert_ptr_null(p.opts.mountpoint);
    ck_assert(log_capture::contains("/usr"));
}
END_TEST

START_TEST(old_version_writes_only_its_40_bytes)
{
    for (const char* mountpoint : {"/", "/no/such/place"}) {
        OwnedArgs args;
        ck_assert_int_eq(add_arg(args.get(), "hello"), 0);
        ck_assert_int_eq(add_arg(args.get(), mountpoint), 0);
        union {
            fuse_cmdline_opts opts;
            unsigned char bytes[sizeof(fuse_cmdline_opts) + 8];
        } target;
        std::memset(&target, 0xaa, sizeof(target));
        log_capture::start();
        const int rc = fuse_parse_cmdline_30(&args.get(), &target.opts);
        ck_assert_int_eq(rc, std::strcmp(mountpoint, "/") == 0 ? 0 : -1);
        ck_assert_uint_eq(target.opts.max_idle_threads, ~0u);
        for (std::size_t i = 40; i < sizeof(target); i++)
            ck_assert_uint_eq(target.bytes[i], 0xaa);
        std::free(target.opts.mountpoint);
    }
}
END_TEST

START_TEST(new_version_writes_max_threads)
{
    OwnedArgs args;
    ck_assert_int_eq(add_arg(args.get(), "hello"), 0);
    ck_assert_int_eq(add_arg(args.get(), "-omax_threads=3"), 0);
    fuse_cmdline_opts opts;
    std::memset(&opts, 0xaa, sizeof(opts));
    ck_assert_int_eq(fuse_parse_cmdline_312(&args.get(), &opts), 0);
    ck_assert_uint_eq(opts.max_threads, 3);
}
END_TEST

START_TEST(empty_vector_is_no_crash)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    fuse_cmdline_opts opts;
    ck_assert_int_eq(parse_cmdline(args, opts), 0);
    ck_assert_int_eq(args.argc, 0);
}
END_TEST

START_TEST(help_names_every_option_on_stdout)
{
    const char* text = captured(fuse_cmdline_help);
    for (const char* option : {"-h", "--help", "-V", "--version", "-d", "-o debug", "-f", "-s", "-o clone_fd",
                               "-o max_idle_threads", "-o max_threads", "default: 10", "default: -1"})
        ck_assert_msg(std::strstr(text, option), "%s is missing", option);
    text = captured(fuse_lowlevel_help);
    for (const char* option : {"-o allow_other", "-o allow_root", "-o auto_unmount", "-o transport=",
                               "-o io_uring ", "-o io_uring_q_depth=", "fuse_uring", "dev_uring"})
        ck_assert_msg(std::strstr(text, option), "%s is missing", option);
}
END_TEST

START_TEST(version_is_the_emulated_one_with_our_name_behind)
{
    ck_assert_int_eq(fuse_version(), 319);
    ck_assert_ptr_nonnull(std::strstr(fuse_pkgversion(), "3.19.0 (ringfuse "));
    const char* text = captured(fuse_lowlevel_version);
    ck_assert_ptr_eq(std::strstr(text, "using FUSE kernel interface version 7."), text);
}
END_TEST

START_TEST(missing_fusermount_does_not_disturb_the_version)
{
    ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
    const char* text = captured([] { print_lowlevel_version(7, 45); });
    ck_assert_str_eq(text, "using FUSE kernel interface version 7.45\n");
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        defaults_are_those_of_libfuse,
        own_options_are_taken_and_others_passed_on,
        debug_means_foreground_and_stays_for_the_session,
        named_filesystem_gets_no_default_subtype,
        comma_in_the_program_name_makes_no_option,
        mountpoint_becomes_absolute,
        descriptor_mountpoint_is_taken_verbatim,
        bad_mountpoint_is_named_with_its_errno,
        second_mountpoint_is_an_error_and_frees_the_first,
        old_version_writes_only_its_40_bytes,
        new_version_writes_max_threads,
        empty_vector_is_no_crash,
        help_names_every_option_on_stdout,
        version_is_the_emulated_one_with_our_name_behind,
        missing_fusermount_does_not_disturb_the_version,
    };
    return rf::test::run_tests("cmdline", tests);
}
