// What every call of an operation has in common: the trace line, the context, the answer when there is no
// operation.
#pragma once

#include "highlevel/fs.hpp"

#include <cerrno>

namespace rf::hl {

/// Makes the filesystem's data the context's while one of its operations runs. The former value comes back,
/// so that the filesystem above still finds its own after it called this one.
class UserDataScope {
public:
    explicit UserDataScope(const fuse_fs& fs) noexcept
        : context_(thread_context()), former_(context_.private_data)
    {
        context_.private_data = fs.user_data;
    }
    ~UserDataScope() { context_.private_data = former_; }
    UserDataScope(const UserDataScope&) = delete;
    UserDataScope& operator=(const UserDataScope&) = delete;

private:
    fuse_context& context_;
    void* const former_;
};

/// Calls `op` if there is one. No noexcept and no catch: the operation may throw or be cancelled.
template <class Result, class... Parameters, class... Arguments>
[[nodiscard]] Result call_or(Result missing, const fuse_fs& fs, Result (*op)(Parameters...),
                             Arguments... arguments)
{
    if (!op)
        return missing;
    const UserDataScope scope(fs);
    return op(arguments...);
}

template <class Result, class... Parameters, class... Arguments>
[[nodiscard]] Result call(const fuse_fs& fs, Result (*op)(Parameters...), Arguments... arguments)
{
    return call_or(Result{-ENOSYS}, fs, op, arguments...);
}

/// A path for messages: open files may come without one.
[[nodiscard]] inline const char* shown(const char* path) noexcept
{
    return path ? path : "(none)";
}

/// The handle for messages.
[[nodiscard]] inline unsigned long long handle(const fuse_file_info* fi) noexcept
{
    return fi ? static_cast<unsigned long long>(fi->fh) : 0;
}

/// One line at debug level, if the filesystem is traced. A macro, so that the arguments cost nothing
/// otherwise.
#define RF_HL_TRACE(fs, ...) ((fs).debug ? ::rf::log::debug(__VA_ARGS__) : void())

} // namespace rf::hl
