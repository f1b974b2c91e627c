// What only this library offers: include/ringfuse/ringfuse.h.
#include "abi/boundary.hpp"
#include "abi/export.hpp"
#include "abi/handles.hpp"
#include "cli/version.hpp"
#include "session/handover.hpp"

#include "ringfuse/ringfuse.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

static_assert(RINGFUSE_STATE_BYTES == rf::kMostHandoverBytes);

namespace {

/// The mount's part of a handover; the session's is there.
void describe_mount(const fuse_session& se, rf::Handover& out)
{
    out.external = se.mounted.external;
    out.by_fusermount = se.mounted.by_fusermount;
    out.in_utab = se.mounted.in_utab;
    out.mountpoint = se.mounted.mountpoint;
    if (se.mounted.id) {
        out.has_id = true;
        out.id_major = se.mounted.id->major;
        out.id_minor = se.mounted.id->minor;
    }
}

int export_session(fuse_session& se, std::span<std::byte> out)
{
    if (se.mounted.keep_alive) {
        rf::log::error("session not exported: auto_unmount ends the mount with this process (EOPNOTSUPP); "
                       "remedy: no auto_unmount");
        return -EOPNOTSUPP;
    }
    rf::Handover handover;
    const int rc = se.describe(handover);
    if (rc < 0)
        return rc;
    describe_mount(se, handover);
    const int written = rf::encode_handover(handover, out);
    if (written < 0)
        rf::log::error("session not exported: %zu bytes do not hold its state (%s)", out.size(),
                       rf::log::errno_name(written));
    else
        se.leave_mount();
    return written;
}

int adopt_session(fuse_session& se, int fd, std::span<const std::byte> in)
{
    rf::Handover handover;
    int rc = rf::decode_handover(in, handover);
    if (rc < 0) {
        rf::log::error("mount not adopted: the state of %zu bytes is %s (%s)", in.size(),
                       rc == -EPROTO ? "of a version this library does not know" : "damaged or none",
                       rf::log::errno_name(rc));
        return rc;
    }
    rc = se.adopt(fd, handover);
    if (rc < 0)
        return rc;
    se.mounted = {};
    se.mounted.external = handover.external;
    se.mounted.by_fusermount = handover.by_fusermount;
    se.mounted.in_utab = handover.in_utab;
    se.mounted.mountpoint = handover.mountpoint;
    if (handover.has_id)
        se.mounted.id = rf::mount::MountId{handover.id_major, handover.id_minor};
    se.note_mount();
    return 0;
}

} // namespace

extern "C" {

RF_EXPORT const char* ringfuse_version(void)
{
    return RF_PACKAGE_VERSION;
}

RF_EXPORT const char* ringfuse_transport_name(fuse_session* se)
{
    return se ? se->transport_name() : "none";
}

RF_EXPORT int ringfuse_transport_reason(fuse_session* se, char* buf, size_t bytes)
{
    if (!se || (!buf && bytes > 0))
        return -EINVAL;
    return rf::abi::guarded<int>(-ENOMEM, [&] {
        const std::string reason = se->transport_reason();
        if (bytes > 0) {
            const std::size_t fits = std::min(reason.size(), bytes - 1);
            std::memcpy(buf, reason.data(), fits);
            buf[fits] = '\0';
        }
        return static_cast<int>(reason.size());
    });
}

RF_EXPORT int ringfuse_session_set_transport(fuse_session* se, const char* name)
{
    rf::Choice choice{};
    if (!se || !name || !rf::parse_choice(name, choice))
        return -EINVAL;
    return se->choose_transport(choice);
}

RF_EXPORT int ringfuse_session_set_payload_memory(fuse_session* se, uint64_t bytes)
{
    if (!se || bytes > SIZE_MAX / 2)
        return -EINVAL;
    return se->bound_payload_memory(static_cast<std::size_t>(bytes));
}

RF_EXPORT int ringfuse_session_shutdown(fuse_session* se, int timeout_ms)
{
    if (!se)
        return -EINVAL;
    se->shutdown(timeout_ms);
    return 0;
}

RF_EXPORT int ringfuse_session_export(fuse_session* se, void* state, size_t bytes)
{
    if (!se || !state)
        return -EINVAL;
    return rf::abi::guarded<int>(-ENOMEM, [&] {
        return export_session(*se, {static_cast<std::byte*>(state), bytes});
    });
}

RF_EXPORT int ringfuse_session_adopt(fuse_session* se, int fd, const void* state, size_t bytes)
{
    if (!se || !state)
        return -EINVAL;
    return rf::abi::guarded<int>(-ENOMEM, [&] {
        return adopt_session(*se, fd, {static_cast<const std::byte*>(state), bytes});
    });
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
    known.requests = stats.totals.requests;
    known.errors = stats.totals.errors;
    known.bytes_in = stats.totals.bytes_in;
    known.bytes_out = stats.totals.bytes_out;
    known.in_flight = stats.totals.in_flight;
    known.payload_bytes = stats.transport.payload_bytes;
    known.payload_limit = stats.payload_limit;
    std::memset(out, 0, out_bytes);
    std::memcpy(out, &known, std::min(out_bytes, sizeof(known)));
    return 0;
}

} // extern "C"
