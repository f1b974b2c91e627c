// What only this library offers: include/ringfuse/ringfuse.h.
#include "abi/export.hpp"
#include "abi/handles.hpp"
#include "cli/version.hpp"

#include "ringfuse/ringfuse.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

extern "C" {

RF_EXPORT const char* ringfuse_version(void)
{
    return RF_PACKAGE_VERSION;
}

RF_EXPORT const char* ringfuse_transport_name(fuse_session* se)
{
    return se ? se->transport_name() : "none";
}

RF_EXPORT int ringfuse_session_stats(const fuse_session* se, ringfuse_stats* out, size_t out_bytes)
{
    if (!se || !out || out_bytes == 0)
        return -EINVAL;
    const rf::SessionStats stats = se->stats();
    ringfuse_stats known{};
    known.ring_requests = stats.transport.ring_requests;
    known.device_requests = stats.transport.device_requests;
    known.nr_queues = stats.transport.nr_queues;
    known.nr_workers = stats.transport.nr_workers;
    known.forgets = stats.forgets;
    known.interrupts = stats.interrupts;
    std::memset(out, 0, out_bytes);
    std::memcpy(out, &known, std::min(out_bytes, sizeof(known)));
    return 0;
}

} // extern "C"
