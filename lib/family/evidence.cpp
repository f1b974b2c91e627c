#include "family/evidence.hpp"

#include "base/fd.hpp"
#include "family/config.hpp"
#include "family/library.hpp"

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <elf.h>
#include <link.h>
#include <unistd.h>

namespace rf::family {
namespace {

/// Walks the DT_VERNEED list of one loaded object. The dynamic linker has read it, so it is well formed.
void read_needs(const ElfW(Verneed) * need, std::size_t count, const char* strings, Needs& needs) noexcept
{
    for (std::size_t i = 0; i < count; ++i) {
        const std::byte* at = reinterpret_cast<const std::byte*>(need) + need->vn_aux;
        for (unsigned j = 0; j < need->vn_cnt; ++j) {
            const auto* const aux = reinterpret_cast<const ElfW(Vernaux)*>(at);
            add_need(needs, strings + need->vn_file, strings + aux->vna_name);
            at += aux->vna_next;
        }
        need =
            reinterpret_cast<const ElfW(Verneed)*>(reinterpret_cast<const std::byte*>(need) + need->vn_next);
    }
}

/// An address in a dynamic section: glibc has relocated it in place, other linkers leave it relative.
template <class T>
const T* address(const dl_phdr_info& object, ElfW(Addr) value) noexcept
{
    return reinterpret_cast<const T*>(value < object.dlpi_addr ? object.dlpi_addr + value : value);
}

int look_at_object(dl_phdr_info* object, std::size_t, void* out) noexcept
{
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = object->dlpi_phdr[i];
        if (header.p_type != PT_DYNAMIC)
            continue;
        ElfW(Addr) need = 0;
        ElfW(Addr) strings = 0;
        std::size_t count = 0;
        const auto* dynamic = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + header.p_vaddr);
        for (; dynamic->d_tag != DT_NULL; ++dynamic) {
            if (dynamic->d_tag == DT_VERNEED)
                need = dynamic->d_un.d_ptr;
            else if (dynamic->d_tag == DT_VERNEEDNUM)
                count = dynamic->d_un.d_val;
            else if (dynamic->d_tag == DT_STRTAB)
                strings = dynamic->d_un.d_ptr;
        }
        if (need && strings)
            read_needs(address<ElfW(Verneed)>(*object, need), count, address<char>(*object, strings),
                       *static_cast<Needs*>(out));
    }
    return 0;
}

/// Keeps the folder of the C library, which is where a distribution keeps libfuse3 as well.
int look_for_libc(dl_phdr_info* object, std::size_t, void* out) noexcept
{
    const std::string_view path(object->dlpi_name);
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos || path.substr(slash + 1) != "libc.so.6")
        return 0;
    *static_cast<std::string_view*>(out) = path.substr(0, slash);
    return 1;
}

std::optional<Release> release_behind(std::string_view folder) noexcept
{
    std::array<char, PATH_MAX> link;
    std::array<char, PATH_MAX> target;
    const int bytes = snprintf(link.data(), link.size(), "%.*s/libfuse3.so.3",
                               static_cast<int>(folder.size()), folder.data());
    if (bytes < 0 || static_cast<std::size_t>(bytes) >= link.size())
        return std::nullopt;
    const ssize_t n = from_libc(::readlink(link.data(), target.data(), target.size()));
    if (n <= 0)
        return std::nullopt;
    const std::string_view name(target.data(), static_cast<std::size_t>(n));
    return release_in_name(name.substr(name.rfind('/') + 1)); // npos + 1 is 0
}

} // namespace

Needs needs_of_process() noexcept
{
    Needs needs;
    ::dl_iterate_phdr(look_at_object, &needs);
    return needs;
}

std::optional<Release> host_release() noexcept
{
    std::string_view libc_folder;
    ::dl_iterate_phdr(look_for_libc, &libc_folder);
    const std::array folders{libc_folder, std::string_view("/usr/lib64"), std::string_view("/lib64"),
                             std::string_view("/usr/lib"), std::string_view("/lib")};
    for (const std::string_view folder : folders) {
        if (folder.empty())
            continue;
        if (const std::optional<Release> release = release_behind(folder))
            return release;
    }
    return std::nullopt;
}

Evidence gather_evidence() noexcept
{
    Evidence evidence;
    evidence.asked = ::secure_getenv("RINGFUSE_ABI");
    evidence.needs = needs_of_process();
    evidence.host = host_release();
    evidence.library_default = library_default;
    evidence.build_default = kBuildDefault;
    return evidence;
}

} // namespace rf::family
