#include "target.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "elf.hpp"
#include "text.hpp"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

namespace rf::command {
namespace {

constexpr std::array kGenerations{"libfuse3.so.3", "libfuse3.so.4"};
constexpr int kMostScripts = 4; // a script's interpreter may be a script; the kernel follows as many

constexpr const char* kWhyPrivileged = "the dynamic linker ignores preloads for it; run a copy without it, "
                                       "or install the package that replaces libfuse3";

bool contains(const std::vector<std::string>& libraries, std::string_view name)
{
    for (const std::string& library : libraries) {
        if (library == name)
            return true;
    }
    return false;
}

bool is_program(const std::string& path)
{
    struct ::stat st {};
    return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

/// Everything a program needs, directly or through other libraries, as the dynamic linker of the program sees
/// it.
std::vector<std::string> libraries_of(const std::string& interpreter, const std::string& program)
{
    std::array<int, 2> ends{};
    if (from_libc(::pipe2(ends.data(), O_CLOEXEC)) < 0)
        return {};
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        ::unsetenv("LD_PRELOAD");
        (void)::dup2(writer.get(), STDOUT_FILENO);
        const UniqueFd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
        (void)::dup2(nowhere.get(), STDERR_FILENO);
        ::execl(interpreter.c_str(), interpreter.c_str(), "--list", program.c_str(),
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    writer.reset();
    if (child < 0)
        return {};
    std::string text;
    std::array<char, 4096> piece;
    ssize_t n = 0;
    while ((n = from_libc(::read(reader.get(), piece.data(), piece.size()))) > 0 || n == -EINTR) {
        if (n > 0)
            text.append(piece.data(), static_cast<std::size_t>(n));
    }
    int status = 0;
    while (from_libc(::waitpid(child, &status, 0)) == -EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? parse_loader_list(text)
                                                         : std::vector<std::string>();
}

std::string why_privileged(int fd)
{
    struct ::stat st {};
    if (::fstat(fd, &st) == 0 && (st.st_mode & S_ISUID))
        return std::string("is setuid: ") + kWhyPrivileged;
    // Without the group's execute bit it means something else.
    if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        return std::string("is setgid: ") + kWhyPrivileged;
    if (::fgetxattr(fd, "security.capability", nullptr, 0) > 0)
        return std::string("has file capabilities: ") + kWhyPrivileged;
    return "";
}

std::string why_not_linked(const ElfFacts& elf, const std::vector<std::string>& libraries, bool is_script)
{
    if (contains(libraries, "libfuse.so.2"))
        return "is linked to libfuse 2, whose interface is another one";
    if (elf.from_go)
        return "is a Go program that is not linked to libfuse3: it speaks to /dev/fuse by itself, there is "
               "nothing to "
               "replace";
    if (is_script)
        return "is run by a program that is not linked to libfuse3; if it loads libfuse3 later, say which "
               "one: "
               "--lib=libfuse3.so.3 or --lib=libfuse3.so.4";
    return "is not linked to libfuse3 (programs in Go or Rust often speak to /dev/fuse by themselves); if it "
           "loads "
           "libfuse3 later, say which one: --lib=libfuse3.so.3 or --lib=libfuse3.so.4";
}

/// Fills soname or refusal for the ELF program behind `fd`.
void examine_program(int fd, std::string_view library, Target& target)
{
    ElfFacts elf;
    std::string why;
    if (read_elf(fd, elf, why) < 0) {
        target.refusal = "is " + why;
        return;
    }
    target.refusal = why_privileged(fd);
    if (!target.refusal.empty())
        return;
    if (!elf.native) {
        target.refusal = "is a program for another machine, or a 32-bit one on 64 bits";
    } else if (elf.interpreter.empty()) {
        target.refusal = std::string("is linked statically") + (elf.from_go ? " (a Go program)" : "") +
                         ": it loads no libraries, so none can be put in";
    } else if (elf.interpreter.find("ld-musl") != std::string::npos) {
        target.refusal = "is built for musl; the library is built for glibc";
    } else if (!library.empty()) {
        target.soname = library;
    } else {
        std::vector<std::string> libraries = elf.needed;
        target.soname = soname_among(libraries);
        if (target.soname.empty()) {
            libraries = libraries_of(elf.interpreter, target.program);
            target.soname = soname_among(libraries);
        }
        if (target.soname.empty())
            target.refusal = why_not_linked(elf, libraries, target.program != target.path);
    }
}

std::string search_path()
{
    const char* path = ::getenv("PATH");
    return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

/// The interpreter a script names; "env" is looked through, since what it runs is what counts.
std::string interpreter_of(const std::vector<std::string>& words)
{
    const std::string& first = words.front();
    if (!first.ends_with("/env") || words.size() < 2)
        return first;
    std::string_view rest = words[1];
    while (!rest.empty()) {
        const std::size_t end = rest.find(' ');
        const std::string_view word = rest.substr(0, end);
        if (!word.empty() && !word.starts_with('-') && word.find('=') == std::string_view::npos)
            return find_in_path(word, search_path());
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return first;
}

} // namespace

std::string soname_among(const std::vector<std::string>& libraries)
{
    for (const std::string& library : libraries) {
        for (const char* known : kGenerations) {
            if (library == known)
                return library;
        }
    }
    return "";
}

std::vector<std::string> script_words(std::string_view first_bytes)
{
    if (!first_bytes.starts_with("#!"))
        return {};
    std::string_view line = first_bytes.substr(2, first_bytes.find('\n') - 2);
    const auto trim = [](std::string_view text) {
        const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
        text.remove_prefix(begin);
        return text.substr(0, text.find_last_not_of(" \t\r") + 1);
    };
    line = trim(line);
    if (line.empty())
        return {};
    const std::size_t end = line.find_first_of(" \t");
    std::vector<std::string> words{std::string(line.substr(0, end))};
    if (end != std::string_view::npos)
        words.emplace_back(trim(line.substr(end)));
    return words;
}

std::vector<std::string> parse_loader_list(std::string_view text)
{
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        const std::string_view name = line.substr(0, line.find_first_of(" \t"));
        if (!name.empty())
            names.emplace_back(
                name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1));
    }
    return names;
}

std::string find_in_path(std::string_view name, std::string_view path)
{
    if (name.find('/') != std::string_view::npos)
        return std::string(name);
    while (!name.empty()) {
        const std::size_t end = path.find(':');
        const std::string_view directory = path.substr(0, end);
        const std::string candidate =
            std::string(directory.empty() ? "." : directory) + "/" + std::string(name);
        if (is_program(candidate))
            return candidate;
        if (end == std::string_view::npos)
            break;
        path.remove_prefix(end + 1);
    }
    return "";
}

Target examine(const std::string& command, std::string_view library)
{
    Target target;
    target.path = find_in_path(command, search_path());
    target.program = target.path;
    for (int depth = 0; depth <= kMostScripts; ++depth) {
        const UniqueFd file(from_libc(::open(target.program.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
        if (target.program.empty() || !is_program(target.program)) {
            target.refusal = target.program == target.path ? "is no program that can be found and run"
                                                           : "names an interpreter that cannot be found";
            return target;
        }
        if (!file) {
            target.refusal = format("cannot be read (%s)", log::errno_name(file.get()));
            return target;
        }
        std::array<char, 256> begin{};
        const ssize_t n = ::pread(file.get(), begin.data(), begin.size(), 0);
        const std::vector<std::string> words =
            script_words({begin.data(), n > 0 ? static_cast<std::size_t>(n) : 0});
        if (words.empty()) {
            examine_program(file.get(), library, target);
            return target;
        }
        target.program = interpreter_of(words);
    }
    target.refusal = "is a script whose interpreters are scripts, too many in a row";
    return target;
}

} // namespace rf::command
