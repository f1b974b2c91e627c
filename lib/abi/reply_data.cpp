// fuse_reply_data(): file data from memory and descriptors. Over the ring it is read straight into the buffer
// the kernel copies from; over the device it is gathered first.
#include "abi/export.hpp"
#include "abi/handles.hpp"
#include "buf/copy.hpp"

#include <memory>
#include <new>

namespace {

/// Fills `to` from `from` and answers with what there was; a short source is the end of the file.
int copy_and_answer(fuse_req_t req, std::span<std::byte> to, fuse_bufvec& from, fuse_buf_copy_flags flags)
{
    fuse_bufvec target = FUSE_BUFVEC_INIT(to.size());
    target.buf[0].mem = to.data();
    const ssize_t n = rf::buf::copy(target, from, flags);
    if (n < 0)
        return req->finish(static_cast<int>(n));
    return req->finish(to.data(), static_cast<std::size_t>(n));
}

} // namespace

extern "C" {

RF_EXPORT int fuse_reply_data(fuse_req_t req, fuse_bufvec* bufv, fuse_buf_copy_flags flags)
{
    const std::size_t size = rf::buf::size(*bufv);
    const bool plain =
        bufv->count == 1 && bufv->idx == 0 && bufv->off == 0 && !(bufv->buf[0].flags & FUSE_BUF_IS_FD);
    if (plain)
        return req->finish(bufv->buf[0].mem, size);
    if (size > 0 && size <= req->payload.size())
        return copy_and_answer(req, req->payload.first(size), *bufv, flags);
    const std::unique_ptr<std::byte[]> gathered(new (std::nothrow) std::byte[size]);
    if (!gathered)
        return req->finish(-ENOMEM);
    return copy_and_answer(req, {gathered.get(), size}, *bufv, flags);
}

} // extern "C"
