// How the preload stays with the program: it goes into LD_PRELOAD in front of what is there, and RINGFUSE_RUN
// tells the library which part is ours. At its first use the library takes both out of the environment again
// (lib/cli/preload.hpp), before the program starts helpers such as fusermount3 or ssh. Giving the library to
// the dynamic linker on its command line would need no variable, but the program would then be called
// "ld-linux".
#include "run.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "config.hpp"
#include "json.hpp"
#include "mounts.hpp"
#include "target.hpp"
#include "text.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace rf::command {
namespace {

std::string directory_of_this_program()
{
    std::array<char, 4096> path{};
    const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
    const std::string self(path.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    return self.substr(0, self.rfind('/') == std::string::npos ? 0 : self.rfind('/'));
}

std::string absolute(const std::string& path)
{
    std::array<char, 4096> directory{};
    return normal_path(path, ::getcwd(directory.data(), directory.size()) ? directory.data() : "");
}

bool readable(const std::string& path)
{
    return ::access(path.c_str(), R_OK) == 0;
}

int refuse(const RunRequest& request, const std::string& command, const std::string& why)
{
    if (request.json) {
        Json json;
        json.begin_object().text("command", command).boolean("runs", false).text("reason", why).end_object();
        std::printf("%s\n", json.str().c_str());
    }
    std::fprintf(stderr, "ringfuse: not run: %s %s\n", printable(command).c_str(), why.c_str());
    return kExitRefused;
}

int explain(const RunRequest& request, const Target& target, const std::string& file)
{
    if (request.json) {
        Json json;
        json.begin_object()
            .text("command", request.words.front())
            .boolean("runs", true)
            .text("path", target.path)
            .text("program", target.program)
            .text("needs", target.soname)
            .text("preload", file)
            .text("transport", request.transport.empty() ? "auto" : request.transport)
            .end_object();
        std::printf("%s\n", json.str().c_str());
    } else {
        std::printf("%s needs %s: runs with %s\n", printable(target.path).c_str(),
                    printable(target.soname).c_str(), printable(file).c_str());
    }
    return 0;
}

int execute(const RunRequest& request, const Target& target, const std::string& file)
{
    const char* before = ::getenv("LD_PRELOAD");
    const std::string preload = before && *before ? file + ":" + before : file;
    int rc = from_libc(::setenv("LD_PRELOAD", preload.c_str(), 1));
    if (rc == 0)
        rc = from_libc(::setenv("RINGFUSE_RUN", file.c_str(), 1));
    if (rc == 0 && !request.transport.empty())
        rc = from_libc(::setenv("RINGFUSE_TRANSPORT", request.transport.c_str(), 1));
    if (rc == 0 && request.verbose)
        rc = from_libc(::setenv("RINGFUSE_VERBOSE", "1", 1));
    if (rc == 0) {
        std::vector<char*> arguments;
        for (const std::string& word : request.words)
            arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        rc = from_libc(::execv(target.path.c_str(), arguments.data()));
    }
    std::fprintf(stderr, "ringfuse: not run: %s (%s)\n", printable(target.path).c_str(), log::errno_name(rc));
    return kExitNotRun;
}

} // namespace

std::string find_library(const std::string& soname)
{
    const std::string here = directory_of_this_program();
    // As installed, wherever the tree was moved to; as configured; in the build directory.
    const std::array<std::string, 3> folders{here + "/" RF_LIBDIR_FROM_BINDIR "/ringfuse",
                                             RF_LIBDIR "/ringfuse", here + "/../../lib/dropin"};
    for (const std::string& folder : folders) {
        const std::string file = absolute(folder) + "/" + soname;
        if (readable(file))
            return file;
    }
    return "";
}

int run_program(const RunRequest& request)
{
    const std::string& command = request.words.front();
    const bool by_path = request.library.find('/') != std::string::npos;
    const std::string library =
        request.library == "3" || request.library == "4" ? "libfuse3.so." + request.library : request.library;
    const Target target = examine(command, library);
    if (!target.refusal.empty())
        return refuse(request, command, target.refusal);
    const std::string file = by_path ? absolute(library) : find_library(target.soname);
    if (file.empty() || !readable(file))
        return refuse(request, command,
                      "needs " + printable(target.soname) +
                          ", and ringfuse's library of that name is not installed");
    // The dynamic linker takes both for separators.
    if (file.find_first_of(": ") != std::string::npos)
        return refuse(request, command,
                      "cannot be given " + printable(file) + ": a preload's path holds no ':' or space");
    return request.explain ? explain(request, target, file) : execute(request, target, file);
}

} // namespace rf::command
