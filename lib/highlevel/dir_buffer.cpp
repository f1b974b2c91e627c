#include "highlevel/dir_buffer.hpp"

#include <cerrno>
#include <cstring>
#include <new>

namespace rf::hl {
namespace {

struct Head {
    std::uint64_t ino;
    std::uint32_t mode;
    std::uint32_t complete;
};

} // namespace

int DirBuffer::add(std::string_view name, const struct stat& attr, bool complete)
{
    const Head head{attr.st_ino, attr.st_mode, complete};
    const std::size_t attr_bytes = complete ? sizeof(attr) : 0;
    const std::size_t start = bytes_.size();
    const std::size_t unpadded = sizeof(head) + attr_bytes + name.size() + 1;
    const std::size_t bytes = (unpadded + kUnit - 1) / kUnit * kUnit;
    if (start / kUnit > UINT32_MAX)
        return -ENOMEM;
    try {
        starts_.reserve(starts_.size() + 1 > starts_.capacity() ? starts_.size() * 2 + 16
                                                                : starts_.capacity());
        bytes_.resize(start + bytes); // padding and NUL are zero
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    starts_.push_back(static_cast<std::uint32_t>(start / kUnit));
    char* at = bytes_.data() + start;
    std::memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    if (complete)
        std::memcpy(at, &attr, sizeof(attr));
    std::memcpy(at + attr_bytes, name.data(), name.size());
    return 0;
}

DirBuffer::Entry DirBuffer::at(std::size_t index) const noexcept
{
    const char* at = bytes_.data() + std::size_t{starts_[index]} * kUnit;
    Head head;
    std::memcpy(&head, at, sizeof(head));
    at += sizeof(head);
    Entry entry;
    entry.complete = head.complete != 0;
    if (entry.complete) {
        std::memcpy(&entry.attr, at, sizeof(entry.attr));
        at += sizeof(entry.attr);
    } else {
        entry.attr.st_ino = head.ino;
        entry.attr.st_mode = head.mode;
    }
    entry.name = at;
    return entry;
}

} // namespace rf::hl
