// The option parser behind fuse_opt_*: argument vectors, "-o a,b,c" lists, and the table-driven parser.
//
// Stands in front of everything: command line, mount, session and applications parse through it. All memory
// it hands out comes from malloc, because C callers give it back with free() and fuse_opt_free_args().
// Threads: none of it is shared; one vector belongs to one thread at a time.
#pragma once

#include <cstdlib>
#include <fuse_opt.h>
#include <memory>

namespace rf::cli {

struct FreeDeleter {
    void operator()(void* memory) const noexcept { std::free(memory); }
};

/// A malloc'ed C string with an owner.
using CString = std::unique_ptr<char, FreeDeleter>;

/// An argument vector with an owner: for vectors built here and handed over, or dropped on an error path.
class OwnedArgs {
public:
    OwnedArgs() = default;
    OwnedArgs(const OwnedArgs&) = delete;
    OwnedArgs& operator=(const OwnedArgs&) = delete;
    ~OwnedArgs();

    [[nodiscard]] fuse_args& get() noexcept { return args_; }
    /// Gives the vector away; this one is empty afterwards.
    [[nodiscard]] fuse_args release() noexcept;

private:
    fuse_args args_ = {0, nullptr, 0};
};

/// Appends a copy of `arg`. 0, or -ENOMEM with the vector as it was. A vector that still points at main()'s
/// argv (allocated == 0) is copied first, so the original is never written to.
[[nodiscard]] int add_arg(fuse_args& args, const char* arg) noexcept;

/// Inserts a copy of `arg` so that it becomes args.argv[position]. 0, -EINVAL (position outside 0..argc),
/// -ENOMEM; on an error the vector is as it was.
[[nodiscard]] int insert_arg(fuse_args& args, int position, const char* arg) noexcept;

/// Empties the vector and frees it if it was allocated by these functions.
void free_args(fuse_args& args) noexcept;

enum class Escape : bool { kNo, kYes };

/// Appends `opt` to the comma-separated, malloc'ed list `*list` (may start as nullptr); Escape::kYes puts a
/// backslash before every ',' and '\'. 0, or -ENOMEM with the list as it was.
[[nodiscard]] int add_opt(char** list, const char* opt, Escape escape) noexcept;

/// True if `opt` matches an entry of the table.
[[nodiscard]] bool match_opt(const fuse_opt* table, const char* opt) noexcept;

/// Parses `args` by `table` (nullptr: no entries) and replaces it by what was kept. `process` (nullptr: keep)
/// sees whatever the table does not decide. 0, or negative errno after logging why; then `args` is as it was,
/// though `data` may have been written to. Not noexcept: `process` is the application's.
[[nodiscard]] int parse_opts(fuse_args& args, void* data, const fuse_opt* table, fuse_opt_proc_t process);

} // namespace rf::cli
