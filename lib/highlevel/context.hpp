// Who asks, for the thread that runs an operation: what fuse_get_context() shows.
#pragma once

#include <fuse.h>
#include <fuse_lowlevel.h>

namespace rf::hl {

/// The calling thread's context; all zero before the thread's first request. Never null, on any thread.
inline fuse_context& thread_context() noexcept
{
    static constinit thread_local fuse_context context{};
    return context;
}

/// The request the calling thread serves; null outside of operations.
inline fuse_req_t& thread_request() noexcept
{
    static constinit thread_local fuse_req_t request = nullptr;
    return request;
}

} // namespace rf::hl
