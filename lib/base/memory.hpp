// Anonymous memory straight from the kernel: page-aligned, zero, resident only where touched.
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace rf {

/// Owns one anonymous mapping. A forked child does not get it: the kernel may be writing into it for the
/// parent.
class MappedMemory {
public:
    MappedMemory() = default;
    MappedMemory(MappedMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MappedMemory& operator=(MappedMemory&& other) noexcept
    {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~MappedMemory()
    {
        if (!bytes_.empty())
            ::munmap(bytes_.data(), bytes_.size());
    }

    /// 0 or -errno. REQUIRES: nothing mapped yet.
    [[nodiscard]] int map(std::size_t size) noexcept
    {
        void* at =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            return from_libc(-1);
        // Best effort: without it a child merely pays for copies it never looks at.
        (void)::madvise(at, size, MADV_DONTFORK);
        bytes_ = {static_cast<std::byte*>(at), size};
        return 0;
    }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
    explicit operator bool() const noexcept { return !bytes_.empty(); }

private:
    std::span<std::byte> bytes_;
};

} // namespace rf
