// What an ELF file says about how it is loaded. The file is not trusted: every offset in it is checked.
#pragma once

#include <string>
#include <vector>

namespace rf::command {

struct ElfFacts {
    bool native = false;             // class, byte order and machine are this command's own
    std::string interpreter;         // the dynamic linker; empty: linked statically
    std::vector<std::string> needed; // DT_NEEDED, in order
    bool from_go = false;            // carries a Go build id
};

/// 0; -ENOEXEC with `why`: no ELF file, or one that contradicts itself. For one of another machine only
/// `native` is filled.
[[nodiscard]] int read_elf(int fd, ElfFacts& out, std::string& why);

} // namespace rf::command
