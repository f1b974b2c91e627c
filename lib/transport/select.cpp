#include "transport/select.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <liburing.h>

namespace rf {
namespace {

struct ChoiceName {
    std::string_view text;
    Choice choice;
};
constexpr std::array kChoices{
    ChoiceName{"auto", Choice::kAuto},
    ChoiceName{"fuse_uring", Choice::kFuseUring},
    ChoiceName{"dev", Choice::kDevice},
    ChoiceName{"dev_uring", Choice::kDeviceUring},
};

constexpr unsigned kDefaultMaxPagesLimit = 256;
constexpr const char* kEnableUring = "/sys/module/fuse/parameters/enable_uring";
constexpr const char* kUringDisabled = "/proc/sys/kernel/io_uring_disabled";
constexpr const char* kPossibleCpus = "/sys/devices/system/cpu/possible";

/// In a container without it, or with something empty in its place, nothing can be told from what is missing
/// below.
std::string why_without_sys()
{
    return std::string("/sys is not mounted, and the ring wants a queue for each CPU of ") + kPossibleCpus +
           "; remedy: mount -t sysfs -o ro sysfs /sys";
}

int open_a_ring()
{
    io_uring ring;
    io_uring_params params{};
    params.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    const int rc = ::io_uring_queue_init_params(1, &ring, &params);
    if (rc == 0)
        ::io_uring_queue_exit(&ring);
    return rc;
}

/// On a thread of its own. Kernel: io_ring_exit_work(), io_uring/io_uring.c (v6.18), signals every thread
/// that used a ring some time after it was closed, which ends a system call of that thread with EINTR; this
/// one may be the application's, about to run handlers.
int try_a_ring()
{
    int rc = 0;
    Thread thread;
    const int started = thread.start(
        "fuse-probe", [](void* result) { *static_cast<int*>(result) = open_a_ring(); }, &rc);
    thread.join();
    return started < 0 ? started : rc;
}

} // namespace

std::string read_line(const char* path)
{
    const UniqueFd file(from_libc(::open(path, O_RDONLY | O_CLOEXEC)));
    std::array<char, 64> text;
    const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : -1;
    std::string line(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    return line.substr(0, line.find('\n'));
}

bool parse_choice(std::string_view text, Choice& out) noexcept
{
    for (const ChoiceName& known : kChoices) {
        if (known.text == text) {
            out = known.choice;
            return true;
        }
    }
    return false;
}

const char* choice_name(Choice choice) noexcept
{
    for (const ChoiceName& known : kChoices) {
        if (known.choice == choice)
            return known.text.data();
    }
    return "?";
}

int choice_from_environment(Choice& out)
{
    const char* disable = ::secure_getenv("RINGFUSE_DISABLE");
    if (disable && std::string_view(disable) == "1") {
        out = Choice::kDevice;
        return 1;
    }
    const char* text = ::secure_getenv("RINGFUSE_TRANSPORT");
    if (!text || !*text)
        return 0;
    if (parse_choice(text, out))
        return 1;
    log::error("transport unknown: RINGFUSE_TRANSPORT=%s, known are auto, fuse_uring, dev, dev_uring", text);
    return -EINVAL;
}

std::string explain_ring_error(int error)
{
    switch (error) {
    case -EPERM:
    case -EACCES: {
        const std::string disabled = read_line(kUringDisabled);
        if (disabled == "1" || disabled == "2")
            return "io_uring is switched off: kernel.io_uring_disabled=" + disabled +
                   "; remedy: sysctl kernel.io_uring_disabled=0";
        return "io_uring is refused by a security policy (seccomp or LSM); remedy: allow io_uring_setup, "
               "io_uring_enter and io_uring_register in the container's profile";
    }
    case -ENOSYS:
        return "io_uring is missing or refused by seccomp; remedy: a kernel with CONFIG_IO_URING, or allow "
               "io_uring_setup, io_uring_enter and io_uring_register in the container's profile";
    case -EMFILE:
    case -ENFILE:
        return "too few file descriptors for the rings (RLIMIT_NOFILE); remedy: ulimit -n with at least 16 "
               "more per CPU";
    case -ENOMEM:
        return "too little memory for the rings (RLIMIT_MEMLOCK, RLIMIT_AS or the cgroup); remedy: raise "
               "that limit";
    case -ENOBUFS:
        return "the bound of payload memory is too low for two requests per CPU; remedy: a larger "
               "payload_memory, or a "
               "smaller max_write";
    case -EAGAIN:
        return "no more threads can be had (RLIMIT_NPROC, the cgroup's pids.max, or RLIMIT_AS for their "
               "stacks); "
               "remedy: raise that limit";
    case -ENOENT:
        return why_without_sys();
    case -EINVAL:
        return "this kernel's io_uring lacks what the ring needs; remedy: a kernel from 6.14 on";
    case -EOPNOTSUPP: {
        const std::string enabled = read_line(kEnableUring);
        if (enabled.empty() && read_line(kPossibleCpus).empty())
            return why_without_sys();
        if (enabled.empty())
            return "this kernel has no FUSE-over-io_uring; remedy: a kernel from 6.14 on with "
                   "CONFIG_FUSE_IO_URING";
        if (enabled != "Y")
            return std::string("FUSE-over-io_uring is switched off: fuse.enable_uring=") + enabled +
                   "; remedy: echo 1 > " + kEnableUring;
        return "the kernel did not offer FUSE-over-io_uring for this mount";
    }
    default:
        return std::string("the ring could not be set up: ") + log::errno_name(error);
    }
}

int probe_ring(std::string& why)
{
    const int rc = read_line(kEnableUring) == "Y" ? try_a_ring() : -EOPNOTSUPP;
    if (rc < 0)
        why = explain_ring_error(rc);
    return rc;
}

int probe_device_uring(std::string& why)
{
    const int rc = try_a_ring();
    if (rc < 0)
        why = rc == -EINVAL
                  ? "this kernel's io_uring cannot wait for its thread; remedy: a kernel from 6.1 on, "
                    "or transport=dev"
                  : explain_ring_error(rc);
    return rc;
}

unsigned max_pages_limit() noexcept
{
    const std::string text = read_line("/proc/sys/fs/fuse/max_pages_limit");
    unsigned limit = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), limit);
    return parsed.ec == std::errc() && limit > 0 ? limit : kDefaultMaxPagesLimit;
}

} // namespace rf
