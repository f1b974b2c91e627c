// Where C calls C++: no exception of ours may reach a C caller.
#pragma once

#include "base/log.hpp"

#include <new>
#include <system_error>

namespace rf::abi {

/// Runs `work` and returns what it returns, or `failed` when memory or threads are short. For set-up only,
/// never around calls of the filesystem: an exception from there is the application's. The types are listed
/// on purpose: catching everything would also stop the unwinding of a thread the application cancels, and
/// glibc aborts when that happens.
template <class Result, class Work>
Result guarded(Result failed, Work&& work)
{
    try {
        return work();
    } catch (const std::bad_alloc&) {
        log::error("fuse: out of memory (ENOMEM)");
    } catch (const std::system_error& error) {
        log::error("fuse: %s", error.what());
    }
    return failed;
}

} // namespace rf::abi
