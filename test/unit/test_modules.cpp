// Modules by name: built in, loaded, unknown; stacked in order; asked for their help.
#include "log_capture.hpp"
#include "module_probe.hpp"

#include <cerrno>
#include <dlfcn.h>
#include <unistd.h>

using namespace rf::hl;
using module_probe::Stack;

namespace {

/// What `work` writes to standard output.
template <class Work>
std::string output_of(Work&& work)
{
    FILE* file = std::tmpfile();
    ck_assert_ptr_nonnull(file);
    std::fflush(stdout);
    const int kept = ::dup(STDOUT_FILENO);
    ck_assert_int_eq(::dup2(::fileno(file), STDOUT_FILENO), STDOUT_FILENO);
    work();
    std::fflush(stdout);
    ck_assert_int_eq(::dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    ::close(kept);
    std::rewind(file);
    std::string text(8192, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
}

bool contains(const std::string& text, const char* part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

START_TEST(the_first_of_a_list_lies_lowest)
{
    // subdir lies on the filesystem and sees names in Latin 1; iconv above shows UTF-8.
    Stack stack("subdir:iconv", "subdir=/a,from_code=ISO-8859-1,to_code=UTF-8");
    ck_assert_int_eq(stack.rc(), 0);
    ck_assert_int_eq(stack.arguments_left(), 0);
    module_probe::expect_everywhere(*stack, "/\xc3\xa4", "/a/\xe4");
    ck_assert_ptr_nonnull((*stack).below->below);
    ck_assert_ptr_null((*stack).below->below->below);
}
END_TEST

START_TEST(no_list_and_an_empty_list_change_nothing)
{
    Stack none(nullptr, "");
    ck_assert_int_eq(none.rc(), 0);
    ck_assert_ptr_null((*none).below);
    Stack empty(":", "");
    ck_assert_int_eq(empty.rc(), 0);
    ck_assert_ptr_null((*empty).below);
}
END_TEST

START_TEST(a_module_is_loaded_by_name)
{
    Stack stack("probe", "");
    ck_assert_int_eq(stack.rc(), 0);
    ck_assert_int_eq(fs_unlink(*stack, "/x"), 101);
    ck_assert_str_eq(module_probe::g_log.c_str(), "unlink /x");
    ck_assert_int_eq(fs_rmdir(*stack, "/x"), -ENOSYS);
}
END_TEST

START_TEST(loaded_code_stays_while_it_is_used_and_goes_then)
{
    Stack stack("probe", "");
    void* library = ::dlopen("libfusemod_probe.so", RTLD_NOW | RTLD_NOLOAD);
    ck_assert_ptr_nonnull(library);
    const int* ends = static_cast<const int*>(::dlsym(library, "fusemod_probe_ends"));
    ck_assert_int_eq(*ends, 0);
    fs_destroy(stack.release());
    ck_assert_int_eq(*ends, 1);
    ck_assert_int_eq(module_probe::g_destroyed, 1);
    ::dlclose(library);
    ck_assert_ptr_null(::dlopen("libfusemod_probe.so", RTLD_NOW | RTLD_NOLOAD));
}
END_TEST

START_TEST(unknown_modules_are_refused)
{
    for (const char* name : {"no_such_module", "../probe", "subdir/", "x"}) {
        log_capture::start();
        Stack stack(name, "");
        ck_assert_int_eq(stack.rc(), -ENOENT);
        ck_assert_msg(log_capture::contains(name), "%s", name);
        ck_assert_int_eq(fs_unlink(*stack, "/x"), 1);
    }
    const std::string longest(300, 'm');
    Stack stack(longest.c_str(), "");
    ck_assert_int_eq(stack.rc(), -ENOENT);
}
END_TEST

START_TEST(what_was_built_before_a_refusal_is_still_whole)
{
    Stack stack("subdir:probe", "subdir=/a,probe_refuse");
    ck_assert_int_eq(stack.rc(), -EINVAL);
    ck_assert_int_eq(fs_unlink(*stack, "/x"), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "unlink /a/x");
    fs_discard(stack.release());
    ck_assert_int_eq(module_probe::g_destroyed, 0);
}
END_TEST

START_TEST(tracing_goes_on_in_modules)
{
    const fuse_operations op = module_probe::operations();
    fuse_fs* top = fs_new(&op, sizeof(op), nullptr);
    top->debug = true;
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "program"), 0);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "-osubdir=/a"), 0);
    ck_assert_int_eq(push_modules(top, "subdir", args), 0);
    ck_assert(top->debug);
    fuse_opt_free_args(&args);
    fs_discard(top);
}
END_TEST

START_TEST(help_lists_the_options_of_the_built_in_modules)
{
    const std::string text = output_of([] { print_module_help(nullptr); });
    for (const char* part : {"subdir=DIR", "rellinks", "from_code=CHARSET", "to_code=CHARSET"})
        ck_assert_msg(contains(text, part), "%s", part);
    const std::string twice = output_of([] { print_module_help("iconv"); });
    ck_assert_uint_eq(text.size(), twice.size());
}
END_TEST

START_TEST(the_whole_help_names_every_option)
{
    const std::string text = output_of([] { fuse_lib_help(nullptr); });
    for (const char* part :
         {"kernel_cache", "[no]auto_cache", "no_rofd_flush", "umask=M", "fmask=M", "dmask=M", "uid=N",
          "gid=N", "entry_timeout=T", "negative_timeout=T", "attr_timeout=T", "ac_attr_timeout=T", "noforget",
          "remember=T", "parallel_direct_write=N", "modules=M1[:M2...]", "allow_other", "subdir=DIR",
          "to_code=CHARSET"})
        ck_assert_msg(contains(text, part), "%s", part);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        the_first_of_a_list_lies_lowest,   no_list_and_an_empty_list_change_nothing,
        a_module_is_loaded_by_name,        loaded_code_stays_while_it_is_used_and_goes_then,
        unknown_modules_are_refused,       what_was_built_before_a_refusal_is_still_whole,
        tracing_goes_on_in_modules,        help_lists_the_options_of_the_built_in_modules,
        the_whole_help_names_every_option,
    };
    return rf::test::run_tests("modules", tests, {.before = log_capture::start});
}
