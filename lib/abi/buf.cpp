// Buffer lists for C callers: fuse_buf_size() and fuse_buf_copy().
#include "abi/export.hpp"
#include "buf/copy.hpp"

#include <cerrno>

extern "C" {

RF_EXPORT size_t fuse_buf_size(const fuse_bufvec* bufv)
{
    return bufv ? rf::buf::size(*bufv) : 0;
}

RF_EXPORT ssize_t fuse_buf_copy(fuse_bufvec* dst, fuse_bufvec* src, fuse_buf_copy_flags flags)
{
    return dst && src ? rf::buf::copy(*dst, *src, flags) : -EINVAL;
}

} // extern "C"
