// The help and version texts. Columns: four blanks, the option, the explanation from column 27 on.
#include "cli/help.hpp"

#include "base/fd.hpp"

#include <cerrno>
#include <cstdio>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rf::cli {

void print_cmdline_help()
{
    std::fputs("    -h   --help            show this help and exit\n"
               "    -V   --version         show versions and exit\n"
               "    -d   -o debug          trace requests and replies (switches -f on)\n"
               "    -f                     stay in the foreground\n"
               "    -s                     serve requests one at a time, on one thread\n"
               "    -o clone_fd            give every worker its own /dev/fuse descriptor\n"
               "                           (may scale better)\n"
               "    -o max_idle_threads=N  how many idle workers to keep; more exit\n"
               "                           (default: -1, keep all)\n"
               "    -o max_threads=N       how many workers may run at once (default: 10)\n",
               stdout);
}

void print_lowlevel_help()
{
    std::fputs("    -o allow_other         let every user in\n"
               "    -o allow_root          let root in besides the owner\n"
               "    -o auto_unmount        unmount when the process ends, however it ends\n"
               "    -o transport=T         how requests travel: auto (default), fuse_uring,\n"
               "                           dev or dev_uring\n"
               "    -o io_uring            the same as transport=fuse_uring where the kernel\n"
               "                           offers it, /dev/fuse elsewhere\n"
               "    -o io_uring_q_depth=N  requests in flight per ring queue\n",
               stdout);
}

void print_lowlevel_version(unsigned proto_major, unsigned proto_minor)
{
    std::printf("using FUSE kernel interface version %u.%u\n", proto_major, proto_minor);
    std::fflush(stdout); // the child writes to the same descriptor, behind our text

    char program[] = "fusermount3";
    char option[] = "--version";
    char* argv[] = {program, option, nullptr};
    pid_t child = -1;
    if (posix_spawnp(&child, program, nullptr, nullptr, argv, environ) != 0)
        return;
    int status = 0;
    while (from_libc(waitpid(child, &status, 0)) == -EINTR)
        continue;
}

} // namespace rf::cli
