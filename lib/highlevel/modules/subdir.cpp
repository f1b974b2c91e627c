// Module subdir: shows one directory of the filesystem below as the root. With rellinks, absolute links into
// that directory are shown as relative ones, since their own path begins elsewhere.
#include "highlevel/modules/path_module.hpp"

#include "base/log.hpp"
#include "highlevel/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

namespace rf::hl {
namespace {

class Subdir final : public PathModule {
public:
    /// `base` ends with '/', or is empty: paths are then relative to the working directory.
    Subdir(fuse_fs& next, UniqueChars base, bool relative_links) noexcept
        : PathModule(next), base_(std::move(base)), base_bytes_(std::strlen(base_.get())),
          relative_links_(relative_links)
    {}

    int path_down(const char* path, PathText& out) override
    {
        const char* rest = path + (path[0] == '/');
        if (base_bytes_ == 0)
            return out.assign(*rest ? rest : ".");
        // The directory itself goes without the slash, unless it is the root.
        const bool cut = *rest == '\0' && base_bytes_ > 1;
        return out.join(base_.get(), base_bytes_ - cut, rest);
    }

    int target_up(const char* path_below, char* target, std::size_t size) override
    {
        if (relative_links_)
            make_relative(path_below, target, size);
        return 0;
    }

private:
    void make_relative(const char* path_below, char* target, std::size_t size) const;

    const UniqueChars base_;
    const std::size_t base_bytes_;
    const bool relative_links_;
};

void drop_slashes(std::string_view& text) noexcept
{
    text.remove_prefix(std::min(text.find_first_not_of('/'), text.size()));
}

/// Drops the first component, and the slashes behind it, from both if it is the same and a directory of the
/// link's path. False if it is not.
bool drop_common_directory(std::string_view& link, std::string_view& target) noexcept
{
    const std::size_t end = link.find('/');
    if (end == std::string_view::npos || target.substr(0, target.find('/')) != link.substr(0, end))
        return false;
    link.remove_prefix(end);
    target.remove_prefix(std::min(end, target.size()));
    drop_slashes(link);
    drop_slashes(target);
    return true;
}

std::size_t count_directories(std::string_view link) noexcept
{
    std::size_t count = 0;
    for (std::size_t end = link.find('/'); end != std::string_view::npos; end = link.find('/')) {
        link.remove_prefix(end);
        drop_slashes(link);
        ++count;
    }
    return count;
}

void Subdir::make_relative(const char* path_below, char* target, std::size_t size) const
{
    const std::string_view base(base_.get(), base_bytes_);
    std::string_view to(target);
    std::string_view link(path_below);
    // A link out of the directory leads nowhere in either form.
    if (!base.starts_with('/') || !to.starts_with(base) || !link.starts_with(base))
        return;
    link.remove_prefix(base_bytes_);
    to.remove_prefix(base_bytes_);
    drop_slashes(link);
    drop_slashes(to);
    while (drop_common_directory(link, to)) {
    }
    const std::size_t ups = count_directories(link);
    if (ups == 0 && to.empty())
        to = ".";
    const std::size_t ups_bytes = 3 * ups;
    if (ups_bytes + to.size() + 1 > size)
        return; // the absolute form is better than half of the other
    std::memmove(target + ups_bytes, to.data(), to.size());
    target[ups_bytes + to.size()] = '\0';
    for (std::size_t at = 0; at < ups_bytes; ++at)
        target[at] = "../"[at % 3];
}

// What the option parser fills; standard layout, for offsetof.
struct Options {
    char* subdir;
    int relative_links;
};
enum Key : int { kHelp = 1 };

constexpr fuse_opt kTable[] = {
    FUSE_OPT_KEY("-h", kHelp),
    FUSE_OPT_KEY("--help", kHelp),
    {"subdir=%s", offsetof(Options, subdir), 0},
    {"rellinks", offsetof(Options, relative_links), 1},
    {"norellinks", offsetof(Options, relative_links), 0},
    FUSE_OPT_END,
};

int on_argument(void*, const char*, int key, fuse_args*)
{
    if (key != kHelp)
        return 1;
    std::fputs("    -o subdir=DIR          show this directory as the root (mandatory)\n"
               "    -o [no]rellinks        show absolute links into it as relative ones\n"
               "                           (default: no)\n",
               stdout);
    return -1;
}

/// A copy that ends with '/' unless it is empty; null: no memory.
UniqueChars with_slash(const char* directory)
{
    const std::size_t bytes = std::strlen(directory);
    const bool missing = bytes != 0 && directory[bytes - 1] != '/';
    UniqueChars copy(static_cast<char*>(std::malloc(bytes + missing + 1)));
    if (copy)
        std::snprintf(copy.get(), bytes + missing + 1, "%s%s", directory, missing ? "/" : "");
    return copy;
}

} // namespace

fuse_fs* make_subdir(fuse_args* args, fuse_fs* fs[])
{
    Options options{};
    const int rc = fuse_opt_parse(args, &options, kTable, on_argument);
    const UniqueChars directory(options.subdir);
    if (rc < 0)
        return nullptr;
    if (!fs || !fs[0] || fs[1]) {
        log::error("fuse: module subdir needs exactly one filesystem below it (EINVAL), giving up");
        return nullptr;
    }
    if (!directory) {
        log::error("fuse: module subdir needs the option subdir=DIR (EINVAL), giving up");
        return nullptr;
    }
    UniqueChars base = with_slash(directory.get());
    std::unique_ptr<Subdir> module(
        base ? new (std::nothrow) Subdir(*fs[0], std::move(base), options.relative_links != 0) : nullptr);
    fuse_fs* made = module ? PathModule::make_fs(module.get()) : nullptr;
    if (!made) {
        log::error("fuse: no memory for module subdir (ENOMEM), giving up");
        return nullptr;
    }
    (void)module.release(); // the filesystem's
    return made;
}

} // namespace rf::hl
