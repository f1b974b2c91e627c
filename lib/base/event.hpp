// An eventfd with the two things we do to it: signal and drain.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <sys/eventfd.h>

namespace rf {

/// Wakes whoever polls or reads it. signal(): any thread and any signal handler.
class EventFd {
public:
    /// 0 or -errno.
    [[nodiscard]] int open() noexcept
    {
        const int fd = from_libc(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (fd < 0)
            return fd;
        fd_ = UniqueFd(fd);
        return 0;
    }
    void close() noexcept { fd_.reset(); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    // An eventfd write fails only if the counter is about to overflow, i.e. when it is signalled anyway.
    // Leaves errno alone: it is called from signal handlers.
    void signal() const noexcept
    {
        const int saved = errno;
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(fd_.get(), &one, sizeof(one));
        errno = saved;
    }
    void drain() const noexcept
    {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t n = ::read(fd_.get(), &count, sizeof(count));
    }

private:
    UniqueFd fd_;
};

} // namespace rf
