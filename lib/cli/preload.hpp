// The other half of `ringfuse run`, which puts this library into LD_PRELOAD for one program.
#pragma once

namespace rf::cli {

/// Takes our part of LD_PRELOAD out of the environment, so that helpers the program starts (ssh, shells) do
/// not get this library. RINGFUSE_RUN, set by `ringfuse run`, says which part that is; without it nothing
/// happens. Only the first call does anything.
///
/// Called by the functions a filesystem begins with (option parsing, session creation): those are documented
/// to come before threads, and changing the environment needs that.
void forget_preload() noexcept;

} // namespace rf::cli
