// The command line of a high-level filesystem: what fuse_new() takes out of it.
#pragma once

#include <cstdlib>
#include <fuse.h>
#include <memory>

namespace rf::hl {

struct FreeChars {
    void operator()(char* text) const noexcept { std::free(text); }
};
using UniqueChars = std::unique_ptr<char, FreeChars>;

struct Config {
    fuse_config options{}; // our own layout; what init may change
    UniqueChars modules; // "a:b" or null. options.modules points to it too, but an application may wipe that
};

/// Fills `config` with the defaults and the options found, which are taken out of `args` (debug stays for the
/// session). 0, or -EINVAL after a message.
[[nodiscard]] int parse_config(fuse_args& args, Config& config);

/// Takes -h and --help out of `args` and says whether there was one. 0, or -EINVAL after a message.
[[nodiscard]] int parse_help(fuse_args& args, bool& wanted);

/// Prints all options on standard output. Takes the options of this layer out of `args`, which may be null,
/// to find modules to ask for theirs.
void print_help(fuse_args* args);

} // namespace rf::hl
