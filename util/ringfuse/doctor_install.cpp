// What is installed: the helper that mounts for users, the distribution's libfuse3, our own libraries.
#include "doctor.hpp"

#include "family/choose.hpp"
#include "family/evidence.hpp"
#include "run.hpp"
#include "target.hpp"
#include "text.hpp"

#include <array>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace rf::command {
namespace {

void check_fusermount(std::vector<Finding>& out)
{
    const char* path = ::getenv("PATH");
    const std::string file = find_in_path("fusermount3", std::string(path ? path : "") + ":/usr/bin:/bin");
    struct ::stat st {};
    if (file.empty() || ::stat(file.c_str(), &st) != 0)
        out.push_back(
            {"fusermount3", Verdict::kWarning, "not installed: only root can mount", "apt install fuse3"});
    else if (st.st_uid != 0 || !(st.st_mode & S_ISUID))
        out.push_back({"fusermount3", Verdict::kWarning, file + " is not setuid root: only root can mount",
                       "chown root " + quoted(file) + " && chmod u+s " + quoted(file)});
    else
        out.push_back({"fusermount3", Verdict::kGood, file, ""});
}

char letter_of(family::Family family)
{
    return static_cast<char>('A' + static_cast<int>(family));
}

/// The release decides how structures are laid out for programs that were built against it.
void check_host_library(std::vector<Finding>& out)
{
    if (const std::optional<family::Release> release = family::host_release()) {
        out.push_back({"libfuse3", Verdict::kGood,
                       format("the distribution's is %u.%u.%u, layout %c", release->major, release->minor,
                              release->patch, letter_of(family::family_of(*release))),
                       ""});
        return;
    }
    out.push_back(
        {"libfuse3", Verdict::kNote,
         "no libfuse3.so.3 of the distribution: programs built for one are taken to have layout B (else: "
         "RINGFUSE_ABI=A, B or C)",
         ""});
}

void check_own_libraries(std::vector<Finding>& out)
{
    for (const char* soname : {"libfuse3.so.3", "libfuse3.so.4"}) {
        const std::string file = find_library(soname);
        if (file.empty())
            out.push_back({"ringfuse", Verdict::kWarning,
                           format("no %s of ringfuse found: 'ringfuse run' cannot work", soname),
                           "meson install -C build"});
        else
            out.push_back({"ringfuse", Verdict::kGood, file, ""});
    }
}

} // namespace

void check_install(std::vector<Finding>& out)
{
    check_fusermount(out);
    check_host_library(out);
    check_own_libraries(out);
}

} // namespace rf::command
