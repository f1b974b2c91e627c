// The workloads that move data, and small helpers all workloads use.
#pragma once

#include "workloads.hpp"

#include <array>

namespace rf::bench {

/// "cannot <what>: <subject> (<error>)" on stderr. Returns `error` (negative errno).
int report_failure(const char* what, const char* subject, int error) noexcept;

/// A path built once, outside the loop. Too long a path becomes "", which no system call accepts.
class Path {
public:
    [[gnu::format(printf, 2, 3)]] void format(const char* format, ...) noexcept;
    /// DIR/f0 ... DIR/f63: each client its own file while there are 64 of them.
    void of_client(const Place& place) noexcept;
    [[nodiscard]] const char* text() const noexcept { return text_.data(); }

private:
    std::array<char, 1024> text_{};
};

/// Owns one descriptor.
class File {
public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();
    /// 0 or -errno; explains itself on stderr when it fails. REQUIRES: not open yet.
    [[nodiscard]] int open(const char* path, int flags) noexcept;
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

/// "read-SIZE", "write-SIZE" and "seqread-SIZE"; nullptr for any other name or a senseless size.
[[nodiscard]] std::unique_ptr<Workload> make_sized_io(std::string_view name, const Place& place);

[[nodiscard]] std::unique_ptr<Workload> make_buffered_read(const Place& place);

} // namespace rf::bench
