// The cursor over request bodies: see arg_reader.hpp.
#include "proto/arg_reader.hpp"

#include <utility>

namespace rf {
inline namespace proto {

namespace {

// Where an empty read points: a span of nothing may have no address, and nullptr means failure.
constexpr std::byte kNothing{};

} // namespace

void ArgReader::advance() noexcept
{
    if (current_.empty())
        current_ = std::exchange(next_, {});
}

const std::byte* ArgReader::fail() noexcept
{
    failed_ = true;
    return nullptr;
}

const std::byte* ArgReader::take(size_t bytes) noexcept
{
    if (failed_)
        return nullptr;
    if (bytes == 0)
        return &kNothing;
    advance();
    if (bytes > current_.size())
        return fail();
    const std::byte* start = current_.data();
    current_ = current_.subspan(bytes);
    return start;
}

const char* ArgReader::read_name() noexcept
{
    if (failed_)
        return nullptr;
    advance();
    const void* nul = current_.empty() ? nullptr : std::memchr(current_.data(), 0, current_.size());
    if (!nul) {
        failed_ = true;
        return nullptr;
    }
    const size_t bytes = static_cast<size_t>(static_cast<const std::byte*>(nul) - current_.data()) + 1;
    return reinterpret_cast<const char*>(take(bytes));
}

std::span<const std::byte> ArgReader::read_bytes(size_t bytes) noexcept
{
    const std::byte* start = take(bytes);
    return start ? std::span(start, bytes) : std::span<const std::byte>{};
}

} // namespace proto
} // namespace rf
