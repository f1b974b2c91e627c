// What a filesystem may ask about a request. Any thread while the request is not answered.
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "base/log.hpp"
#include "proto/secctx.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>

namespace {

/// The "Groups:" line of a task's status; empty if the task is gone.
std::string groups_line(pid_t pid)
{
    std::array<char, 64> path;
    snprintf(path.data(), path.size(), "/proc/%d/task/%d/status", pid, pid);
    const rf::UniqueFd file(rf::from_libc(::open(path.data(), O_RDONLY | O_CLOEXEC)));
    std::string text;
    std::array<char, 4096> part;
    for (ssize_t n = 0; file && (n = ::read(file.get(), part.data(), part.size())) > 0;)
        text.append(part.data(), static_cast<std::size_t>(n));
    constexpr std::string_view kKey = "\nGroups:";
    const std::size_t at = text.find(kKey);
    if (at == std::string::npos)
        return {};
    const std::size_t from = at + kKey.size();
    return text.substr(from, text.find('\n', from) - from);
}

} // namespace

extern "C" {

RF_EXPORT void* fuse_req_userdata(fuse_req_t req)
{
    return req->session->userdata();
}

RF_EXPORT const fuse_ctx* fuse_req_ctx(fuse_req_t req)
{
    return &req->ctx;
}

RF_EXPORT int fuse_req_getgroups(fuse_req_t req, int size, gid_t list[])
{
    if (size < 0 || (size > 0 && !list))
        return -EINVAL;
    const std::string line = groups_line(req->ctx.pid);
    if (line.empty())
        return -ESRCH;
    int count = 0;
    const char* at = line.c_str();
    for (;;) {
        char* end = nullptr;
        const unsigned long group = std::strtoul(at, &end, 10);
        if (end == at)
            return count;
        if (count < size)
            list[count] = static_cast<gid_t>(group);
        ++count;
        at = end;
    }
}

RF_EXPORT void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void* data)
{
    const rf::MutexLock lock(req->interrupt_mutex);
    req->interrupt_function = func;
    req->interrupt_data = data;
    // The interrupt may have come before anybody listened.
    if (func && req->interrupted.load(std::memory_order_acquire))
        func(req, data);
}

RF_EXPORT int fuse_req_interrupted(fuse_req_t req)
{
    return req->interrupted.load(std::memory_order_acquire) ? 1 : 0;
}

RF_EXPORT bool fuse_req_is_uring(fuse_req_t req)
{
    return req->entry != nullptr;
}

RF_EXPORT int fuse_req_get_payload(fuse_req_t req, char** payload, size_t* payload_sz, void** mr)
{
    if (!payload || !payload_sz || req->payload.empty())
        return -EINVAL;
    *payload = reinterpret_cast<char*>(req->payload.data());
    *payload_sz = req->payload.size();
    if (mr)
        *mr = nullptr;
    return 0;
}

RF_EXPORT int fuse_req_secctx_count(fuse_req_t req)
{
    const int count = rf::count_labels(req->extensions);
    return count > 0 ? count : 0;
}

RF_EXPORT int fuse_req_secctx_next(fuse_req_t req, const char** name, const void** value, uint32_t* size)
{
    rf::SecurityLabel label;
    const int rc = rf::next_label(req->extensions, req->secctx_at, label);
    if (rc == 1) {
        *name = label.name;
        *value = label.value.data();
        *size = static_cast<uint32_t>(label.value.size());
    }
    return rc;
}

RF_EXPORT void fuse_req_secctx_reset(fuse_req_t req)
{
    req->secctx_at = 0;
}

RF_EXPORT int fuse_passthrough_open(fuse_req_t req, int fd)
{
    rf::kern::fuse_backing_map map{};
    map.fd = fd;
    const int rc = rf::from_libc(::ioctl(req->session->fd(), rf::kern::kDevIocBackingOpen, &map));
    if (rc <= 0) {
        rf::log::error("backing file refused: fd=%d (%s), reads and writes come here", fd,
                       rf::log::errno_name(rc));
        return 0;
    }
    return rc;
}

RF_EXPORT int fuse_passthrough_close(fuse_req_t req, int backing_id)
{
    std::uint32_t id = static_cast<std::uint32_t>(backing_id);
    const int rc = rf::from_libc(::ioctl(req->session->fd(), rf::kern::kDevIocBackingClose, &id));
    if (rc < 0)
        rf::log::error("backing file not closed: id=%d (%s)", backing_id, rf::log::errno_name(rc));
    return rc;
}

} // extern "C"
