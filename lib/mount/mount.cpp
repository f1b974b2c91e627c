// Mounting: mount(2) where we may, fusermount3 where we may not.
#include "mount/mount.hpp"

#include "base/log.hpp"
#include "mount/fusermount.hpp"
#include "mount/utab.hpp"

#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>

namespace rf::mount {
namespace {

constexpr char kDevice[] = "/dev/fuse";
constexpr std::string_view kFdPrefix = "/dev/fd/";

// Kernel: copy_mount_options(), fs/namespace.c: one page is taken and its last byte cleared, so that a longer
// text would be cut without an error.
constexpr std::size_t kMaxDataBytes = 4095;

// FUSE_KERN_DEVICE names another device; not for programs that run with more rights than their caller.
std::string device_path()
{
    const char* wanted = secure_getenv("FUSE_KERN_DEVICE");
    if (!wanted)
        return kDevice;
    struct stat st {};
    if (std::string_view(wanted).starts_with("/dev/") && stat(wanted, &st) == 0 && S_ISCHR(st.st_mode))
        return wanted;
    log::warning("FUSE_KERN_DEVICE ignored: %s is no character device below /dev, using %s", wanted, kDevice);
    return kDevice;
}

int adopt(int fd, Mounted& out)
{
    const int rc = from_libc(fcntl(fd, F_GETFD));
    if (rc < 0) {
        log::error("mount failed: descriptor %d of the mount point /dev/fd/%d is not open (%s)", fd, fd,
                   log::errno_name(rc));
        return rc;
    }
    out.fd = UniqueFd(fd);
    out.external = true;
    return 0;
}

int check(const char* mountpoint, const Options& options)
{
    const char* complaint = nullptr;
    if (options.blkdev && options.fsname.empty())
        complaint = "blkdev needs the device: fsname=/dev/...";
    else if (options.blksize && !options.blkdev)
        complaint = "blksize is for blkdev mounts only";
    if (!complaint)
        return 0;
    log::error("mount failed: %s (EINVAL), %s", mountpoint, complaint);
    return -EINVAL;
}

// Symbolic links are followed here, once: unmounting later must not follow a link that was changed meanwhile,
// and a relative path would mean nothing after the daemon's chdir.
std::string resolve(const char* mountpoint)
{
    char* resolved = realpath(mountpoint, nullptr);
    if (!resolved)
        return mountpoint;
    std::string path(resolved);
    free(resolved);
    return path;
}

int call_mount(const std::string& target, const Options& options, const std::string& device,
               const std::string& data)
{
    std::string source = options.source(device);
    int rc = from_libc(
        ::mount(source.c_str(), target.c_str(), options.type().c_str(), options.flags, data.c_str()));
    if (rc == -ENODEV && !options.subtype.empty()) {
        // A kernel without subtypes: the name goes in front of the source.
        if (!options.fsname.empty() && !options.blkdev)
            source = options.subtype + "#" + options.fsname;
        rc = from_libc(::mount(source.c_str(), target.c_str(), options.type(false).c_str(), options.flags,
                               data.c_str()));
    }
    return rc;
}

void explain(int error, const std::string& target, const Options& options, const std::string& data)
{
    const char* hint = "see the kernel log for details";
    if (error == -ENODEV)
        hint = options.blkdev ? "this kernel has no fuseblk" : "this kernel has no FUSE (modprobe fuse)";
    else if (error == -EINVAL)
        hint = "the kernel does not take these options";
    else if (error == -ENOTBLK)
        hint = "fsname is no block device";
    log::error("mount failed: %s type=%s options=%s (%s), %s", target.c_str(), options.type().c_str(),
               data.c_str(), log::errno_name(error), hint);
}

// 0 or -errno after a message; -EPERM silently: we may not, fusermount3 perhaps may.
int mount_directly(const std::string& target, const Options& options, Mounted& out)
{
    struct stat st {};
    int rc = from_libc(stat(target.c_str(), &st));
    if (rc < 0) {
        log::error("mount failed: %s (%s), %s", target.c_str(), log::errno_name(rc),
                   rc == -ENOTCONN ? "a dead FUSE mount is there, unmount it first"
                                   : "no usable mount point");
        return rc;
    }
    const std::string device = device_path();
    UniqueFd fd(from_libc(open(device.c_str(), O_RDWR | O_CLOEXEC)));
    if (fd.get() < 0) {
        rc = fd.release();
        // fusermount3 opens it with the user's rights as well, so there is nothing to fall back to.
        const bool denied = rc == -EACCES || rc == -EPERM;
        log::error("mount failed: %s (%s), %s", device.c_str(), log::errno_name(rc),
                   denied ? "its mode or a container denies it" : "is the fuse module loaded?");
        return rc;
    }
    char head[128];
    snprintf(head, sizeof(head), "fd=%d,rootmode=%o,user_id=%u,group_id=%u", fd.get(), st.st_mode & S_IFMT,
             getuid(), getgid());
    std::string data = head;
    const std::string words = options.kernel_data();
    if (!words.empty())
        data += "," + words;
    if (data.size() > kMaxDataBytes) {
        log::error("mount failed: %s (E2BIG), more than %zu bytes of options", target.c_str(), kMaxDataBytes);
        return -E2BIG;
    }
    rc = call_mount(target, options, device, data);
    if (rc < 0) {
        if (rc != -EPERM)
            explain(rc, target, options, data);
        return rc;
    }
    out.fd = std::move(fd);
    out.in_utab = add_to_utab(options.source(device), target, options);
    return 0;
}

int mount_by_fusermount(const std::string& target, const Options& options, Mounted& out)
{
    const bool root = geteuid() == 0;
    FusermountResult result;
    int rc = -EIO;
    // A kernel without subtypes refuses them. Then the second try says on stderr what else may be wrong. A
    // helper that stays is quiet as well: long after our end it would print that there is nothing left to
    // unmount.
    if (!options.subtype.empty() || options.auto_unmount)
        rc = fusermount_mount(target.c_str(), options.fusermount_list(true, root), options.auto_unmount, true,
                              result);
    if (rc == -EIO)
        rc = fusermount_mount(target.c_str(), options.fusermount_list(false, root), options.auto_unmount,
                              false, result);
    if (rc < 0) {
        log::error("mount failed: %s through fusermount3 (%s)", target.c_str(), log::errno_name(rc));
        return rc;
    }
    out.fd = std::move(result.device);
    out.keep_alive = std::move(result.keep_alive);
    out.by_fusermount = true;
    return 0;
}

} // namespace

int open_standard_fds()
{
    for (;;) {
        const int fd = from_libc(open("/dev/null", O_RDWR));
        if (fd < 0) {
            log::error("/dev/null not opened (%s), descriptors 0 to 2 must be open", log::errno_name(fd));
            return fd;
        }
        if (fd > STDERR_FILENO) {
            UniqueFd unneeded(fd);
            return 0;
        }
    }
}

int device_fd_of(const char* mountpoint)
{
    std::string_view text(mountpoint);
    if (!text.starts_with(kFdPrefix))
        return -1;
    text.remove_prefix(kFdPrefix.size());
    int fd = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
    return error == std::errc() && end == text.data() + text.size() && fd >= 0 ? fd : -1;
}

int mount(const char* mountpoint, const Options& options, Mounted& out)
{
    int rc = open_standard_fds();
    if (rc < 0)
        return rc;
    out.mountpoint = mountpoint;
    const int given = device_fd_of(mountpoint);
    if (given >= 0)
        return adopt(given, out);
    rc = check(mountpoint, options);
    if (rc < 0)
        return rc;

    out.mountpoint = resolve(mountpoint);
    // auto_unmount needs fusermount3 as the watcher, and every release of it can mount and watch in one go.
    rc = options.auto_unmount ? -EPERM : mount_directly(out.mountpoint, options, out);
    if (rc == -EPERM)
        rc = mount_by_fusermount(out.mountpoint, options, out);
    if (rc < 0)
        return rc;
    bool readable = false;
    out.id = find_mount(out.mountpoint, readable);
    return 0;
}

} // namespace rf::mount
