// Whether, and with which library, a program can be run over ringfuse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rf::command {

struct Target {
    std::string path;    // what is run: found through PATH, links not followed
    std::string program; // what the kernel will load: the interpreter if `path` is a script
    std::string soname;  // of the libfuse3 it needs, or what was asked for; empty: refused
    std::string refusal; // why not; empty: it can be run
};

/// Looks at `command` and does not run any of it; only the dynamic linker, to see the libraries behind the
/// direct ones. `library`: "" to find out, else the soname to use for a program that loads libfuse3 by itself
/// later.
[[nodiscard]] Target examine(const std::string& command, std::string_view library);

/// The generation of libfuse3 that a program with these libraries needs: its soname, or "".
[[nodiscard]] std::string soname_among(const std::vector<std::string>& libraries);

/// The words of a "#!" line that tell what runs the script: interpreter and its one argument. Empty: no
/// script.
[[nodiscard]] std::vector<std::string> script_words(std::string_view first_bytes);

/// Sonames in the dynamic linker's list of a program's libraries.
[[nodiscard]] std::vector<std::string> parse_loader_list(std::string_view text);

/// `name` as a shell would find it; "" if there is none.
[[nodiscard]] std::string find_in_path(std::string_view name, std::string_view path);

} // namespace rf::command
