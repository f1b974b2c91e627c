// The common part of modules that change nothing but text: every operation goes to the filesystem below, with
// its paths (and link targets, and names of directory entries) rewritten.
#pragma once

#include "highlevel/fs.hpp"
#include "highlevel/modules/path_text.hpp"

namespace rf::hl {

/// Constant after construction, so operations run on any thread; a rewriting that keeps state locks it
/// itself.
class PathModule {
public:
    explicit PathModule(fuse_fs& next) noexcept : next_(next) {}
    PathModule(const PathModule&) = delete;
    PathModule& operator=(const PathModule&) = delete;
    virtual ~PathModule() = default;

    /// A path from above as the filesystem below knows it. 0 or -errno.
    [[nodiscard]] virtual int path_down(const char* path, PathText& out) = 0;
    /// The same for the text of a symbolic link that is being made.
    [[nodiscard]] virtual int target_down(const char* target, PathText& out) { return out.assign(target); }
    /// The text of the link at `path_below`, on its way up, in place. 0 or -errno.
    [[nodiscard]] virtual int target_up(const char* path_below, char* target, std::size_t size);
    /// True if names of entries are rewritten, by name_up().
    [[nodiscard]] virtual bool rewrites_names() const { return false; }
    /// 0; -errno: the entry cannot be shown, and is left out.
    [[nodiscard]] virtual int name_up(const char* name, PathText& out) { return out.assign(name); }

    [[nodiscard]] fuse_fs& next() noexcept { return next_; }

    /// Makes the filesystem object. On success it owns `module`, and through it the filesystem below.
    [[nodiscard]] static fuse_fs* make_fs(PathModule* module);

private:
    fuse_fs& next_;
};

/// The factories of the built-in modules.
fuse_fs* make_subdir(fuse_args* args, fuse_fs* fs[]);
fuse_fs* make_iconv(fuse_args* args, fuse_fs* fs[]);

} // namespace rf::hl
