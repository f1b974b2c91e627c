// Where modules come from, and how long their code stays.
#include "highlevel/modules.hpp"

#include "base/log.hpp"
#include "highlevel/config.hpp"
#include "highlevel/fs.hpp"
#include "highlevel/modules/path_module.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>

namespace rf::hl {

/// One use of a module. The dynamic linker counts the uses of its code.
class Module {
public:
    Module(fuse_module_factory_t factory, void* library) noexcept : factory_(factory), library_(library) {}
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    ~Module()
    {
        if (library_)
            ::dlclose(library_);
    }

    [[nodiscard]] fuse_fs* make(fuse_args& args, fuse_fs* below[]) const { return factory_(&args, below); }

private:
    const fuse_module_factory_t factory_;
    void* const library_; // null: built in
};

namespace {

struct BuiltIn {
    std::string_view name;
    fuse_module_factory_t factory;
};
constexpr BuiltIn kBuiltIn[] = {
    {"subdir", make_subdir},
    {"iconv", make_iconv},
};

using ModulePtr = std::unique_ptr<Module>;

/// The factory variable in libfusemod_NAME.so, which FUSE_REGISTER_MODULE defines. Null after a message.
ModulePtr load(const char* name)
{
    char file[256];
    char symbol[256];
    const int file_bytes = std::snprintf(file, sizeof(file), "libfusemod_%s.so", name);
    const int symbol_bytes = std::snprintf(symbol, sizeof(symbol), "fuse_module_%s_factory", name);
    // A slash would make the linker take it for a path.
    if (file_bytes >= static_cast<int>(sizeof(file)) || symbol_bytes >= static_cast<int>(sizeof(symbol)) ||
        std::string_view(name).find('/') != std::string_view::npos) {
        log::error("fuse: not a module's name: %s (EINVAL), giving up", name);
        return nullptr;
    }
    void* library = ::dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        log::error("fuse: module not loaded: %s (%s), giving up", name, ::dlerror());
        return nullptr;
    }
    const auto* factory = static_cast<const fuse_module_factory_t*>(::dlsym(library, symbol));
    ModulePtr module(factory && *factory ? new (std::nothrow) Module(*factory, library) : nullptr);
    if (!module) {
        log::error("fuse: module without a factory: %s symbol=%s (ENOENT), giving up", file, symbol);
        ::dlclose(library);
    }
    return module;
}

ModulePtr find(const char* name)
{
    for (const BuiltIn& known : kBuiltIn) {
        if (known.name != name)
            continue;
        ModulePtr module(new (std::nothrow) Module(known.factory, nullptr));
        if (!module)
            log::error("fuse: no memory for module %s (ENOMEM), giving up", name);
        return module;
    }
    return load(name);
}

int push(fuse_fs*& top, const char* name, fuse_args& args)
{
    ModulePtr module = find(name);
    if (!module)
        return -ENOENT;
    fuse_fs* below[] = {top, nullptr};
    fuse_fs* made = module->make(args, below);
    if (!made)
        return -EINVAL; // the factory said why
    if (made == top)
        return 0; // it had nothing to add
    made->below = top;
    made->module = module.release();
    made->debug = top->debug;
    top = made;
    return 0;
}

/// Calls `work` with each name of "a:b", until it returns a negative number, which is then returned.
template <class Work>
int for_each_name(const char* list, Work&& work)
{
    UniqueChars copy(list ? strdup(list) : nullptr);
    if (list && !copy)
        return -ENOMEM;
    char* rest = copy.get();
    for (const char* name = strsep(&rest, ":"); name; name = strsep(&rest, ":")) {
        if (*name == '\0')
            continue;
        if (const int rc = work(name); rc < 0)
            return rc;
    }
    return 0;
}

void print_help_of(const char* name)
{
    const ModulePtr module = find(name);
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    if (!module || fuse_opt_add_arg(&args, "") < 0 || fuse_opt_add_arg(&args, "-h") < 0) {
        fuse_opt_free_args(&args);
        return;
    }
    std::printf("\nOptions of module %s:\n", name);
    (void)module->make(args, nullptr); // prints, and makes nothing
    fuse_opt_free_args(&args);
}

} // namespace

int push_modules(fuse_fs*& top, const char* list, fuse_args& args)
{
    return for_each_name(list, [&](const char* name) { return push(top, name, args); });
}

void print_module_help(const char* list)
{
    for (const BuiltIn& known : kBuiltIn)
        print_help_of(known.name.data());
    (void)for_each_name(list, [](const char* name) {
        for (const BuiltIn& known : kBuiltIn)
            if (known.name == name)
                return 0;
        print_help_of(name);
        return 0;
    });
}

void release_module(Module* module) noexcept
{
    delete module;
}

} // namespace rf::hl
