// Modules: filesystems that lie on top of another one (-o modules=NAME). Two are built in, others are loaded
// from libfusemod_NAME.so.
#pragma once

#include <fuse.h>

namespace rf::hl {

class Module;

/// Puts a filesystem of each module of "a:b" on `top`, the first one lowest. The modules take their options
/// out of `args`. 0; -ENOENT: no such module; -EINVAL: its factory refused. A message was logged then, and
/// `top` is what was built so far, still the caller's.
[[nodiscard]] int push_modules(fuse_fs*& top, const char* list, fuse_args& args);

/// Lets the built-in modules, and those of `list` (may be null), print their options on standard output.
void print_module_help(const char* list);

/// Drops a reference. The last one unloads the code.
void release_module(Module* module) noexcept;

} // namespace rf::hl
