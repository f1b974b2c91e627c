#include "elf.hpp"

#include "base/fd.hpp"

#include <cstring>
#include <elf.h>
#include <link.h>
#include <span>

namespace rf::command {
namespace {

// More than any linker writes; keeps a file of nonsense from keeping us busy.
constexpr std::size_t kMostSegments = 512;
constexpr std::size_t kMostDynamic = 8192;
constexpr std::size_t kMostStrings = 4 << 20;
constexpr std::size_t kMostNotes = 64 << 10;

using Ehdr = ElfW(Ehdr);
using Phdr = ElfW(Phdr);
using Dyn = ElfW(Dyn);

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr unsigned kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr unsigned kMachine = EM_S390;
#elif defined(__i386__)
constexpr unsigned kMachine = EM_386;
#elif defined(__arm__)
constexpr unsigned kMachine = EM_ARM;
#else
#error "which ELF machine is this?"
#endif
constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kByteOrder = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

bool read_at(int fd, std::uint64_t offset, void* to, std::size_t bytes)
{
    if (offset > static_cast<std::uint64_t>(INT64_MAX) - bytes)
        return false;
    return ::pread(fd, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

template <class Thing>
bool read_table(int fd, std::uint64_t offset, std::size_t count, std::vector<Thing>& out)
{
    out.resize(count);
    return read_at(fd, offset, out.data(), count * sizeof(Thing));
}

/// Where in the file the byte is that is loaded to `address`; false if none is.
bool offset_of(std::span<const Phdr> segments, std::uint64_t address, std::uint64_t& offset)
{
    for (const Phdr& segment : segments) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz) {
            offset = segment.p_offset + (address - segment.p_vaddr);
            return true;
        }
    }
    return false;
}

bool read_interpreter(int fd, const Phdr& segment, std::string& out)
{
    if (segment.p_filesz == 0 || segment.p_filesz > 4096)
        return false;
    out.assign(segment.p_filesz, '\0');
    if (!read_at(fd, segment.p_offset, out.data(), out.size()) || out.back() != '\0')
        return false;
    out.resize(std::strlen(out.c_str()));
    return !out.empty();
}

bool read_needed(int fd, std::span<const Phdr> segments, const Phdr& dynamic, std::vector<std::string>& out)
{
    std::vector<Dyn> entries;
    if (dynamic.p_filesz / sizeof(Dyn) > kMostDynamic ||
        !read_table(fd, dynamic.p_offset, dynamic.p_filesz / sizeof(Dyn), entries))
        return false;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    std::vector<std::uint64_t> names;
    for (const Dyn& entry : entries) {
        if (entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            address = entry.d_un.d_ptr;
        else if (entry.d_tag == DT_STRSZ)
            bytes = entry.d_un.d_val;
        else if (entry.d_tag == DT_NEEDED)
            names.push_back(entry.d_un.d_val);
    }
    if (names.empty())
        return true;
    std::uint64_t offset = 0;
    std::vector<char> strings;
    if (bytes == 0 || bytes > kMostStrings || !offset_of(segments, address, offset) ||
        !read_table(fd, offset, bytes, strings) || strings.back() != '\0')
        return false;
    for (const std::uint64_t name : names) {
        if (name >= bytes)
            return false;
        out.emplace_back(strings.data() + name);
    }
    return true;
}

/// A Go build id is a note with the name "Go" and the type 4.
bool has_go_note(int fd, const Phdr& segment)
{
    std::vector<char> notes;
    if (segment.p_filesz > kMostNotes || !read_table(fd, segment.p_offset, segment.p_filesz, notes))
        return false;
    std::size_t at = 0;
    ElfW(Nhdr) note;
    while (notes.size() - at >= sizeof(note)) {
        std::memcpy(&note, notes.data() + at, sizeof(note));
        at += sizeof(note);
        if (note.n_namesz > notes.size() - at)
            return false;
        if (note.n_type == 4 && note.n_namesz == 4 && std::memcmp(notes.data() + at, "Go\0", 4) == 0)
            return true;
        const std::uint64_t step = ((std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3}) +
                                   ((std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3});
        if (step > notes.size() - at)
            return false;
        at += step;
    }
    return false;
}

} // namespace

int read_elf(int fd, ElfFacts& out, std::string& why)
{
    out = {};
    Ehdr header;
    why = "no ELF program";
    if (!read_at(fd, 0, &header, sizeof(header)) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return -ENOEXEC;
    out.native = header.e_ident[EI_CLASS] == kClass && header.e_ident[EI_DATA] == kByteOrder &&
                 header.e_machine == kMachine;
    if (!out.native)
        return 0;
    why = "an ELF file that contradicts itself";
    std::vector<Phdr> segments;
    if ((header.e_type != ET_EXEC && header.e_type != ET_DYN) || header.e_phentsize != sizeof(Phdr) ||
        header.e_phnum == 0 || header.e_phnum > kMostSegments ||
        !read_table(fd, header.e_phoff, header.e_phnum, segments))
        return -ENOEXEC;
    for (const Phdr& segment : segments) {
        if (segment.p_type == PT_INTERP && !read_interpreter(fd, segment, out.interpreter))
            return -ENOEXEC;
        if (segment.p_type == PT_DYNAMIC && !read_needed(fd, segments, segment, out.needed))
            return -ENOEXEC;
        if (segment.p_type == PT_NOTE && has_go_note(fd, segment))
            out.from_go = true;
    }
    why.clear();
    return 0;
}

} // namespace rf::command
