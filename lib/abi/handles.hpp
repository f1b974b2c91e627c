// What the opaque handles of the C API are, and the way from one to the other.
#pragma once

#include "mount/mount.hpp"
#include "mount/options.hpp"
#include "session/session.hpp"
#include "session/watchdog.hpp"

#include <memory>

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

    /// Tells the statistics where the session is mounted.
    void note_mount();
    /// The mount is another session's to end.
    void leave_mount() noexcept { mount_left_ = true; }
    [[nodiscard]] bool has_left_mount() const noexcept { return mount_left_; }

    rf::mount::Options mount_options;
    rf::mount::Mounted mounted;
    rf::Watchdog watchdog{*this};

private:
    rf::UniqueFd banner_fd_;
    bool mount_left_ = false;
};

namespace rf::abi {

/// Options out of `args`, and a session that is ready to be attached; nullptr after a message. REQUIRES: the
/// family is settled. May throw what guarded() catches.
[[nodiscard]] std::unique_ptr<fuse_session> make_session(fuse_args* args, const fuse_lowlevel_ops* op,
                                                         std::size_t op_size, void* userdata);

} // namespace rf::abi
