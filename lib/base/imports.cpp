#include "base/imports.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <elf.h>
#include <link.h>

namespace rf {
namespace {

// They import such things always, on behalf of callers that import something themselves.
constexpr std::array<std::string_view, 10> kRuntimes = {
    "ld-linux", "ld-musl", "libc.so",      "libpthread.so", "libdl.so",
    "librt.so", "libm.so", "libstdc++.so", "libgcc_s.so",   "linux-vdso",
};
constexpr std::array<std::string_view, 4> kSanitizers = {"libasan.so", "libtsan.so", "libubsan.so",
                                                         "liblsan.so"};

constexpr std::array<std::string_view, 22> kSpawners = {
    "pthread_create",
    "thrd_create",
    "_ZNSt6thread15_M_start_thread*",
    "vfork",
    "__vfork",
    "_Fork",
    "clone",
    "__clone2",
    "posix_spawn",
    "posix_spawnp",
    "pidfd_spawn",
    "pidfd_spawnp",
    "system",
    "popen",
    "wordexp",
    // Threads the C library starts for the caller.
    "timer_create",
    "mq_notify",
    "aio_*",
    "lio_listio",
    "getaddrinfo_a",
    // What is loaded later may import anything.
    "dlopen",
    "dlmopen",
};

/// The tables of one object that name its symbols.
struct Symbols {
    const ElfW(Sym) * table = nullptr;
    const char* names = nullptr;
    std::size_t count = 0; // of those that can be undefined
};

bool begins_with_any(std::string_view name, std::span<const std::string_view> beginnings)
{
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [name](std::string_view each) { return name.starts_with(each); });
}

Symbols symbols_of(const ElfW(Dyn) * dynamic, ElfW(Addr) base)
{
    Symbols symbols;
    // ld.so has relocated these pointers in most objects; where it has not (the vdso, some libcs), they are
    // offsets.
    const auto at = [base](ElfW(Addr) value) { return value < base ? value + base : value; };
    const std::uint32_t* gnu_hash = nullptr;
    const std::uint32_t* hash = nullptr;
    for (; dynamic->d_tag != DT_NULL; ++dynamic) {
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            symbols.table = reinterpret_cast<const ElfW(Sym)*>(at(dynamic->d_un.d_ptr));
            break;
        case DT_STRTAB:
            symbols.names = reinterpret_cast<const char*>(at(dynamic->d_un.d_ptr));
            break;
        case DT_GNU_HASH:
            gnu_hash = reinterpret_cast<const std::uint32_t*>(at(dynamic->d_un.d_ptr));
            break;
        case DT_HASH:
            hash = reinterpret_cast<const std::uint32_t*>(at(dynamic->d_un.d_ptr));
            break;
        default:
            break;
        }
    }
    // Undefined symbols are not hashed: they come before the first that is.
    if (gnu_hash)
        symbols.count = gnu_hash[1];
    else if (hash)
        symbols.count = hash[1];
    return symbols;
}

struct Search {
    std::span<const std::string_view> names;
    ElfW(Addr) own_dynamic;
    bool found = false;
    std::string_view name;
};

bool matches(std::string_view symbol, std::string_view wanted)
{
    return wanted.ends_with('*') ? symbol.starts_with(wanted.substr(0, wanted.size() - 1)) : symbol == wanted;
}

int look_at_object(dl_phdr_info* info, std::size_t, void* argument)
{
    Search& search = *static_cast<Search*>(argument);
    std::string_view file(info->dlpi_name ? info->dlpi_name : "");
    file = file.substr(file.rfind('/') + 1);
    if (begins_with_any(file, kRuntimes) || begins_with_any(file, kSanitizers))
        return 0;
    const std::span<const ElfW(Phdr)> headers(info->dlpi_phdr, info->dlpi_phnum);
    const auto dynamic = std::find_if(headers.begin(), headers.end(),
                                      [](const ElfW(Phdr) & header) { return header.p_type == PT_DYNAMIC; });
    if (dynamic == headers.end() || info->dlpi_addr + dynamic->p_vaddr == search.own_dynamic)
        return 0;
    const Symbols symbols =
        symbols_of(reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + dynamic->p_vaddr), info->dlpi_addr);
    if (!symbols.table || !symbols.names)
        return 0;
    for (std::size_t i = 1; i < symbols.count; ++i) {
        const ElfW(Sym)& symbol = symbols.table[i];
        if (symbol.st_shndx != SHN_UNDEF)
            continue;
        const std::string_view name(symbols.names + symbol.st_name);
        for (const std::string_view wanted : search.names) {
            if (matches(name, wanted)) {
                search.found = true;
                search.name = name;
                return 1;
            }
        }
    }
    return 0;
}

/// The dynamic section of the object this code is linked into.
ElfW(Addr) own_dynamic()
{
    struct Own {
        ElfW(Addr) code;
        ElfW(Addr) dynamic = 0;
    } own{reinterpret_cast<ElfW(Addr)>(&own_dynamic)};
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* argument) {
            Own& here = *static_cast<Own*>(argument);
            bool mine = false;
            ElfW(Addr) dynamic = 0;
            for (const ElfW(Phdr) & header : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
                const ElfW(Addr) start = info->dlpi_addr + header.p_vaddr;
                mine |= header.p_type == PT_LOAD && here.code - start < header.p_memsz;
                if (header.p_type == PT_DYNAMIC)
                    dynamic = start;
            }
            if (mine)
                here.dynamic = dynamic;
            return mine ? 1 : 0;
        },
        &own);
    return own.dynamic;
}

} // namespace

bool process_imports(std::span<const std::string_view> names, std::string_view* found)
{
    Search search{names, own_dynamic(), false, {}};
    ::dl_iterate_phdr(look_at_object, &search);
    if (search.found && found)
        *found = search.name;
    return search.found;
}

bool process_may_spawn(std::string_view* found)
{
    return process_imports(kSpawners, found);
}

} // namespace rf
