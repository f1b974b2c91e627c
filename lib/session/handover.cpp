// The block of bytes, its checks, and the number of a connection.
#include "session/handover.hpp"

#include "base/fd.hpp"
#include "proto/kernel.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <type_traits>

namespace rf {
namespace {

// Kernel: max_pages is a 16-bit number of 4 KiB pages, fs/fuse/inode.c.
constexpr std::uint32_t kMostMaxWrite = std::uint32_t{0xffff} << 12;

constexpr std::uint64_t kMagic = 0x31766f6864466952; // "RiFdhov1", little-endian
/// Changes whenever a member of Block moves or changes its meaning.
constexpr std::uint32_t kVersion = 1;

enum Bits : std::uint32_t {
    kDefaultPermissions = 1,
    kByFusermount = 2,
    kInUtab = 4,
    kExternal = 8,
    kHasId = 16,
};

/// The front of the bytes; the mount point follows, without a NUL.
struct Block {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t total_bytes = 0;
    std::uint64_t check = 0; // of everything, with 0 here
    std::uint64_t flags = 0;
    std::uint64_t retrieve_limit = 0;
    std::uint64_t next_retrieve = 0;
    std::uint32_t minor = 0;
    std::uint32_t max_write = 0;
    std::uint32_t max_readahead = 0;
    std::uint32_t max_background = 0;
    std::uint32_t congestion_threshold = 0;
    std::uint32_t max_read = 0;
    std::int32_t connection = -1;
    std::uint32_t bits = 0;
    std::uint32_t id_major = 0;
    std::uint32_t id_minor = 0;
    std::uint32_t path_bytes = 0;
    std::uint32_t reserved = 0;
};
static_assert(sizeof(Block) == 96 && std::is_trivially_copyable_v<Block>);

/// FNV-1a: against accidents, not against malice.
std::uint64_t check_of(const Block& block, std::span<const std::byte> path) noexcept
{
    std::uint64_t sum = 0xcbf29ce484222325;
    const auto add = [&sum](std::span<const std::byte> bytes) {
        for (const std::byte byte : bytes)
            sum = (sum ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
    };
    Block bare = block;
    bare.check = 0;
    add(std::as_bytes(std::span(&bare, 1)));
    add(path);
    return sum;
}

std::uint32_t bits_of(const Handover& in) noexcept
{
    return (in.default_permissions ? kDefaultPermissions : 0U) | (in.by_fusermount ? kByFusermount : 0U) |
           (in.in_utab ? kInUtab : 0U) | (in.external ? kExternal : 0U) | (in.has_id ? kHasId : 0U);
}

} // namespace

int encode_handover(const Handover& in, std::span<std::byte> out) noexcept
{
    const std::size_t total = sizeof(Block) + in.mountpoint.size();
    if (total > kMostHandoverBytes)
        return -ENAMETOOLONG;
    if (total > out.size())
        return -ENOBUFS;
    Block block;
    block.magic = kMagic;
    block.version = kVersion;
    block.total_bytes = static_cast<std::uint32_t>(total);
    block.flags = in.flags;
    block.retrieve_limit = in.retrieve_limit;
    block.next_retrieve = in.next_retrieve;
    block.minor = in.minor;
    block.max_write = in.max_write;
    block.max_readahead = in.max_readahead;
    block.max_background = in.max_background;
    block.congestion_threshold = in.congestion_threshold;
    block.max_read = in.max_read;
    block.connection = in.connection;
    block.bits = bits_of(in);
    block.id_major = in.id_major;
    block.id_minor = in.id_minor;
    block.path_bytes = static_cast<std::uint32_t>(in.mountpoint.size());
    block.check = check_of(block, std::as_bytes(std::span(in.mountpoint)));
    std::memcpy(out.data(), &block, sizeof(block));
    std::memcpy(out.data() + sizeof(block), in.mountpoint.data(), in.mountpoint.size());
    return static_cast<int>(total);
}

int decode_handover(std::span<const std::byte> in, Handover& out)
{
    Block block;
    if (in.size() < sizeof(block))
        return -EINVAL;
    std::memcpy(&block, in.data(), sizeof(block));
    if (block.magic != kMagic)
        return -EINVAL;
    if (block.version != kVersion)
        return -EPROTO;
    const std::span<const std::byte> path = in.subspan(sizeof(block));
    if (block.total_bytes != in.size() || block.path_bytes != path.size() ||
        block.check != check_of(block, path))
        return -EINVAL;
    if (block.minor > kern::kMinor)
        return -EPROTO;
    if (block.max_write > kMostMaxWrite)
        return -EINVAL;
    Handover read;
    read.flags = block.flags;
    read.retrieve_limit = block.retrieve_limit;
    read.next_retrieve = block.next_retrieve;
    read.minor = block.minor;
    read.max_write = block.max_write;
    read.max_readahead = block.max_readahead;
    read.max_background = block.max_background;
    read.congestion_threshold = block.congestion_threshold;
    read.max_read = block.max_read;
    read.connection = block.connection;
    read.default_permissions = (block.bits & kDefaultPermissions) != 0;
    read.by_fusermount = (block.bits & kByFusermount) != 0;
    read.in_utab = (block.bits & kInUtab) != 0;
    read.external = (block.bits & kExternal) != 0;
    read.has_id = (block.bits & kHasId) != 0;
    read.id_major = block.id_major;
    read.id_minor = block.id_minor;
    read.mountpoint.assign(reinterpret_cast<const char*>(path.data()), path.size());
    out = std::move(read);
    return 0;
}

int connection_number(int fd) noexcept
{
    std::array<char, 64> path;
    snprintf(path.data(), path.size(), "/proc/self/fdinfo/%d", fd);
    const UniqueFd info(from_libc(::open(path.data(), O_RDONLY | O_CLOEXEC)));
    std::array<char, 1024> text;
    const ssize_t n = info ? ::read(info.get(), text.data(), text.size() - 1) : -1;
    if (n <= 0)
        return -1;
    text[static_cast<std::size_t>(n)] = '\0';
    const std::string_view all(text.data());
    constexpr std::string_view kKey = "fuse_connection:";
    const std::size_t at = all.find(kKey);
    return at == std::string_view::npos
               ? -1
               : static_cast<int>(std::strtol(text.data() + at + kKey.size(), nullptr, 10));
}

} // namespace rf
