// extern "C" face of high-level filesystems: creation, mount, loops, end, and what an operation may ask.
#include "abi/export.hpp"
#include "family/family.hpp"
#include "highlevel/fuse.hpp"
#include "highlevel/ops.hpp"

#include "base/log.hpp"

#include <cerrno>

namespace {

namespace hl = rf::hl;

/// The family is settled first: all that follows looks at structures of the application's.
fuse* new_as(fuse_args* args, const fuse_operations* op, size_t op_size, const libfuse_version* version,
             void* user_data)
{
    if (rf::family::latch(version, rf::family::Table::kHighLevel, op_size) < 0)
        return nullptr;
    return hl::create(args, op, op_size, user_data);
}

/// What fuse_new() of 3.0 does first: help is printed here, and nothing is created then.
bool is_help(fuse_args* args)
{
    bool wanted = false;
    if (!args || hl::parse_help(*args, wanted) < 0)
        return true;
    if (wanted)
        hl::print_help(args);
    return wanted;
}

/// Serves with `loop` while forgotten nodes are cleaned up beside it. What init() changed counts, too: see
/// op_init().
template <class Loop>
int run(fuse* f, Loop&& loop)
{
    if (!f)
        return -1;
    if (f->cleanup.start(f->nodes) < 0)
        return -1;
    const int rc = loop(f->session);
    f->cleanup.stop();
    return rc;
}

} // namespace

extern "C" {

RF_EXPORT fuse* fuse_new_30(fuse_args* args, const fuse_operations* op, size_t op_size, void* user_data)
{
    return is_help(args) ? nullptr : new_as(args, op, op_size, nullptr, user_data);
}

RF_EXPORT fuse* fuse_new_31(fuse_args* args, const fuse_operations* op, size_t op_size, void* user_data)
{
    return new_as(args, op, op_size, nullptr, user_data);
}

RF_EXPORT fuse* _fuse_new_30(fuse_args* args, const fuse_operations* op, size_t op_size,
                             libfuse_version* version, void* user_data)
{
    return is_help(args) ? nullptr : new_as(args, op, op_size, version, user_data);
}

RF_EXPORT fuse* _fuse_new_31(fuse_args* args, const fuse_operations* op, size_t op_size,
                             libfuse_version* version, void* user_data)
{
    return new_as(args, op, op_size, version, user_data);
}

RF_EXPORT int fuse_mount(fuse* f, const char* mountpoint)
{
    return f ? fuse_session_mount(f->session, mountpoint) : -1;
}

RF_EXPORT void fuse_unmount(fuse* f)
{
    if (f)
        fuse_session_unmount(f->session);
}

RF_EXPORT void fuse_destroy(fuse* f)
{
    if (f)
        hl::destroy(f);
}

RF_EXPORT void fuse_exit(fuse* f)
{
    if (f)
        fuse_session_exit(f->session);
}

RF_EXPORT fuse_session* fuse_get_session(fuse* f)
{
    return f ? f->session : nullptr;
}

RF_EXPORT int fuse_loop(fuse* f)
{
    return run(f, [](fuse_session* session) { return fuse_session_loop(session); });
}

RF_EXPORT int fuse_loop_mt_312(fuse* f, fuse_loop_config* config)
{
    return run(f, [config](fuse_session* session) { return fuse_session_loop_mt_312(session, config); });
}

RF_EXPORT int fuse_loop_mt_32(fuse* f, fuse_loop_config_v1* config)
{
    return run(f, [config](fuse_session* session) { return fuse_session_loop_mt_32(session, config); });
}

RF_EXPORT int fuse_loop_mt_31(fuse* f, int clone_fd)
{
    return run(f, [clone_fd](fuse_session* session) { return fuse_session_loop_mt_31(session, clone_fd); });
}

RF_EXPORT int fuse_start_cleanup_thread(fuse* f)
{
    return f && f->cleanup.start(f->nodes) == 0 ? 0 : -1;
}

RF_EXPORT void fuse_stop_cleanup_thread(fuse* f)
{
    if (f)
        f->cleanup.stop();
}

RF_EXPORT int fuse_clean_cache(fuse* f)
{
    return f ? hl::clean_nodes(f->nodes) : -1;
}

RF_EXPORT fuse_context* fuse_get_context(void)
{
    return &hl::thread_context();
}

RF_EXPORT int fuse_getgroups(int size, gid_t list[])
{
    fuse_req_t request = hl::thread_request();
    return request ? fuse_req_getgroups(request, size, list) : -EINVAL;
}

RF_EXPORT int fuse_interrupted(void)
{
    fuse_req_t request = hl::thread_request();
    return request ? fuse_req_interrupted(request) : 0;
}

RF_EXPORT int fuse_invalidate_path(fuse* f, const char* path)
{
    if (!f || !path)
        return -EINVAL;
    std::uint64_t number = 0;
    const int rc = hl::find_path(f->nodes, path, number);
    return rc < 0 ? rc : fuse_lowlevel_notify_inval_inode(f->session, number, 0, 0);
}

RF_EXPORT int fuse_notify_poll(fuse_pollhandle* ph)
{
    return fuse_lowlevel_notify_poll(ph);
}

} // extern "C"
