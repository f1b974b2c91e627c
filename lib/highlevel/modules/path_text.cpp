// PathText: see the header.
#include "highlevel/modules/path_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rf::hl {

PathText::~PathText()
{
    std::free(heap_);
}

int PathText::reserve(std::size_t bytes) noexcept
{
    if (bytes <= capacity_)
        return 0;
    const std::size_t wanted = std::max(bytes, 2 * capacity_);
    char* grown = static_cast<char*>(std::realloc(heap_, wanted));
    if (!grown)
        return -ENOMEM;
    if (!heap_)
        std::memcpy(grown, inline_.data(), inline_.size());
    heap_ = grown;
    capacity_ = wanted;
    return 0;
}

int PathText::join(const char* front, std::size_t front_bytes, const char* back) noexcept
{
    const std::size_t back_bytes = std::strlen(back) + 1;
    if (const int rc = reserve(front_bytes + back_bytes); rc < 0)
        return rc;
    std::memcpy(data(), front, front_bytes);
    std::memcpy(data() + front_bytes, back, back_bytes);
    return 0;
}

} // namespace rf::hl
