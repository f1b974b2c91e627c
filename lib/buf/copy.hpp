// Copies between lists of buffers, each of which is memory or a range of a descriptor. What fuse_buf_copy()
// and fuse_buf_size() do; also used where a reply's data comes from a filesystem's descriptor. Lists of
// several pieces are in the application's layout (family/layout.hpp); with one piece there is no difference.
#pragma once

#include <fuse_common.h>

#include <cstddef>
#include <sys/types.h>

namespace rf::buf {

/// Bytes in all buffers of `bufs`, whatever its position; SIZE_MAX if that is not representable.
[[nodiscard]] std::size_t size(const fuse_bufvec& bufs);

/// Copies from `src`'s position to `dst`'s until one of them ends or a transfer is short, and advances both
/// by the bytes copied, which it returns. -errno only if nothing was copied. Memory may overlap. The lists
/// are the caller's for the duration of the call; any thread.
[[nodiscard]] ssize_t copy(fuse_bufvec& dst, fuse_bufvec& src, fuse_buf_copy_flags flags);

} // namespace rf::buf
