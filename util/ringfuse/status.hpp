// `ringfuse status` and what `top` shares with it.
#pragma once

#include "json.hpp"
#include "sessions.hpp"

namespace rf::command {

/// Prints the sessions asked for. Exit code.
[[nodiscard]] int run_status(const Which& which, bool json);

void write_session(Json& json, const Session& session);

/// Requests taken from the kernel and not answered.
[[nodiscard]] std::uint64_t in_flight(const Snapshot& stats);

} // namespace rf::command
