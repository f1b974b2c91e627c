// One mount: from fuse_session_new() to fuse_session_destroy(). Takes requests from the transports, turns
// them into calls of the filesystem, and sends what the filesystem has to say to the kernel.
#pragma once

#include "base/event.hpp"
#include "base/fd.hpp"
#include "base/mutex.hpp"
#include "proto/init.hpp"
#include "proto/opcodes.hpp"
#include "session/options.hpp"
#include "session/request.hpp"
#include "session/request_pool.hpp"
#include "stat/recorder.hpp"
#include "transport/engine.hpp"

#include <array>
#include <atomic>
#include <fuse_lowlevel.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace rf {

/// Counters for ringfuse_session_stats().
struct SessionStats {
    TransportStats transport;
    stat::Totals totals;
    std::uint64_t payload_limit = 0;
    std::uint64_t forgets = 0;
    std::uint64_t interrupts = 0;
};

class CuseDevice;
struct Handover;

class Session : public RequestSink, public StopSignal {
public:
    /// `ops` is copied: the first `op_size` bytes count, newer members we do not know are ignored with a
    /// message.
    Session(const fuse_lowlevel_ops* ops, std::size_t op_size, void* userdata, const SessionOptions& options);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// 0 or -errno. Before anything else.
    [[nodiscard]] int open();
    /// Calls the filesystem's destroy(), if its init() was called and destroy() was not. Last of all.
    void close();

    // ---- Set-up and end. One thread, no loop running.

    /// Requests come from `fd`, which is the session's from now on if `owned`. `companion_fd`: see
    /// Engine::attach().
    void attach(int fd, bool owned, const DeviceIo& io, int companion_fd = -1);
    /// The descriptor is given up (closed if owned); the session can be attached again.
    void detach();
    [[nodiscard]] int fd() const noexcept { return fd_; }
    /// What the mount was told; init() has to agree with it.
    void set_mount_facts(std::string mountpoint, std::uint32_t max_read, bool default_permissions);
    void set_debug(bool on) noexcept;
    /// The session serves a character device, and its operations are those of device->as_filesystem().
    void set_device(std::unique_ptr<const CuseDevice> device) noexcept;
    /// nullptr: a filesystem.
    [[nodiscard]] const CuseDevice* cuse() const noexcept { return cuse_.get(); }
    [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
    /// Before INIT: 0; 1 if the environment says otherwise, and that stays; -EBUSY; -EOPNOTSUPP.
    [[nodiscard]] int choose_transport(Choice choice);
    /// The same for the ring's payload memory; 0: no bound.
    [[nodiscard]] int bound_payload_memory(std::size_t bytes);

    // ---- Handing the mount over (adopt.cpp). 0 or -errno, after a message but for -EAGAIN.

    /// What another session needs to serve the same connection; the mount's part but `max_read` and
    /// `default_permissions` is the caller's to add. Any thread. -EAGAIN: before INIT.
    [[nodiscard]] int describe(Handover& out) RF_EXCLUDES(retrieve_mutex_);
    /// Serves the connection behind `fd`, the session's from now on if this succeeds. Instead of attach().
    [[nodiscard]] int adopt(int fd, const Handover& from) RF_EXCLUDES(retrieve_mutex_);

    /// Whether the transport that was asked for can run here; logs why not. 0 or -errno.
    [[nodiscard]] int check_transport() const;

    // ---- The loop. As libfuse: 0 after a clean end, a signal's number, or -errno.
    int run(const LoopConfig& asked);

    /// For loops of the application's own: handles one message read from fd().
    void process_message(std::span<const std::byte> message);
    [[nodiscard]] std::size_t buffer_bytes() const noexcept { return buffer_bytes_; }

    // ---- Stop. Any thread, any signal handler.
    void exit() noexcept { stop(StopCause::kExit, 0); }
    void exit_from_signal(int signo) noexcept { stop(StopCause::kSignal, signo); }
    /// The loop ends when what was delivered is answered, or (from 0 on) after so many milliseconds.
    void shutdown(int timeout_ms) noexcept;
    [[nodiscard]] bool exited() const noexcept { return stopped(); }
    /// Forgets the stop, so that the loop can run again. Not while one runs.
    void reset() noexcept;

    // ---- For request.cpp, the calls and the C API. Any thread.
    [[nodiscard]] const fuse_lowlevel_ops& ops() const noexcept { return ops_; }
    [[nodiscard]] void* userdata() const noexcept { return userdata_; }
    [[nodiscard]] const Peer& peer() const noexcept { return peer_; }
    /// Whether the kernel understands what the wire learnt with 7.`minor`. Also before INIT, when it is
    /// false.
    [[nodiscard]] bool speaks(std::uint32_t minor) const noexcept
    {
        return got_init_.load(std::memory_order_acquire) && peer_.minor >= minor;
    }
    [[nodiscard]] std::uint64_t wanted() const noexcept { return wanted_; }
    [[nodiscard]] DeviceTransport& device() noexcept { return engine_.device(); }
    [[nodiscard]] const char* transport_name() const noexcept;
    /// Why that one. Empty before INIT.
    [[nodiscard]] std::string transport_reason() RF_EXCLUDES(why_mutex_);
    [[nodiscard]] SessionStats stats() const noexcept;
    void trace_answer(const Request& request, int error, std::span<const iovec> body) const;
    /// What `ringfuse status` shows.
    [[nodiscard]] stat::Recorder& recorder() noexcept { return recorder_; }
    void note_answer(Request& request, int error, std::span<const iovec> body) noexcept;

    // ---- Notifications (notify.cpp). Any thread. 0 or -errno.
    [[nodiscard]] int notify(kern::NotifyCode code, std::span<iovec> body);
    /// Asks the kernel for cached data; the answer comes as the retrieve_reply operation with `cookie`.
    [[nodiscard]] int retrieve(fuse_ino_t ino, std::size_t size, off_t offset, void* cookie);
    /// The cookie of an answer; false if nobody asked (any more).
    [[nodiscard]] bool take_retrieve(std::uint64_t unique, void*& cookie) RF_EXCLUDES(retrieve_mutex_);
    /// The kernel learns of `attr`'s inode with the answer being built. Any thread.
    void note_entry(fuse_ino_t ino, mode_t mode) noexcept
    {
        if (S_ISREG(mode) && ino != 0)
            engine_.kicker().note_regular_file(ino);
    }
    void flush_answers() noexcept { engine_.flush(); }

    // ---- Calls of the dispatcher into its own session (calls_*.cpp, init.cpp, interrupt.cpp).
    void handle_init(Request& request, const kern::fuse_init_in& in, std::size_t wire_bytes);
    void handle_cuse_init(Request& request, const kern::cuse_init_in& in);
    void handle_destroy(Request& request);
    void handle_interrupt(std::uint64_t unique) RF_EXCLUDES(pending_mutex_);
    void forget(fuse_ino_t ino, std::uint64_t nlookup);
    void count_forgets(std::uint64_t count) noexcept { forgets_.fetch_add(count, std::memory_order_relaxed); }

    // ---- RequestSink
    [[nodiscard]] Slot* acquire_slot() override;
    void release_slot(Slot& slot) override;
    void deliver(Slot& slot) override;

    // ---- StopSignal
    void stop(StopCause cause, int error) noexcept override;
    [[nodiscard]] StopCause cause() const noexcept override
    {
        return static_cast<StopCause>(ending_.load(std::memory_order_acquire) >> 32);
    }
    [[nodiscard]] int stop_fd() const noexcept override { return stop_event_.fd(); }
    void await_answers() noexcept override;

private:
    // dispatch.cpp
    [[nodiscard]] int refusal(const Request& request) const noexcept;
    [[nodiscard]] bool is_stranger(const Request& request) const noexcept;
    void begin(Request& request);
    void trace_request(const Request& request) const;

    // init.cpp
    void offer_to_filesystem(fuse_conn_info& conn, const Offer& offer) const;
    [[nodiscard]] int check_wants(fuse_conn_info& conn) const;
    [[nodiscard]] Wants wants_of(const fuse_conn_info& conn) const;
    [[nodiscard]] int agree(const Offer& offer, bool ring_wanted, Wants& wants, Agreed& agreed);
    [[nodiscard]] int try_ring(const Offer& offer, bool ring_wanted, Wants& wants, Agreed& agreed);
    void fail_init(Request& request, int error);
    /// INIT is done: requests travel over `transport` because of `why`. Once per loop, on the thread of
    /// init().
    virtual void announce(const char* transport, const char* why);
    void record_agreement(const Agreed& agreed) noexcept;
    void record_reason(std::string_view reason) noexcept RF_EXCLUDES(why_mutex_);
    [[nodiscard]] unsigned ring_background() const noexcept;

    // cuse.cpp
    /// The kernel ended the device: -ENODEV after a message.
    [[nodiscard]] int report_lost_device() const;

    // adopt.cpp, shutdown.cpp
    [[nodiscard]] int check_adoption(int fd, const Handover& from) const;
    [[nodiscard]] bool is_shutting_down() const noexcept;
    [[nodiscard]] int shutdown_result();
    /// What shows that the connection is over; -1 if nothing does.
    [[nodiscard]] int device_error_fd() const noexcept { return engine_.is_custom() ? -1 : fd_; }

    // interrupt.cpp
    [[nodiscard]] Request* hold_live(std::uint64_t unique);
    [[nodiscard]] bool take_pending(std::uint64_t unique) RF_EXCLUDES(pending_mutex_);
    void check_pending_interrupts(Request& request);
    static void interrupt(Request& request);

    // Constant after construction.
    fuse_lowlevel_ops ops_{};
    void* const userdata_;
    const uid_t owner_;
    std::unique_ptr<const CuseDevice> cuse_;
    SessionOptions options_; // constant from INIT on

    // Constant while a loop runs.
    int fd_ = -1;
    UniqueFd owned_fd_;
    std::uint32_t mount_max_read_ = 0;
    bool default_permissions_ = false;
    bool handlers_never_block_ = false; // init() set FUSE_CONN_FLAG_SINGLE_ISSUER
    std::size_t buffer_bytes_ = 0;

    // Written while INIT is handled, before got_init_ (release); read after it (acquire).
    Peer peer_;
    std::uint64_t wanted_ = 0;       // FUSE_CAP_* in force
    std::size_t retrieve_limit_ = 0; // bytes one NOTIFY_REPLY may carry
    Agreed agreed_;
    std::atomic<bool> got_init_{false};
    std::atomic<bool> got_destroy_{false};

    std::atomic<bool> debug_;
    std::atomic<std::uint64_t> forgets_{0};
    std::atomic<std::uint64_t> interrupts_{0};

    // Why the loop ends and with which number, in one word so that the first to stop sets both.
    static constexpr std::uint64_t kRunning = 0;
    std::atomic<std::uint64_t> ending_{kRunning};
    // Of a shutdown: until when answers are waited for, and that somebody wants the end at once.
    std::atomic<std::int64_t> deadline_ms_{0};
    std::atomic<bool> hurry_{false};
    EventFd stop_event_;

    stat::Recorder recorder_;
    RequestPool pool_;
    Engine engine_;

    // Interrupts for requests no thread has taken yet; see interrupt.cpp.
    struct EarlyInterrupt {
        std::uint64_t unique;
        std::int64_t expires_ms;
    };
    Mutex pending_mutex_;
    std::vector<EarlyInterrupt> pending_ RF_GUARDED_BY(pending_mutex_);
    // How many of them there are by (a part of) their unique, so that other requests need no lock.
    static constexpr std::size_t kPendingBuckets = 256;
    std::array<std::atomic<std::uint32_t>, kPendingBuckets> pending_counts_{};
    [[nodiscard]] std::atomic<std::uint32_t>& pending_count(std::uint64_t unique) noexcept
    {
        return pending_counts_[(unique / 2) % kPendingBuckets]; // the kernel counts in steps of two
    }

    Mutex why_mutex_;
    std::array<char, 256> transport_why_ RF_GUARDED_BY(why_mutex_){};

    struct Retrieve {
        std::uint64_t unique;
        void* cookie;
    };
    Mutex retrieve_mutex_;
    std::vector<Retrieve> retrieves_ RF_GUARDED_BY(retrieve_mutex_);
    std::uint64_t next_retrieve_ RF_GUARDED_BY(retrieve_mutex_) = 0;
};

} // namespace rf
