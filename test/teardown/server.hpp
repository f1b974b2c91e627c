// The server process of a cell: the contract's filesystem, scripted to be in the cell's state and to end as
// it says, and looking for what it leaves behind. Public API only, so that the same source runs on any
// implementation of it.
#pragma once

#include "../contract/filesystem.hpp"
#include "cell.hpp"

#include <string>

namespace rf::teardown {

using contract::Shared;

/// Reads at these offsets are orders; see the filesystem's hook in server.cpp. All others are answered.
constexpr off_t kEndHere = 1;
constexpr off_t kBlockHere = 2;
constexpr off_t kKeepThis = 3;
constexpr off_t kPlain = 1 << 20;

/// Places in Shared::n.
enum Number : std::size_t {
    kConnectionInode,
    kBlocked,  // handlers that block
    kKept,     // requests without an answer
    kReleased, // 1: blocked handlers return
    kEndNow,   // 1: a blocked handler ends the session
    kStop      // 1: clients end
};

/// Places in Shared::gate.
enum Door : std::size_t {
    kLoopMayBegin, // only if the cell holds it back
    kInitDone,
    kThreadExits,
    kAnswerKept,
    kRelease, // wakes blocked handlers early
    kClientReady,
    kClientGo
};

/// In the server process: serves `dir` until the end. The process's exit code: 0 if nothing is left behind.
[[nodiscard]] int serve(const Cell& cell, Shared& shared, const std::string& dir);

/// Threads that may run handlers.
[[nodiscard]] constexpr unsigned handler_threads(const Cell& cell)
{
    return cell.single ? 1 : 4;
}

/// Whether the loop is held back until kLoopMayBegin.
[[nodiscard]] constexpr bool loop_waits(const Cell& cell)
{
    return cell.state == State::kRegister || cell.holds_loop();
}

} // namespace rf::teardown
