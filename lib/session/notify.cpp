#include "session/notify.hpp"

#include "base/log.hpp"
#include "session/session.hpp"

#include <algorithm>
#include <array>

namespace rf {
namespace {

// Uniques of retrieve requests: disjoint from the kernel's own (small, even) and from the ring's kicks
// (2^61).
constexpr std::uint64_t kRetrieveBase = std::uint64_t{1} << 62;

constexpr std::uint32_t kMinorRetrieve = 15;

} // namespace

int Session::notify(kern::NotifyCode code, std::span<iovec> body)
{
    if (!got_init_.load(std::memory_order_acquire) || fd_ < 0)
        return -ENOTCONN;
    // The kernel may wait, inside the notification, for a request this very thread has answered but not sent
    // yet.
    flush_answers();
    kern::fuse_out_header header{};
    header.error = code;
    constexpr std::size_t kMaxPieces = 8;
    std::array<iovec, kMaxPieces> message;
    if (body.size() + 1 > message.size())
        return -EINVAL;
    message[0] = {&header, sizeof(header)};
    std::copy(body.begin(), body.end(), message.begin() + 1);
    return engine_.device().write_message(std::span(message).first(body.size() + 1));
}

int Session::retrieve(fuse_ino_t ino, std::size_t size, off_t offset, void* cookie)
{
    if (!speaks(kMinorRetrieve))
        return -ENOSYS;
    kern::fuse_notify_retrieve_out out{};
    {
        const MutexLock lock(retrieve_mutex_);
        out.notify_unique = kRetrieveBase + 2 * next_retrieve_++;
        retrieves_.push_back({out.notify_unique, cookie});
    }
    out.nodeid = ino;
    out.offset = static_cast<std::uint64_t>(offset);
    out.size = static_cast<std::uint32_t>(std::min(size, retrieve_limit_));
    std::array<iovec, 1> body{iovec{&out, sizeof(out)}};
    const int rc = notify(kern::NOTIFY_RETRIEVE, body);
    void* mine = nullptr;
    if (rc < 0)
        (void)take_retrieve(out.notify_unique, mine);
    return rc;
}

bool Session::take_retrieve(std::uint64_t unique, void*& cookie)
{
    const MutexLock lock(retrieve_mutex_);
    const auto at = std::find_if(retrieves_.begin(), retrieves_.end(),
                                 [&](const Retrieve& one) { return one.unique == unique; });
    if (at == retrieves_.end())
        return false;
    cookie = at->cookie;
    retrieves_.erase(at);
    return true;
}

} // namespace rf
