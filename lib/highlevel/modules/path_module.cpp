// The operation table of modules that rewrite text. user_data of the filesystem is its PathModule.
#include "highlevel/modules/path_module.hpp"

#include <cassert>
#include <cerrno>

namespace rf::hl {
namespace {

PathModule& current() noexcept
{
    auto* module = static_cast<PathModule*>(thread_context().private_data);
    assert(module); // Invariant: operations are called through fs_*(), which put it there
    return *module;
}

/// A path from above, rewritten. An open file may come without one, and then has none below either.
class Below {
public:
    Below(PathModule& module, const char* path) : rc_(path ? module.path_down(path, text_) : 0), there_(path)
    {}

    [[nodiscard]] int error() const noexcept { return rc_; }
    [[nodiscard]] const char* path() const noexcept { return there_ ? text_.get() : nullptr; }

private:
    PathText text_;
    const int rc_;
    const bool there_;
};

/// Calls FUNCTION of the filesystem below with `path` rewritten and the other arguments as they are.
template <auto Function, class... Arguments>
auto forward(const char* path, Arguments... arguments)
{
    PathModule& module = current();
    const Below below(module, path);
    using Result = decltype(Function(module.next(), path, arguments...));
    return below.error() < 0 ? Result{below.error()} : Function(module.next(), below.path(), arguments...);
}

template <auto Function, class... Arguments>
int forward_two(const char* from, const char* to, Arguments... arguments)
{
    PathModule& module = current();
    const Below below_from(module, from);
    const Below below_to(module, to);
    if (below_from.error() < 0)
        return below_from.error();
    if (below_to.error() < 0)
        return below_to.error();
    return Function(module.next(), below_from.path(), below_to.path(), arguments...);
}

int on_symlink(const char* target, const char* path)
{
    PathModule& module = current();
    const Below below(module, path);
    if (below.error() < 0)
        return below.error();
    PathText text;
    const int rc = module.target_down(target, text);
    return rc < 0 ? rc : fs_symlink(module.next(), text.get(), below.path());
}

int on_readlink(const char* path, char* buf, std::size_t size)
{
    PathModule& module = current();
    const Below below(module, path);
    if (below.error() < 0)
        return below.error();
    const int rc = fs_readlink(module.next(), below.path(), buf, size);
    return rc < 0 ? rc : module.target_up(below.path(), buf, size);
}

struct Filler {
    PathModule& module;
    void* buf;
    fuse_fill_dir_t fill;
};

int fill_rewritten(void* buf, const char* name, const struct stat* st, off_t off, fuse_fill_dir_flags flags)
{
    const Filler& filler = *static_cast<Filler*>(buf);
    PathText text;
    if (filler.module.name_up(name, text) < 0)
        return 0;
    return filler.fill(filler.buf, text.get(), st, off, flags);
}

int on_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off, fuse_file_info* fi,
               fuse_readdir_flags flags)
{
    PathModule& module = current();
    if (!module.rewrites_names())
        return forward<fs_readdir>(path, buf, fill, off, fi, flags);
    Filler filler{module, buf, fill};
    return forward<fs_readdir>(path, static_cast<void*>(&filler), &fill_rewritten, off, fi, flags);
}

ssize_t on_copy_file_range(const char* path_in, fuse_file_info* fi_in, off_t off_in, const char* path_out,
                           fuse_file_info* fi_out, off_t off_out, std::size_t size, int flags)
{
    PathModule& module = current();
    const Below in(module, path_in);
    const Below out(module, path_out);
    if (in.error() < 0)
        return in.error();
    if (out.error() < 0)
        return out.error();
    return fs_copy_file_range(module.next(), in.path(), fi_in, off_in, out.path(), fi_out, off_out, size,
                              flags);
}

void* on_init(fuse_conn_info* conn, fuse_config* config)
{
    // nullpath_ok stays as the filesystem below wants it: without a path there is nothing to rewrite.
    PathModule& module = current();
    fs_init(module.next(), *conn, config);
    return &module;
}

void on_destroy(void* data)
{
    auto* module = static_cast<PathModule*>(data);
    fs_destroy(&module->next());
    delete module;
}

constexpr fuse_operations operations()
{
    fuse_operations op{};
    op.getattr = forward<fs_getattr>;
    op.readlink = on_readlink;
    op.mknod = forward<fs_mknod>;
    op.mkdir = forward<fs_mkdir>;
    op.unlink = forward<fs_unlink>;
    op.rmdir = forward<fs_rmdir>;
    op.symlink = on_symlink;
    op.rename = forward_two<fs_rename>;
    op.link = forward_two<fs_link>;
    op.chmod = forward<fs_chmod>;
    op.chown = forward<fs_chown>;
    op.truncate = forward<fs_truncate>;
    op.open = forward<fs_open>;
    op.read = forward<fs_read>;
    op.write = forward<fs_write>;
    op.statfs = forward<fs_statfs>;
    op.flush = forward<fs_flush>;
    op.release = forward<fs_release>;
    op.fsync = forward<fs_fsync>;
    op.setxattr = forward<fs_setxattr>;
    op.getxattr = forward<fs_getxattr>;
    op.listxattr = forward<fs_listxattr>;
    op.removexattr = forward<fs_removexattr>;
    op.opendir = forward<fs_opendir>;
    op.readdir = on_readdir;
    op.releasedir = forward<fs_releasedir>;
    op.fsyncdir = forward<fs_fsyncdir>;
    op.init = on_init;
    op.destroy = on_destroy;
    op.access = forward<fs_access>;
    op.create = forward<fs_create>;
    op.lock = forward<fs_lock>;
    op.utimens = forward<fs_utimens>;
    op.bmap = forward<fs_bmap>;
    op.ioctl = forward<fs_ioctl>;
    op.poll = forward<fs_poll>;
    op.write_buf = forward<fs_write_buf>;
    op.read_buf = forward<fs_read_buf>;
    op.flock = forward<fs_flock>;
    op.fallocate = forward<fs_fallocate>;
    op.copy_file_range = on_copy_file_range;
    op.lseek = forward<fs_lseek>;
    op.statx = forward<fs_statx>;
    op.syncfs = forward<fs_syncfs>;
    return op;
}

} // namespace

int PathModule::target_up(const char*, char*, std::size_t)
{
    return 0;
}

fuse_fs* PathModule::make_fs(PathModule* module)
{
    constexpr fuse_operations kOperations = operations();
    return fs_new(&kOperations, sizeof(kOperations), module);
}

} // namespace rf::hl
