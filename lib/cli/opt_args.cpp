// Argument vectors and option lists: the memory side of the option parser. Every function either does all of
// its work or leaves its argument exactly as it was.
#include "cli/opt.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace rf::cli {
namespace {

// Room for `count` arguments and the terminating nullptr.
char** grow_vector(char** vector, std::size_t count) noexcept
{
    return static_cast<char**>(std::realloc(vector, (count + 1) * sizeof(char*)));
}

void free_vector(char** vector, std::size_t count) noexcept
{
    for (std::size_t i = 0; i < count; i++)
        std::free(vector[i]);
    std::free(vector);
}

// A malloc'ed vector with the arguments of `args` and room for one more: its own, grown, or a copy if it
// borrows main()'s argv. nullptr: `args` is as it was.
char** vector_with_room(const fuse_args& args) noexcept
{
    const auto count = static_cast<std::size_t>(args.argc);
    if (args.allocated || !args.argv)
        return grow_vector(args.argv, count + 1);
    char** copy = grow_vector(nullptr, count + 1);
    for (std::size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(args.argv[i]);
        if (!copy[i]) {
            free_vector(copy, i);
            return nullptr;
        }
    }
    return copy;
}

} // namespace

OwnedArgs::~OwnedArgs()
{
    free_args(args_);
}

fuse_args OwnedArgs::release() noexcept
{
    return std::exchange(args_, fuse_args{0, nullptr, 0});
}

int insert_arg(fuse_args& args, int position, const char* arg) noexcept
{
    if (position < 0 || position > args.argc)
        return -EINVAL;
    CString copy(strdup(arg));
    if (!copy)
        return -ENOMEM;
    char** vector = vector_with_room(args);
    if (!vector)
        return -ENOMEM;
    const auto count = static_cast<std::size_t>(args.argc);
    const auto at = static_cast<std::size_t>(position);
    std::memmove(vector + at + 1, vector + at, (count - at) * sizeof(char*));
    vector[at] = copy.release();
    vector[count + 1] = nullptr;
    args.argv = vector;
    args.argc++;
    args.allocated = 1;
    return 0;
}

int add_arg(fuse_args& args, const char* arg) noexcept
{
    return insert_arg(args, args.argc, arg);
}

void free_args(fuse_args& args) noexcept
{
    if (args.argv && args.allocated)
        free_vector(args.argv, args.argc > 0 ? static_cast<std::size_t>(args.argc) : 0);
    args = fuse_args{0, nullptr, 0};
}

int add_opt(char** list, const char* opt, Escape escape) noexcept
{
    const std::size_t used = *list ? std::strlen(*list) : 0;
    // Worst case: a comma, every character escaped, the terminator.
    char* grown = static_cast<char*>(std::realloc(*list, used + 1 + 2 * std::strlen(opt) + 1));
    if (!grown)
        return -ENOMEM;
    *list = grown;
    char* out = grown + used;
    if (used > 0)
        *out++ = ',';
    for (; *opt; opt++) {
        if (escape == Escape::kYes && (*opt == ',' || *opt == '\\'))
            *out++ = '\\';
        *out++ = *opt;
    }
    *out = '\0';
    return 0;
}

} // namespace rf::cli
