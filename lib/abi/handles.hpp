// What the opaque handles of the C API are, and the way from one to the other.
#pragma once

#include "mount/mount.hpp"
#include "mount/options.hpp"
#include "session/session.hpp"
#include "session/watchdog.hpp"

namespace rf::abi {

/// RINGFUSE_VERBOSE=1.
[[nodiscard]] bool is_verbose() noexcept;

} // namespace rf::abi

/// A session and the mount it made. Mount parts: one thread, no loop running.
struct fuse_session final : rf::Session {
    using rf::Session::Session;

    /// Keeps stderr for the banner, which comes when the transport is known: by then the program may have
    /// gone into the background. Nothing without RINGFUSE_VERBOSE=1.
    void prepare_banner() noexcept;
    void announce(const char* transport, const char* why) override;

    rf::mount::Options mount_options;
    rf::mount::Mounted mounted;
    rf::Watchdog watchdog{*this};

private:
    rf::UniqueFd banner_fd_;
};
