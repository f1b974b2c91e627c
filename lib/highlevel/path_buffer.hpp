// A path that is written from its end to its beginning, as that is the way a walk to the root finds it.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace rf::hl {

/// Owner thread only. Up to about 1000 bytes nothing is allocated.
class PathBuffer {
public:
    PathBuffer() noexcept { clear(); }
    PathBuffer(const PathBuffer&) = delete;
    PathBuffer& operator=(const PathBuffer&) = delete;

    void clear() noexcept { start_at(bytes_ + size_ - 1); }

    /// Puts "/name" before what is there. False if memory is short.
    [[nodiscard]] bool prepend(std::string_view name) noexcept
    {
        if (static_cast<std::size_t>(at_ - bytes_) <= name.size() && !grow(name.size() + 1))
            return false;
        at_ -= name.size();
        std::memcpy(at_, name.data(), name.size());
        *--at_ = '/';
        return true;
    }

    [[nodiscard]] std::string_view text() const noexcept
    {
        return {at_, static_cast<std::size_t>(bytes_ + size_ - 1 - at_)};
    }
    [[nodiscard]] const char* c_str() const noexcept { return at_; }

private:
    void start_at(char* end) noexcept
    {
        *end = '\0';
        at_ = end;
    }

    [[nodiscard]] bool grow(std::size_t more) noexcept
    {
        const std::size_t used = text().size();
        const std::size_t size = std::max(size_ * 2, used + more + 1);
        std::unique_ptr<char[]> larger(new (std::nothrow) char[size]);
        if (!larger)
            return false;
        char* at = larger.get() + size - 1 - used;
        std::memcpy(at, at_, used + 1);
        heap_ = std::move(larger);
        bytes_ = heap_.get();
        size_ = size;
        at_ = at;
        return true;
    }

    static constexpr std::size_t kInlineBytes = 1024;
    char inline_[kInlineBytes];
    std::unique_ptr<char[]> heap_;
    char* bytes_ = inline_;
    std::size_t size_ = kInlineBytes;
    char* at_ = nullptr; // the first byte in use; the NUL at the end of bytes_ if there is none
};

} // namespace rf::hl
