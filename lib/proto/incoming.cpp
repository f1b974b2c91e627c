// Header checks for both shapes of a request: see incoming.hpp.
#include "proto/incoming.hpp"

#include <cerrno>
#include <cstring>

namespace rf {
inline namespace proto {

namespace {

constexpr size_t kHeaderBytes = sizeof(kern::fuse_in_header);
constexpr size_t kExtUnit = 8;

size_t extension_bytes(const kern::fuse_in_header& header)
{
    return size_t{header.total_extlen} * kExtUnit;
}

} // namespace

int parse_device_message(std::span<const std::byte> message, Incoming& out) noexcept
{
    if (message.size() < kHeaderBytes)
        return -EINVAL;
    kern::fuse_in_header header;
    std::memcpy(&header, message.data(), kHeaderBytes);
    const std::span<const std::byte> body = message.subspan(kHeaderBytes);
    if (header.len != message.size() || extension_bytes(header) > body.size())
        return -EINVAL;
    out = {.header = header, .fixed = body, .rest = {}};
    return 0;
}

int parse_ring_message(std::span<const std::byte, kern::kRingAreaBytes> in_out,
                       std::span<const std::byte, kern::kRingAreaBytes> op_in,
                       std::span<const std::byte> payload, Incoming& out) noexcept
{
    kern::fuse_in_header header;
    std::memcpy(&header, in_out.data(), kHeaderBytes);
    // Kernel: header.len is what the device path would have sent, so it covers at least header and payload.
    if (header.len < kHeaderBytes + payload.size() || extension_bytes(header) > payload.size())
        return -EINVAL;
    // An empty payload must not look like a device message.
    const std::span<const std::byte> rest = payload.data() ? payload : std::span(op_in).last(0);
    out = {.header = header, .fixed = op_in, .rest = rest};
    return 0;
}

std::span<const std::byte> extensions(const Incoming& message) noexcept
{
    const std::span<const std::byte> body = message.rest.data() ? message.rest : message.fixed;
    const size_t bytes = extension_bytes(message.header);
    return bytes <= body.size() ? body.last(bytes) : std::span<const std::byte>{};
}

} // namespace proto
} // namespace rf
