// One cell of the teardown matrix: how a session ends, what goes on at that moment, the transport, the loop.
//
// States
//   first     nothing was asked of the mount yet. Half of the seeds hold the loop back until the end was
//   ordered. idle      some requests were answered, and the files behind them are forgotten busy      8
//   client processes open, stat, read, write, list and unlink blocked   every thread that may run handlers is
//   inside one, and more requests wait async     8 requests are kept by the filesystem, unanswered; no
//   handler runs racing    busy, and every answer comes from one of two threads of the filesystem's own
//   register  init() has just returned: INIT is answered and the ring's entries are registered about now. A
//   client
//             already waits. The device has no such step; there it is the moment of the INIT answer.
//
// Ends, and what each must lead to. In all of them clients end within bounded time; the connection
// disappears; a server that lives to its end has called destroy() as often as init(), has the threads it
// began with when the loop has returned and the descriptors it began with after fuse_session_destroy().
//   sigterm, sigint, sighup                     the loop returns the signal's number, and the mount is gone
//   exit-handler, exit-thread, exit-signal      fuse_session_exit() from a handler (in first: from init()),
//   from
//       another thread, from a signal handler: the loop returns 0, and the mount is gone
//   sigkill, segv (in a handler; in first: in init())     the process dies of that signal; the mount stays
//   listed,
//       dead, until somebody detaches it
//   umount, fusermount (-u)   while clients hold files it fails with EBUSY and everything goes on; once they
//   have
//       ended it works, and the loop returns 0
//   umount-lazy     the mount is not listed any more; clients with open files go on, and the loop returns 0
//   when the
//       last one has ended
//   umount-force    aborts the connection. The loop returns 0. The mount stays listed if files were open.
//   abort           the loop returns 0. The mount stays listed: nobody unmounts a dead connection.
//   last-client     ends nothing. The clients are killed, the session goes on: it answers, it gets all
//   forgets; then
//       it is unmounted as above.
// In blocked, handlers are let go a moment after the end was ordered: a loop waits for its handlers. In
// async, half of the requests are answered after the loop has returned and half never; for those ends that
// wait for clients (umount, fusermount, umount-lazy, last-client) all of them before.
//
// Forgets: the kernel sends one for an inode that is dropped while the mount lives, and none for what is left
// when it goes. So they equal the lookups where all files are unlinked and the session is asked to go on: in
// idle before the end, and in last-client. Everywhere they are no more than the lookups.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace rf::teardown {

enum class State : unsigned { kFirst, kIdle, kBusy, kBlocked, kAsync, kRacing, kRegister };
constexpr std::array<std::string_view, 7> kStateNames{"first", "idle",   "busy",    "blocked",
                                                      "async", "racing", "register"};

enum class End : unsigned {
    kTerm,
    kInt,
    kHup,
    kKill,
    kSegv,
    kExitHandler,
    kExitThread,
    kExitSignal,
    kUmount,
    kUmountLazy,
    kUmountForce,
    kFusermount,
    kAbort,
    kLastClient
};
constexpr std::array<std::string_view, 14> kEndNames{
    "sigterm",     "sigint", "sighup",      "sigkill",      "segv",       "exit-handler", "exit-thread",
    "exit-signal", "umount", "umount-lazy", "umount-force", "fusermount", "abort",        "last-client"};

constexpr std::array<std::string_view, 3> kTransportNames{"dev", "ring", "dev_uring"};
constexpr std::array<std::string_view, 2> kLoopNames{"mt", "single"};

struct Cell {
    State state = State::kFirst;
    End end = End::kTerm;
    bool ring = false;
    bool uring = false; // the device, through io_uring
    bool single = false;
    unsigned seed =
        0; // decides what is left open above: delays, and whether the answer comes before the exit

    /// An orderly stop from inside: the server unmounts.
    [[nodiscard]] bool stops() const noexcept
    {
        return signal_number() != 0 || end == End::kExitHandler || end == End::kExitThread ||
               end == End::kExitSignal;
    }
    [[nodiscard]] bool dies() const noexcept { return end == End::kKill || end == End::kSegv; }
    /// A handler has to do it.
    [[nodiscard]] bool in_handler() const noexcept { return end == End::kExitHandler || end == End::kSegv; }
    /// The session goes on as long as clients do.
    [[nodiscard]] bool waits_for_clients() const noexcept
    {
        return end == End::kUmount || end == End::kFusermount || end == End::kUmountLazy ||
               end == End::kLastClient;
    }
    /// The signal that stops the loop, or 0.
    [[nodiscard]] int signal_number() const noexcept;
    /// Client processes with files open are there at the end.
    [[nodiscard]] bool has_clients() const noexcept
    {
        return state == State::kBusy || state == State::kBlocked || state == State::kAsync ||
               state == State::kRacing;
    }
    [[nodiscard]] bool holds_loop() const noexcept
    {
        return state == State::kFirst && (seed & 1) != 0 && !in_handler() && end != End::kLastClient;
    }

    /// transport/loop/state/end/seed
    [[nodiscard]] std::string name() const;
};

/// False if `name` is none.
[[nodiscard]] bool parse_cell(std::string_view name, Cell& out);

/// Names of all cells, without their seeds, one a line, to stdout.
void list_cells();

} // namespace rf::teardown
