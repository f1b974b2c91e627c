#include "proto/secctx.hpp"

#include "proto/kernel.hpp"

#include <cerrno>
#include <cstring>

namespace rf {
inline namespace proto {
namespace {

constexpr std::size_t round_up_8(std::size_t bytes) noexcept
{
    return (bytes + 7) & ~std::size_t{7};
}

/// The security-context record among the extensions: the header's word tells it apart from groups (32 and
/// up). 1 with `record` set to what follows the header and `count` to its labels; 0 if there is none;
/// -EINVAL.
int find_record(std::span<const std::byte> bytes, std::span<const std::byte>& record,
                std::uint32_t& count) noexcept
{
    while (!bytes.empty()) {
        kern::fuse_secctx_header header;
        if (bytes.size() < sizeof(header))
            return -EINVAL;
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.size < sizeof(header) || header.size > bytes.size())
            return -EINVAL;
        if (header.nr_secctx < kern::kExtGroups) {
            record = bytes.subspan(sizeof(header), header.size - sizeof(header));
            count = header.nr_secctx;
            return 1;
        }
        const std::size_t step = round_up_8(header.size);
        bytes = step < bytes.size() ? bytes.subspan(step) : std::span<const std::byte>{};
    }
    return 0;
}

/// Reads one label at the front of `bytes`; the bytes it takes, or -EINVAL.
std::ptrdiff_t read_label(std::span<const std::byte> bytes, SecurityLabel& out) noexcept
{
    kern::fuse_secctx head;
    if (bytes.size() < sizeof(head))
        return -EINVAL;
    std::memcpy(&head, bytes.data(), sizeof(head));
    const std::span<const std::byte> rest = bytes.subspan(sizeof(head));
    const void* nul = std::memchr(rest.data(), 0, rest.size());
    if (!nul)
        return -EINVAL;
    const std::size_t name_bytes =
        static_cast<std::size_t>(static_cast<const std::byte*>(nul) - rest.data()) + 1;
    if (head.size > rest.size() - name_bytes)
        return -EINVAL;
    out.name = reinterpret_cast<const char*>(rest.data());
    out.value = rest.subspan(name_bytes, head.size);
    return static_cast<std::ptrdiff_t>(sizeof(head) + name_bytes + head.size);
}

} // namespace

int count_labels(std::span<const std::byte> extensions) noexcept
{
    std::span<const std::byte> record;
    std::uint32_t count = 0;
    const int rc = find_record(extensions, record, count);
    return rc == 1 ? static_cast<int>(count) : rc;
}

int next_label(std::span<const std::byte> extensions, std::size_t& position, SecurityLabel& out) noexcept
{
    std::span<const std::byte> record;
    std::uint32_t count = 0;
    if (const int rc = find_record(extensions, record, count); rc != 1)
        return rc;
    // Labels have no index of their own: walk from the front, there is hardly ever more than one.
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::ptrdiff_t bytes = at <= record.size() ? read_label(record.subspan(at), out) : -EINVAL;
        if (bytes < 0)
            return static_cast<int>(bytes);
        at += round_up_8(static_cast<std::size_t>(bytes));
        if (i == position) {
            ++position;
            return 1;
        }
    }
    return 0;
}

} // namespace proto
} // namespace rf
