// Memory for an answer of bytes: the request's own where there is one, so that it is not copied once more.
#pragma once

#include <cstdlib>
#include <fuse_lowlevel.h>

namespace rf::hl {

/// Owner thread only; from construction to the answer.
class AnswerBuffer {
public:
    AnswerBuffer(fuse_req_t request, size_t bytes)
    {
        size_t room = 0;
        if (fuse_req_get_payload(request, &data_, &room, nullptr) < 0 || room < bytes)
            data_ = own_ = static_cast<char*>(std::malloc(bytes != 0 ? bytes : 1));
    }
    ~AnswerBuffer() { std::free(own_); }
    AnswerBuffer(const AnswerBuffer&) = delete;
    AnswerBuffer& operator=(const AnswerBuffer&) = delete;

    /// Null if memory is short.
    [[nodiscard]] char* data() const noexcept { return data_; }

private:
    char* data_ = nullptr;
    char* own_ = nullptr;
};

} // namespace rf::hl
