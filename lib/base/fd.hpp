// One owned file descriptor, and the one place that turns libc's "-1 and errno" into -errno.
#pragma once

#include <cerrno>
#include <concepts>
#include <unistd.h>
#include <utility>

namespace rf {

/// libc's "-1 and errno" -> 0-or-more, or negative errno. The only reader of errno in lib/.
template <std::signed_integral T>
[[nodiscard]] inline T from_libc(T rc) noexcept
{
    return rc < 0 ? static_cast<T>(-errno) : rc;
}

/// Owns one file descriptor; -1 is "none". Owner thread only.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept
    {
        UniqueFd doomed(std::exchange(fd_, other.release()));
        return *this;
    }
    // close() is not retried: on Linux the number is free again even after EINTR.
    ~UniqueFd()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }

    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept { *this = UniqueFd(); }

private:
    int fd_ = -1;
};

} // namespace rf
