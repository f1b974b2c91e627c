// Anonymous memory straight from the kernel: page-aligned, zero, resident only where touched.
#pragma once

#include "base/fd.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace rf {

/// Asks for pages of NUMA node `node` in `bytes`, as far as they are not there yet and it has some. Not
/// through libnuma: it would add a look at the whole machine, and a library to depend on, to this one system
/// call.
inline void prefer_node(std::span<std::byte> bytes, unsigned node) noexcept
{
    constexpr unsigned kBits = 8 * sizeof(unsigned long);
    constexpr int kPreferred = 1; // MPOL_PREFERRED, linux/mempolicy.h
    std::array<unsigned long, 1024 / kBits> mask{};
    if (node >= 1024)
        return;
    mask[node / kBits] = 1UL << (node % kBits);
    (void)::syscall(SYS_mbind, bytes.data(), bytes.size(), kPreferred, mask.data(), mask.size() * kBits, 0);
}

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
    friend class TwinMapping;
};

/// The same anonymous pages mapped twice: where the kernel reads and writes, and where we do. The two can be
/// parted: renew() puts fresh pages under the kernel's view, while whoever still reads the old ones goes on
/// doing so.
class TwinMapping {
public:
    /// 0 or -errno. `node`: the NUMA node the pages are to come from; below 0: of whoever touches them first.
    /// REQUIRES: nothing mapped yet.
    [[nodiscard]] int map(std::size_t size, int node = -1) noexcept
    {
        node_ = node;
        MappedMemory pages;
        int rc = map_shared(size, pages);
        if (rc == 0)
            rc = map_again(pages, ours_);
        if (rc == 0)
            kernels_ = std::move(pages);
        return rc;
    }
    [[nodiscard]] std::span<std::byte> kernels() const noexcept { return kernels_.bytes(); }
    [[nodiscard]] std::span<std::byte> ours() const noexcept { return ours_.bytes(); }

    /// Puts fresh zero pages under kernels(), at the same address, and moves ours() there; `old` becomes the
    /// former ours(), as it was. The kernel must not use it at this moment. 0, or -errno and nothing has
    /// changed.
    [[nodiscard]] int renew(MappedMemory& old) noexcept
    {
        const std::size_t size = kernels().size();
        MappedMemory fresh;
        MappedMemory again;
        int rc = map_shared(size, fresh);
        if (rc == 0)
            rc = map_again(fresh, again);
        if (rc < 0)
            return rc;
        if (::mremap(fresh.bytes_.data(), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, kernels().data()) ==
            MAP_FAILED)
            return from_libc(-1);
        fresh.bytes_ = {};
        std::swap(ours_, again);
        std::swap(old, again);
        return 0;
    }

    /// Gives the pages from `keep` (a multiple of the page size) on back; they read as zeros. The kernel must
    /// not use it at this moment.
    void give_back(std::size_t keep) noexcept
    {
        if (keep < ours().size())
            (void)::madvise(ours().data() + keep, ours().size() - keep, MADV_REMOVE);
    }

private:
    int map_shared(std::size_t size, MappedMemory& out) const noexcept
    {
        const int rc = adopt(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            size, out);
        if (rc == 0 && node_ >= 0)
            prefer_node(out.bytes(), static_cast<unsigned>(node_));
        return rc;
    }
    static int map_again(const MappedMemory& pages, MappedMemory& out) noexcept
    {
        // Kernel: mremap() with an old size of 0 maps shared pages a second time.
        return adopt(::mremap(pages.bytes().data(), 0, pages.bytes().size(), MREMAP_MAYMOVE),
                     pages.bytes().size(), out);
    }
    static int adopt(void* at, std::size_t size, MappedMemory& out) noexcept
    {
        if (at == MAP_FAILED)
            return from_libc(-1);
        (void)::madvise(at, size, MADV_DONTFORK);
        out.bytes_ = {static_cast<std::byte*>(at), size};
        return 0;
    }

    int node_ = -1;
    MappedMemory kernels_;
    MappedMemory ours_;
};

} // namespace rf
