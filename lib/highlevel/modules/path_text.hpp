// A path or name under construction: in place when short, which it nearly always is.
#pragma once

#include <array>
#include <cstddef>

namespace rf::hl {

/// NUL-terminated text that grows. One thread; not copied, since it lies on the stack of one operation.
class PathText {
public:
    PathText() = default;
    PathText(const PathText&) = delete;
    PathText& operator=(const PathText&) = delete;
    ~PathText();

    /// Room for `bytes`, NUL included. What was there stays. 0 or -ENOMEM.
    [[nodiscard]] int reserve(std::size_t bytes) noexcept;

    /// 0 or -ENOMEM. The source must not lie inside.
    [[nodiscard]] int assign(const char* text) noexcept { return join("", 0, text); }
    /// `front_bytes` of `front`, then `back`.
    [[nodiscard]] int join(const char* front, std::size_t front_bytes, const char* back) noexcept;

    [[nodiscard]] char* data() noexcept { return heap_ ? heap_ : inline_.data(); }
    [[nodiscard]] const char* get() const noexcept { return heap_ ? heap_ : inline_.data(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    std::array<char, 512> inline_; // text only after a write: clearing it would cost more than most paths

    char* heap_ = nullptr;
    std::size_t capacity_ = inline_.size();
};

} // namespace rf::hl
