// Bounds-checked cursor over the body of one request, so that no decoder does arithmetic on kernel bytes.
//
// A body lies in one piece (a message read from /dev/fuse) or in two (the ring's op_in area and its payload).
// Nothing that is read may straddle the two. The bytes are borrowed from the message.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace rf {
inline namespace proto {

/// Once a read fails the reader stays failed: every later read fails as well. Owner thread only.
class ArgReader {
public:
    explicit ArgReader(std::span<const std::byte> first, std::span<const std::byte> second = {}) noexcept
        : current_(first), next_(second)
    {}

    /// Copies the next `wire_bytes` into `out` and zeroes the fields behind them (a peer of an older minor
    /// sends less). False, with `out` all zeroes, if they are not there or `wire_bytes` exceeds the
    /// structure.
    template <class T>
    [[nodiscard]] bool read_struct(T& out, size_t wire_bytes = sizeof(T)) noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>);
        out = T{};
        const std::byte* bytes = wire_bytes <= sizeof(T) ? take(wire_bytes) : fail();
        if (!bytes)
            return false;
        std::memcpy(&out, bytes, wire_bytes);
        return true;
    }

    /// The next bytes up to and including a NUL, which must lie in the same piece. Any other byte, and none
    /// at all, is a legal name here. nullptr on failure.
    [[nodiscard]] const char* read_name() noexcept;

    /// The next `bytes` bytes; check ok() to tell a failure from an empty answer.
    [[nodiscard]] std::span<const std::byte> read_bytes(size_t bytes) noexcept;

    /// Bytes that one read can still get: those left in the current piece, or the whole next one.
    [[nodiscard]] size_t remaining() const noexcept
    {
        return current_.empty() ? next_.size() : current_.size();
    }

    [[nodiscard]] bool ok() const noexcept { return !failed_; }

private:
    /// Moves to the second piece when the first is used up.
    void advance() noexcept;
    /// Address of the next `bytes` bytes, never nullptr unless they are missing.
    const std::byte* take(size_t bytes) noexcept;
    const std::byte* fail() noexcept;

    std::span<const std::byte> current_;
    std::span<const std::byte> next_;
    bool failed_ = false;
};

} // namespace proto
} // namespace rf
