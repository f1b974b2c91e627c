// elf.cpp and target.cpp: what is read from programs and scripts, and what becomes of files that lie.
#include "base/fd.hpp"
#include "check/runner.hpp"
#include "elf.hpp"
#include "same_text.hpp"
#include "target.hpp"

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>

namespace {

using namespace rf::command;

/// A small dynamic program that needs libfuse3.so.3, as one piece of memory that tests break in places.
struct Program {
    Elf64_Ehdr header{};
    Elf64_Phdr segments[3]{};
    Elf64_Dyn dynamic[5]{};
    char interpreter[32]{};
    char strings[64]{};

    Program()
    {
        // Of the machine that this test runs on, which has to be one with 64 bits.
        const rf::UniqueFd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        ck_assert_int_eq(::read(self.get(), &header, sizeof(header)), sizeof(header));
        ck_assert_int_eq(header.e_ident[EI_CLASS], ELFCLASS64);
        header.e_type = ET_DYN;
        header.e_phoff = offsetof(Program, segments);
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = 3;
        segments[0] = {PT_LOAD, PF_R, 0, 0, 0, sizeof(Program), sizeof(Program), 4096};
        segments[1] = {PT_INTERP, PF_R, offsetof(Program, interpreter), 0, 0, sizeof(interpreter), 0, 1};
        segments[2] = {PT_DYNAMIC, PF_R, offsetof(Program, dynamic), 0, 0, sizeof(dynamic), 0, 8};
        dynamic[0] = {DT_STRTAB, {offsetof(Program, strings)}};
        dynamic[1] = {DT_STRSZ, {sizeof(strings)}};
        dynamic[2] = {DT_NEEDED, {1}};
        dynamic[3] = {DT_NEEDED, {15}};
        dynamic[4] = {DT_NULL, {0}};
        std::strcpy(interpreter, "/lib64/ld-linux-x86-64.so.2");
        std::memcpy(strings, "\0libfuse3.so.3\0libc.so.6", 25);
    }

    int read(ElfFacts& out, std::string& why, std::size_t bytes = sizeof(Program)) const
    {
        const rf::UniqueFd file(::memfd_create("program", MFD_CLOEXEC));
        ck_assert_int_eq(::write(file.get(), this, bytes), static_cast<ssize_t>(bytes));
        return read_elf(file.get(), out, why);
    }
};

START_TEST(needs_and_interpreter_are_read)
{
    ElfFacts facts;
    std::string why;
    ck_assert_int_eq(Program().read(facts, why), 0);
    ck_assert(facts.native);
    same_text(facts.interpreter, "/lib64/ld-linux-x86-64.so.2");
    ck_assert_uint_eq(facts.needed.size(), 2);
    same_text(facts.needed[0], "libfuse3.so.3");
    same_text(facts.needed[1], "libc.so.6");
    ck_assert(!facts.from_go);
}
END_TEST

START_TEST(another_machine_is_told_and_nothing_more_is_read)
{
    Program program;
    program.header.e_machine = EM_PARISC;
    program.header.e_phoff = ~Elf64_Off{0};
    ElfFacts facts;
    std::string why;
    ck_assert_int_eq(program.read(facts, why), 0);
    ck_assert(!facts.native);
    ck_assert(facts.needed.empty());
}
END_TEST

START_TEST(a_program_without_interpreter_is_static)
{
    Program program;
    program.segments[1].p_type = PT_NULL;
    ElfFacts facts;
    std::string why;
    ck_assert_int_eq(program.read(facts, why), 0);
    ck_assert(facts.interpreter.empty());
}
END_TEST

START_TEST(a_go_build_id_is_seen)
{
    Program program;
    const char note[] = "\x04\0\0\0\x04\0\0\0\x04\0\0\0Go\0\0abcd";
    std::memcpy(program.strings + 32, note, sizeof(note) - 1);
    program.segments[1] = {PT_NOTE, PF_R, offsetof(Program, strings) + 32, 0, 0, sizeof(note) - 1, 0, 4};
    ElfFacts facts;
    std::string why;
    ck_assert_int_eq(program.read(facts, why), 0);
    ck_assert(facts.from_go);
}
END_TEST

/// Each breaks one thing; all have to be refused.
const struct {
    const char* name;
    void (*apply)(Program&);
} kBreaks[] = {
    {"magic", [](Program& p) { p.header.e_ident[0] = 0; }},
    {"type", [](Program& p) { p.header.e_type = ET_REL; }},
    {"segment size", [](Program& p) { p.header.e_phentsize = 1; }},
    {"no segments", [](Program& p) { p.header.e_phnum = 0; }},
    {"too many segments", [](Program& p) { p.header.e_phnum = 65535; }},
    {"segments beyond the file", [](Program& p) { p.header.e_phoff = 1 << 20; }},
    {"segments beyond all files", [](Program& p) { p.header.e_phoff = ~Elf64_Off{0} - 8; }},
    {"interpreter of no bytes", [](Program& p) { p.segments[1].p_filesz = 0; }},
    {"interpreter that is too long", [](Program& p) { p.segments[1].p_filesz = ~Elf64_Xword{0}; }},
    {"interpreter that does not end", [](Program& p) { p.segments[1].p_filesz = 4; }},
    {"interpreter of nothing", [](Program& p) { p.interpreter[0] = '\0'; }},
    {"dynamic that is too long", [](Program& p) { p.segments[2].p_filesz = 1 << 30; }},
    {"dynamic beyond the file", [](Program& p) { p.segments[2].p_offset = 1 << 20; }},
    {"strings of no bytes", [](Program& p) { p.dynamic[1].d_un.d_val = 0; }},
    {"strings that are too many", [](Program& p) { p.dynamic[1].d_un.d_val = ~Elf64_Xword{0}; }},
    {"strings that do not end", [](Program& p) { p.dynamic[1].d_un.d_val = 5; }},
    {"strings that are not loaded", [](Program& p) { p.dynamic[0].d_un.d_ptr = 1 << 20; }},
    {"name beyond the strings", [](Program& p) { p.dynamic[3].d_un.d_val = 64; }},
    {"name far beyond the strings", [](Program& p) { p.dynamic[3].d_un.d_val = ~Elf64_Xword{0}; }},
};

START_TEST(files_that_contradict_themselves_are_refused)
{
    Program program;
    kBreaks[_i].apply(program);
    ElfFacts facts;
    std::string why;
    ck_assert_msg(program.read(facts, why) == -ENOEXEC, "%s", kBreaks[_i].name);
    ck_assert_msg(!why.empty(), "%s", kBreaks[_i].name);
}
END_TEST

START_TEST(every_shortened_file_is_survived)
{
    for (std::size_t bytes = 0; bytes < sizeof(Program); bytes += 3) {
        ElfFacts facts;
        std::string why;
        (void)Program().read(facts, why, bytes);
    }
    ElfFacts facts;
    std::string why;
    ck_assert_int_eq(Program().read(facts, why, sizeof(Elf64_Ehdr) - 1), -ENOEXEC);
}
END_TEST

START_TEST(changed_bytes_are_survived)
{
    unsigned seed = 1;
    for (int round = 0; round < 20000; ++round) {
        Program program;
        for (int i = 0; i < 3; ++i)
            reinterpret_cast<unsigned char*>(
                &program)[static_cast<unsigned>(::rand_r(&seed)) % sizeof(program)] =
                static_cast<unsigned char>(::rand_r(&seed));
        ElfFacts facts;
        std::string why;
        (void)program.read(facts, why);
    }
}
END_TEST

START_TEST(the_generation_is_the_soname)
{
    same_text(soname_among({"libc.so.6", "libfuse3.so.4"}), "libfuse3.so.4");
    same_text(soname_among({"libfuse3.so.3", "libfuse3.so.4"}), "libfuse3.so.3");
    same_text(soname_among({"libfuse.so.2", "libfuse3.so.30", "xlibfuse3.so.3"}), "");
}
END_TEST

START_TEST(the_first_line_of_a_script_names_its_interpreter)
{
    ck_assert_uint_eq(script_words("\x7f"
                                   "ELF")
                          .size(),
                      0);
    ck_assert_uint_eq(script_words("#!\n/bin/sh").size(), 0);
    same_text(script_words("#!/bin/sh\nexit").at(0), "/bin/sh");
    same_text(script_words("#! /usr/bin/env -S python3 -u\r\n").at(1), "-S python3 -u");
    same_text(script_words("#!\t/bin/sh").at(0), "/bin/sh");
}
END_TEST

START_TEST(the_dynamic_linkers_list_gives_names)
{
    const std::vector<std::string> names = parse_loader_list("\tlinux-vdso.so.1 (0x1)\n"
                                                             "\tlibfuse3.so.3 => /lib/libfuse3.so.3 (0x2)\n"
                                                             "\tlibgone.so => not found\n"
                                                             "\t/lib64/ld-linux-x86-64.so.2 (0x3)");
    ck_assert_uint_eq(names.size(), 4);
    same_text(names[1], "libfuse3.so.3");
    same_text(names[3], "ld-linux-x86-64.so.2");
    ck_assert_uint_eq(parse_loader_list("").size(), 0);
}
END_TEST

START_TEST(programs_are_found_as_a_shell_would)
{
    same_text(find_in_path("sh", "/nowhere:/bin"), "/bin/sh");
    same_text(find_in_path("./sh", "/bin"), "./sh");
    same_text(find_in_path("sh", "/nowhere"), "");
    same_text(find_in_path("", "/bin"), "");
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        needs_and_interpreter_are_read,
        another_machine_is_told_and_nothing_more_is_read,
        a_program_without_interpreter_is_static,
        a_go_build_id_is_seen,
        {files_that_contradict_themselves_are_refused, 0,
         static_cast<int>(sizeof(kBreaks) / sizeof(kBreaks[0]))},
        every_shortened_file_is_survived,
        changed_bytes_are_survived,
        the_generation_is_the_soname,
        the_first_line_of_a_script_names_its_interpreter,
        the_dynamic_linkers_list_gives_names,
        programs_are_found_as_a_shell_would,
    };
    return rf::test::run_tests("elf", tests);
}
