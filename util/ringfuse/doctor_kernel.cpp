// The kernel's side: does it have the ring, may we use it, is there room for it.
#include "doctor.hpp"

#include "base/cpu.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"
#include "text.hpp"
#include "transport/select.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace rf::command {
namespace {

constexpr const char* kEnableUring = "/sys/module/fuse/parameters/enable_uring";
constexpr const char* kUringDisabled = "/proc/sys/kernel/io_uring_disabled";
constexpr const char* kUringGroup = "/proc/sys/kernel/io_uring_group";
constexpr const char* kMaxPages = "/proc/sys/fs/fuse/max_pages_limit";
constexpr unsigned kGoodPages = 256; // 1 MiB a request
constexpr unsigned kThreadsPerQueue = 2;
constexpr unsigned kDescriptorsPerThread = 4;
constexpr unsigned kOtherDescriptors = 64;
constexpr rlim_t kGoodMemlock = 8 << 20;

bool exists(const char* path)
{
    return ::access(path, F_OK) == 0;
}

void check_version(std::vector<Finding>& out)
{
    utsname name{};
    (void)::uname(&name);
    if (exists(kEnableUring))
        out.push_back(
            {"kernel", Verdict::kGood, format("Linux %s has FUSE-over-io_uring", name.release), ""});
    else if (!exists("/sys/module"))
        out.push_back({"kernel", Verdict::kBroken,
                       format("/sys is not mounted here: what Linux %s has cannot be seen", name.release),
                       "mount -t sysfs -o ro sysfs /sys"});
    else if (exists("/sys/module/fuse"))
        out.push_back({"kernel", Verdict::kBroken,
                       format("Linux %s has no FUSE-over-io_uring (it came with 6.14, CONFIG_FUSE_IO_URING)",
                              name.release),
                       "boot a kernel from 6.14 on"});
    else
        out.push_back({"kernel", Verdict::kBroken, format("Linux %s has no FUSE loaded", name.release),
                       "modprobe fuse"});
}

void check_device(std::vector<Finding>& out)
{
    const UniqueFd device(from_libc(::open("/dev/fuse", O_RDWR | O_CLOEXEC)));
    if (device)
        out.push_back({"device", Verdict::kGood, "/dev/fuse can be opened", ""});
    else
        out.push_back({"device", Verdict::kBroken,
                       format("/dev/fuse cannot be opened (%s)", log::errno_name(device.get())),
                       device.get() == -ENOENT ? "modprobe fuse" : "chmod 666 /dev/fuse"});
}

void check_switch(std::vector<Finding>& out)
{
    const std::string value = read_line(kEnableUring);
    if (value == "Y")
        out.push_back({"fuse.enable_uring", Verdict::kGood, "Y", ""});
    else if (!value.empty())
        out.push_back(
            {"fuse.enable_uring", Verdict::kBroken,
             value +
                 ": the kernel's switch for the ring is off (for good: echo 'options fuse enable_uring=1' "
                 "> /etc/modprobe.d/fuse.conf)",
             format("echo 1 > %s", kEnableUring)});
}

bool in_group(gid_t group)
{
    if (::getegid() == group)
        return true;
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

void check_io_uring_disabled(std::vector<Finding>& out)
{
    const std::string value = read_line(kUringDisabled);
    const std::string group = read_line(kUringGroup);
    const std::string fix = "sysctl kernel.io_uring_disabled=0";
    if (value.empty() || value == "0")
        out.push_back({"io_uring_disabled", Verdict::kGood, value.empty() ? "no such switch" : "0", ""});
    else if (value == "2")
        out.push_back({"io_uring_disabled", Verdict::kBroken, "2: io_uring is off for everybody", fix});
    else if (::geteuid() == 0)
        out.push_back(
            {"io_uring_disabled", Verdict::kWarning,
             "1: io_uring is for root and group " + group + " only; other users' mounts use the device",
             fix});
    else if (group != "-1" && in_group(static_cast<gid_t>(std::strtoul(group.c_str(), nullptr, 10))))
        out.push_back({"io_uring_disabled", Verdict::kGood, "1, and this user is in group " + group, ""});
    else
        out.push_back({"io_uring_disabled", Verdict::kBroken,
                       "1: io_uring is for root and group " + group + " only, and this user is neither",
                       fix});
}

/// By doing it: seccomp filters and security modules show in no file.
void check_io_uring(std::vector<Finding>& out)
{
    io_uring ring;
    io_uring_params params{};
    params.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    const int rc = ::io_uring_queue_init_params(1, &ring, &params);
    if (rc < 0) {
        const std::string why = explain_ring_error(rc);
        const std::size_t remedy = why.find("; remedy: ");
        out.push_back({"io_uring", Verdict::kBroken, why.substr(0, remedy),
                       remedy == std::string::npos ? "" : why.substr(remedy + 10)});
        return;
    }
    ::io_uring_queue_exit(&ring);
    out.push_back({"io_uring", Verdict::kGood, "a ring of the kind that is needed can be set up", ""});
}

void check_max_pages(std::vector<Finding>& out)
{
    if (!exists(kMaxPages)) {
        out.push_back({"fuse.max_pages_limit", Verdict::kGood, "fixed at 256 (1 MiB a request)", ""});
        return;
    }
    const unsigned pages = max_pages_limit();
    const std::string text = format("%u (%s a request)", pages, bytes(pages * 4096.0).c_str());
    if (pages < kGoodPages)
        out.push_back({"fuse.max_pages_limit", Verdict::kWarning, text + ": large reads and writes are cut",
                       format("sysctl fs.fuse.max_pages_limit=%u", kGoodPages)});
    else
        out.push_back({"fuse.max_pages_limit", Verdict::kGood, text, ""});
}

void check_descriptors(std::vector<Finding>& out, unsigned cpus)
{
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t wanted = kOtherDescriptors + rlim_t{cpus} * kThreadsPerQueue * kDescriptorsPerThread;
    const std::string text =
        format("%llu open files allowed, a mount wants about %llu",
               static_cast<unsigned long long>(limit.rlim_cur), static_cast<unsigned long long>(wanted));
    if (limit.rlim_cur < wanted)
        out.push_back({"nofile", Verdict::kWarning, text,
                       format("ulimit -n %llu", static_cast<unsigned long long>(wanted))});
    else
        out.push_back({"nofile", Verdict::kGood, limit.rlim_cur == RLIM_INFINITY ? "unlimited" : text, ""});
}

void check_memlock(std::vector<Finding>& out)
{
    rlimit limit{};
    (void)::getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= kGoodMemlock)
        out.push_back({"memlock", Verdict::kGood,
                       limit.rlim_cur == RLIM_INFINITY
                           ? "unlimited"
                           : bytes(static_cast<double>(limit.rlim_cur)) + " may be locked",
                       ""});
    else
        out.push_back(
            {"memlock", Verdict::kNote,
             bytes(static_cast<double>(limit.rlim_cur)) +
                 " may be locked; some kernels count rings against that, if a mount reports ENOMEM raise it",
             "ulimit -l 8192"});
}

void check_cpus(std::vector<Finding>& out, unsigned possible)
{
    const std::string list = read_line("/sys/devices/system/cpu/online");
    const unsigned online = count_cpu_list(list);
    const double each = static_cast<double>(max_pages_limit()) * 4096;
    const std::string text = format("%u possible, %u online: a mount has %u queues with at least %u entries, "
                                    "%s of address space, resident as far "
                                    "as it is used",
                                    possible, online, possible, possible * kThreadsPerQueue,
                                    bytes(each * possible * kThreadsPerQueue).c_str());
    if (online > 0 && possible > 2 * online)
        out.push_back({"cpus", Verdict::kWarning, text + "; the kernel wants a queue for each possible CPU",
                       format("boot with possible_cpus=%u", online)});
    else
        out.push_back({"cpus", Verdict::kGood, text, ""});
}

} // namespace

void check_kernel(std::vector<Finding>& out)
{
    check_version(out);
    check_device(out);
    check_switch(out);
    check_io_uring_disabled(out);
    check_io_uring(out);
    check_max_pages(out);
}

void check_limits(std::vector<Finding>& out)
{
    const int possible = possible_cpus();
    if (possible <= 0)
        out.push_back({"cpus", Verdict::kBroken, "/sys/devices/system/cpu/possible cannot be read",
                       "mount -t sysfs -o ro sysfs /sys"});
    else
        check_cpus(out, static_cast<unsigned>(possible));
    check_memlock(out);
    check_descriptors(out, static_cast<unsigned>(std::max(possible, 1)));
}

} // namespace rf::command
