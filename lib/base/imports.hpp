// What the objects loaded into this process ask the dynamic linker for.
#pragma once

#include <span>
#include <string_view>

namespace rf {

/// Does a loaded object other than this library and the C and C++ runtimes import one of `names`? A name that
/// ends in '*' stands for every symbol that begins so. `found`, if given, becomes the name that was met; it
/// is valid as long as its object stays loaded.
///
/// Sees what the link says: not a system call made by hand, nor what an object loaded later imports. Takes
/// the dynamic linker's lock: not from a thread others wait for.
[[nodiscard]] bool process_imports(std::span<const std::string_view> names,
                                   std::string_view* found = nullptr);

/// Can other code of this process start threads or programs? Conservatively: does it import anything that
/// might, dlopen() included. fork() does not count, pthread_atfork() sees to that.
[[nodiscard]] bool process_may_spawn(std::string_view* found = nullptr);

} // namespace rf
