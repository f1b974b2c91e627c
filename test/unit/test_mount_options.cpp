// Mount option words: what is ours, what stays for others, and the strings that reach the kernel and
// fusermount3.
#include "base/log.hpp"
#include "check/runner.hpp"
#include "mount/mount.hpp"
#include "mount/options.hpp"

#include <fuse_opt.h>

#include <cstdio>
#include <initializer_list>
#include <string>

using rf::mount::Options;

namespace {

// A fuse_args made from words; frees what the parser leaves in it.
class Args {
public:
    Args(std::initializer_list<const char*> words)
    {
        ck_assert_int_eq(fuse_opt_add_arg(&args_, "prog"), 0);
        for (const char* word : words)
            ck_assert_int_eq(fuse_opt_add_arg(&args_, word), 0);
    }
    ~Args() { fuse_opt_free_args(&args_); }
    Args(const Args&) = delete;
    Args& operator=(const Args&) = delete;

    fuse_args* get() { return &args_; }
    std::string rest() const
    {
        std::string text;
        for (int i = 1; i < args_.argc; i++)
            text += (i > 1 ? " " : "") + std::string(args_.argv[i]);
        return text;
    }

private:
    fuse_args args_ = FUSE_ARGS_INIT(0, nullptr);
};

// Check's own macro would keep a pointer into a temporary.
void expect_text(const std::string& have, const char* want)
{
    ck_assert_msg(have == want, "have \"%s\", want \"%s\"", have.c_str(), want);
}

Options parsed(const char* words)
{
    Options options;
    Args args{"-o", words};
    ck_assert_int_eq(rf::mount::parse_options(args.get(), options), 0);
    expect_text(args.rest(), "");
    return options;
}

std::string g_message;

void keep_message(int, const char* format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof(text), format, args);
    g_message = text;
}

void expect_refused(const char* words)
{
    Options options;
    Args args{"-o", words};
    g_message.clear();
    rf::log::set_sink(keep_message);
    const int rc = rf::mount::parse_options(args.get(), options);
    rf::log::set_sink(nullptr);
    ck_assert_int_eq(rc, -EINVAL);
    ck_assert_msg(g_message.find(words) != g_message.npos, "message does not name the word: %s",
                  g_message.c_str());
}

START_TEST(nothing_given_means_nosuid_and_nodev)
{
    Options options;
    Args args{};
    ck_assert_int_eq(rf::mount::parse_options(args.get(), options), 0);
    ck_assert_uint_eq(options.flags, MS_NOSUID | MS_NODEV);
    expect_text(options.kernel_data(), "");
    expect_text(options.type(), "fuse");
    expect_text(options.source("/dev/fuse"), "/dev/fuse");
    expect_text(options.fusermount_list(true, true), "rw,nosuid,nodev");
}
END_TEST

START_TEST(every_flag_word_sets_or_clears_its_bit)
{
    const struct {
        const char* words;
        unsigned long flags;
    } rows[] = {
        {"ro", MS_NOSUID | MS_NODEV | MS_RDONLY},
        {"ro,rw", MS_NOSUID | MS_NODEV},
        {"rw,ro", MS_NOSUID | MS_NODEV | MS_RDONLY},
        {"suid", MS_NODEV},
        {"dev", MS_NOSUID},
        {"suid,dev,nosuid,nodev", MS_NOSUID | MS_NODEV},
        {"suid,dev,noexec", MS_NOEXEC},
        {"suid,dev,noexec,exec", 0},
        {"suid,dev,sync", MS_SYNCHRONOUS},
        {"suid,dev,sync,async", 0},
        {"suid,dev,dirsync", MS_DIRSYNC},
        {"suid,dev,noatime", MS_NOATIME},
        {"suid,dev,noatime,atime", 0},
        {"suid,dev,nodiratime", MS_NODIRATIME},
        {"suid,dev,nostrictatime", 0},
        {"suid,dev,nosymfollow", 256},
        {"suid,dev,nosymfollow,symfollow", 0},
    };
    for (const auto& row : rows)
        ck_assert_msg(parsed(row.words).flags == row.flags, "%s gave %#lx", row.words,
                      parsed(row.words).flags);
    Options options;
    Args args{"-r", "-n"};
    ck_assert_int_eq(rf::mount::parse_options(args.get(), options), 0);
    ck_assert_uint_eq(options.flags, MS_NOSUID | MS_NODEV | MS_RDONLY);
    ck_assert(options.no_mtab);
    expect_text(args.rest(), "");
}
END_TEST

START_TEST(kernel_words_reach_the_data_string)
{
    const Options options = parsed("allow_other,default_permissions,max_read=0x20000,fsname=disk,"
                                   "subtype=kind,rootcontext=u:r:t:s0");
    expect_text(options.kernel_data(),
                "default_permissions,allow_other,max_read=131072,rootcontext=u:r:t:s0");
    expect_text(options.type(), "fuse.kind");
    expect_text(options.type(false), "fuse");
    expect_text(options.source("/dev/fuse"), "disk");
}
END_TEST

START_TEST(source_is_the_subtype_if_no_name_is_given)
{
    expect_text(parsed("subtype=kind").source("/dev/fuse"), "kind");
}
END_TEST

START_TEST(block_device_mounts_have_their_own_type)
{
    const Options options = parsed("blkdev,fsname=/dev/sdz,subtype=ntfs,blksize=4096");
    expect_text(options.type(), "fuseblk.ntfs");
    expect_text(options.kernel_data(), "blksize=4096");
    expect_text(options.fusermount_list(true, true),
                "rw,nosuid,nodev,blksize=4096,blkdev,fsname=/dev/sdz,subtype=ntfs");
}
END_TEST

START_TEST(commas_in_names_are_escaped_for_fusermount_only)
{
    const Options options = parsed("fsname=a\\,b\\\\c,subtype=k");
    expect_text(options.fsname, "a,b\\c");
    expect_text(options.source(""), "a,b\\c");
    expect_text(options.fusermount_list(true, false), "rw,nosuid,nodev,fsname=a\\,b\\\\c,subtype=k");
    expect_text(options.fusermount_list(false, false), "rw,nosuid,nodev,fsname=a\\,b\\\\c");
}
END_TEST

START_TEST(contexts_with_commas_are_quoted_for_the_kernel)
{
    expect_text(parsed("context=u:r:t:s0:c1\\,c2").kernel_data(), "context=\"u:r:t:s0:c1,c2\"");
    expect_text(parsed("fscontext=\"u:c1\\,c2\"").kernel_data(), "fscontext=\"u:c1,c2\"");
}
END_TEST

START_TEST(only_root_asks_fusermount_for_suid_and_dev)
{
    const Options options = parsed("suid,dev,ro,noexec,auto_unmount");
    expect_text(options.fusermount_list(true, true), "ro,noexec,suid,dev,auto_unmount");
    expect_text(options.fusermount_list(true, false), "ro,noexec,auto_unmount");
}
END_TEST

START_TEST(mtab_words_reach_neither_kernel_nor_fusermount)
{
    const Options options = parsed("user=me,x-gvfs-hide,allow_other");
    expect_text(options.kernel_data(), "allow_other");
    expect_text(options.fusermount_list(true, true), "rw,nosuid,nodev,allow_other");
    expect_text(options.mtab_list(), "rw,nosuid,nodev,allow_other,user=me,x-gvfs-hide");
}
END_TEST

START_TEST(foreign_words_stay_for_later_parsers)
{
    Options options;
    Args args{"--long", "-o", "allow_root,ro,lazytime,max_write=3,nonempty,fd=3", "place", "-d"};
    ck_assert_int_eq(rf::mount::parse_options(args.get(), options), 0);
    ck_assert(options.flags & MS_RDONLY);
    for (const char* word :
         {"--long", "allow_root", "lazytime", "max_write=3", "nonempty", "fd=3", "place", "-d"})
        ck_assert_msg(args.rest().find(word) != std::string::npos, "%s was taken: %s", word,
                      args.rest().c_str());
    ck_assert_msg(args.rest().find("ro,") == std::string::npos, "ro was left: %s", args.rest().c_str());
}
END_TEST

START_TEST(bad_numbers_are_refused_by_name)
{
    for (const char* words : {"max_read=", "max_read=x", "max_read=-1", "max_read=12k", "blksize=4294967296",
                              "blksize=99999999999999999999999"})
        expect_refused(words);
    ck_assert_uint_eq(*parsed("max_read=4294967295").max_read, 4294967295u);
}
END_TEST

START_TEST(only_exact_descriptor_paths_adopt_a_descriptor)
{
    ck_assert_int_eq(rf::mount::device_fd_of("/dev/fd/0"), 0);
    ck_assert_int_eq(rf::mount::device_fd_of("/dev/fd/17"), 17);
    for (const char* path : {"/dev/fd/", "/dev/fd/-1", "/dev/fd/3x", "/dev/fd/3/", "dev/fd/3", "/dev/fd/ 3",
                             "/dev/fd/99999999999", "/mnt"})
        ck_assert_msg(rf::mount::device_fd_of(path) == -1, "%s", path);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        nothing_given_means_nosuid_and_nodev,
        every_flag_word_sets_or_clears_its_bit,
        kernel_words_reach_the_data_string,
        source_is_the_subtype_if_no_name_is_given,
        block_device_mounts_have_their_own_type,
        commas_in_names_are_escaped_for_fusermount_only,
        contexts_with_commas_are_quoted_for_the_kernel,
        only_root_asks_fusermount_for_suid_and_dev,
        mtab_words_reach_neither_kernel_nor_fusermount,
        foreign_words_stay_for_later_parsers,
        bad_numbers_are_refused_by_name,
        only_exact_descriptor_paths_adopt_a_descriptor,
    };
    return rf::test::run_tests("mount_options", tests);
}
