// Mount test sandbox, mountinfo reader and tiny server.
#include "fixture.hpp"

#include "base/log.hpp"
#include "mount/unmount.hpp"
#include "proto/kernel.hpp"

#include <fuse_opt.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace rf::test {
namespace {

constexpr char kConf[] = "/etc/fuse.conf";

bool ok(bool condition, const char* what)
{
    if (!condition)
        fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
    return condition;
}

// A tmpfs of our own: the machine's /dev is left alone, and the modes are the same everywhere.
bool make_dev()
{
    const dev_t fuse = makedev(10, 229);
    return ok(::mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755") == 0, "private /dev") &&
           ok(mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) == 0 && chmod("/dev/null", 0666) == 0,
              "null") &&
           ok(mknod("/dev/fuse", S_IFCHR | 0666, fuse) == 0 && chmod("/dev/fuse", 0666) == 0, "fuse") &&
           ok(mknod("/dev/fuse2", S_IFCHR | 0600, fuse) == 0, "fuse2") &&
           ok(mknod("/dev/plain", S_IFREG | 0600, 0) == 0, "plain");
}

// fusermount3 looks at the kind of filesystem below a mount point and takes tmpfs.
bool make_work_dir()
{
    return ok(::mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") == 0, "private /mnt");
}

std::string unescaped(const std::string& field)
{
    std::string out;
    for (std::size_t i = 0; i < field.size(); i++) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            out += static_cast<char>(strtol(field.substr(i + 1, 3).c_str(), nullptr, 8));
            i += 3;
        } else {
            out += field[i];
        }
    }
    return out;
}

template <class Body>
void reply(int fd, std::uint64_t unique, int error, const Body* body)
{
    kern::fuse_out_header head{};
    head.len = sizeof(head) + (body ? sizeof(*body) : 0);
    head.error = error;
    head.unique = unique;
    const std::array<iovec, 2> parts{iovec{&head, sizeof(head)},
                                     iovec{const_cast<Body*>(body), body ? sizeof(*body) : 0}};
    [[maybe_unused]] const ssize_t n = writev(fd, parts.data(), parts.size());
}

} // namespace

bool enter_sandbox()
{
    if (!ok(geteuid() == 0, "not root") || !ok(access("/dev/fuse", F_OK) == 0, "/dev/fuse"))
        return false;
    if (!ok(access(kConf, F_OK) == 0, kConf) || !ok(unshare(CLONE_NEWNS) == 0, "unshare") ||
        !ok(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts"))
        return false;
    if (!make_dev() || !make_work_dir())
        return false;
    // mount(8)'s table, which must be there to be used.
    if (!ok(::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0, "private /run") ||
        !ok(mkdir("/run/mount", 0755) == 0, "/run/mount"))
        return false;
    std::ofstream("/run/mount/utab") << "";
    std::ofstream("/mnt/fuse.conf") << "# nothing allowed\n";
    return ok(::mount("/mnt/fuse.conf", kConf, nullptr, MS_BIND, nullptr) == 0, "private fuse.conf");
}

std::string make_directory(unsigned owner)
{
    std::string path = "/mnt/with blank XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(path.data()));
    ck_assert_int_eq(chown(path.c_str(), owner, owner), 0);
    return path;
}

void set_user_allow_other(bool allowed)
{
    std::ofstream(kConf) << (allowed ? "user_allow_other\n" : "# nothing allowed\n");
}

std::optional<MountLine> mount_line(const std::string& path)
{
    std::ifstream file("/proc/self/mountinfo");
    std::optional<MountLine> found;
    std::string text;
    while (std::getline(file, text)) {
        std::istringstream fields(text);
        std::string skipped, point, word;
        MountLine line;
        fields >> skipped >> skipped >> skipped >> skipped >> point >> line.flags;
        while (fields >> word && word != "-")
            continue;
        fields >> line.type >> line.source >> line.super_options;
        if (unescaped(point) == path)
            found = line;
    }
    return found;
}

bool has_word(const std::string& list, const std::string& word)
{
    return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

bool gone_within(const std::string& path, std::chrono::milliseconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (mount_line(path)) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

mount::Options options_of(const char* words)
{
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    ck_assert_int_eq(fuse_opt_add_arg(&args, "prog"), 0);
    if (*words) {
        ck_assert_int_eq(fuse_opt_add_arg(&args, "-o"), 0);
        ck_assert_int_eq(fuse_opt_add_arg(&args, words), 0);
    }
    mount::Options options;
    ck_assert_int_eq(mount::parse_options(&args, options), 0);
    ck_assert_int_eq(args.argc, 1);
    fuse_opt_free_args(&args);
    return options;
}

mount::Mounted mounted(const std::string& path, const char* words)
{
    mount::Mounted result;
    const int rc = mount::mount(path.c_str(), options_of(words), result);
    ck_assert_msg(rc == 0, "mount with %s: %d", words, rc);
    ck_assert_int_gt(result.fd.get(), 2);
    ck_assert_int_eq(fcntl(result.fd.get(), F_GETFD), FD_CLOEXEC);
    return result;
}

void expect_unmounted(mount::Mounted& what, const std::string& path)
{
    ck_assert_int_eq(mount::unmount(what), 0);
    ck_assert_msg(!mount_line(path), "%s is still mounted", path.c_str());
}

void expect_text(const std::string& got, const char* wanted)
{
    ck_assert_str_eq(got.c_str(), wanted);
}

void be_quiet()
{
    log::set_sink([](int, const char*, va_list) {});
}

int exit_code(pid_t pid)
{
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "child status %#x", status);
    return WEXITSTATUS(status);
}

void TinyServer::serve(int fd)
{
    alignas(8) std::array<char, 256 * 1024> buffer;
    for (;;) {
        const ssize_t n = read(fd, buffer.data(), buffer.size());
        if (n < 0 && (errno == EINTR || errno == ENOENT))
            continue;
        if (n < static_cast<ssize_t>(sizeof(kern::fuse_in_header)))
            return;
        kern::fuse_in_header head;
        memcpy(&head, buffer.data(), sizeof(head));
        if (head.opcode == kern::OP_INIT) {
            kern::fuse_init_out out{};
            out.major = 7;
            out.minor = 31;
            out.max_write = 4096;
            reply(fd, head.unique, 0, &out);
        } else if (head.opcode == kern::OP_GETATTR) {
            kern::fuse_attr_out out{};
            out.attr.ino = 1;
            out.attr.mode = S_IFDIR | 0755;
            out.attr.nlink = 2;
            reply(fd, head.unique, 0, &out);
        } else if (head.opcode != kern::OP_FORGET && head.opcode != kern::OP_BATCH_FORGET) {
            reply<kern::fuse_attr_out>(fd, head.unique, -ENOSYS, nullptr);
        }
    }
}

} // namespace rf::test
