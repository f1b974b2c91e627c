// A module as an application's author would write it, for the test of the loader. Successful unlinks return
// 100 more.
#include <fuse.h>

extern "C" int fusemod_probe_ends;
int fusemod_probe_ends = 0;

namespace {

fuse_fs* g_below = nullptr;

int on_unlink(const char* path)
{
    const int rc = fuse_fs_unlink(g_below, path);
    return rc < 0 ? rc : rc + 100;
}

void on_destroy(void*)
{
    ++fusemod_probe_ends;
    fuse_fs_destroy(g_below);
}

fuse_fs* make(fuse_args* args, fuse_fs* fs[])
{
    const fuse_opt table[] = {FUSE_OPT_KEY("probe_refuse", 1), FUSE_OPT_END};
    const auto on_argument = [](void*, const char*, int key, fuse_args*) { return key == 1 ? -1 : 1; };
    if (fuse_opt_parse(args, nullptr, table, on_argument) < 0)
        return nullptr;
    g_below = fs[0];
    fuse_operations op{};
    op.unlink = on_unlink;
    op.destroy = on_destroy;
    return fuse_fs_new(&op, sizeof(op), nullptr);
}

} // namespace

extern "C" {
extern fuse_module_factory_t fuse_module_probe_factory;
FUSE_REGISTER_MODULE(probe, make);
}
