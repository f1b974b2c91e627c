// A high-level filesystem from fuse_new() to fuse_destroy().
#include "highlevel/fuse.hpp"

#include "base/log.hpp"
#include "highlevel/modules.hpp"
#include "highlevel/ops.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string_view>

namespace rf::hl {
namespace {

/// Everything but the session. 0 or -errno, logged.
int set_up(::fuse& f, fuse_args& args, const fuse_operations* op, std::size_t op_size, void* user_data)
{
    int rc = parse_config(args, f.config);
    if (rc < 0)
        return rc;
    f.nodes.set_remember(f.config.options.remember);
    rc = f.nodes.open();
    if (rc < 0) {
        log::error("fuse: filesystem not created: no memory for names (%s)", log::errno_name(rc));
        return rc;
    }
    f.fs = fs_new(op, op_size, user_data);
    if (!f.fs)
        return -ENOMEM;
    f.fs->debug = f.config.options.debug != 0;
    if (f.config.modules)
        rc = push_modules(f.fs, f.config.modules.get(), args);
    f.fs->debug = f.config.options.debug != 0;
    return rc;
}

} // namespace

::fuse* create(fuse_args* args, const fuse_operations* op, std::size_t op_size, void* user_data)
{
    if (!args || !op) {
        log::error("fuse: filesystem not created: arguments and operations are needed (EINVAL)");
        return nullptr;
    }
    ::fuse* f = new (std::nothrow)::fuse;
    if (!f) {
        log::error("fuse: filesystem not created (ENOMEM)");
        return nullptr;
    }
    if (set_up(*f, *args, op, op_size, user_data) >= 0)
        // Without a version: whose layout is spoken was settled by who called us.
        f->session = fuse_session_new(args, &kPathOperations, sizeof(kPathOperations), f);
    if (!f->session) {
        destroy(f);
        return nullptr;
    }
    return f;
}

void destroy(::fuse* f)
{
    f->cleanup.stop();
    if (f->initialised && f->fs) {
        thread_context() = {.fuse = f, .uid = 0, .gid = 0, .pid = 0, .private_data = nullptr, .umask = 0};
        remove_hidden(*f);
    }
    if (f->session)
        fuse_session_destroy(f->session); // op_destroy, if init ran
    fs_discard(f->fs);
    if (thread_context().fuse == f)
        thread_context().fuse = nullptr;
    delete f;
}

int find_path(NodeTable& nodes, const char* path, std::uint64_t& number)
{
    Node* at = &nodes.root();
    at->word.add_reference();
    std::string_view rest = path;
    while (at && !rest.empty()) {
        const std::string_view name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        if (name.empty())
            continue;
        Node* child = nodes.pin_known(*at, name);
        nodes.unpin(*at);
        at = child;
    }
    if (!at)
        return -ENOENT;
    number = at->number();
    nodes.unpin(*at);
    return 0;
}

} // namespace rf::hl
