// Answers to IOCTL, plain and "fetch these areas first".
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "proto/encode.hpp"

#include <array>
#include <memory>
#include <new>

namespace kern = rf::kern;

extern "C" {

RF_EXPORT int fuse_reply_ioctl(fuse_req_t req, int result, const void* buf, size_t size)
{
    const iovec piece{const_cast<void*>(buf), size};
    return fuse_reply_ioctl_iov(req, result, &piece, size ? 1 : 0);
}

RF_EXPORT int fuse_reply_ioctl_iov(fuse_req_t req, int result, const iovec* iov, int count)
{
    if (count < 0)
        return req->finish(-EINVAL);
    const std::size_t pieces = static_cast<std::size_t>(count) + 1;
    const std::unique_ptr<iovec[]> body(new (std::nothrow) iovec[pieces]);
    if (!body)
        return req->finish(-ENOMEM);
    kern::fuse_ioctl_out out{};
    out.result = result;
    body[0] = {&out, sizeof(out)};
    for (int i = 0; i < count; ++i)
        body[i + 1] = iov[i];
    return req->finish(0, {body.get(), pieces});
}

RF_EXPORT int fuse_reply_ioctl_retry(fuse_req_t req, const iovec* in_iov, size_t in_count,
                                     const iovec* out_iov, size_t out_count)
{
    std::array<std::byte, rf::kIoctlRetryMaxBytes> body;
    const int bytes =
        rf::encode_ioctl_retry(req->session->peer().minor, {in_iov, in_count}, {out_iov, out_count}, body);
    // libfuse answers "too big" where the kernel would have refused the whole message.
    return bytes < 0 ? req->finish(-E2BIG) : req->finish(body.data(), static_cast<std::size_t>(bytes));
}

} // extern "C"
