// What the opaque handles of the C API are, and the way from one to the other.
#pragma once

#include "mount/mount.hpp"
#include "mount/options.hpp"
#include "session/session.hpp"
#include "session/watchdog.hpp"

/// A session and the mount it made. Mount parts: one thread, no loop running.
struct fuse_session final : rf::Session {
    using rf::Session::Session;

    rf::mount::Options mount_options;
    rf::mount::Mounted mounted;
    rf::Watchdog watchdog{*this};
};
