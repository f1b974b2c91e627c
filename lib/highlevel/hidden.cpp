// Open files whose name is removed or replaced: the path-based API could not reach them any more, so they are
// renamed to .fuse_hidden* and removed with their last close.
//
// Who hides marks the node, then looks at the count of open files; who closes counts down, then looks at the
// mark. Both orders are sequentially consistent, so at least one of two that meet sees the other, and the
// exchange of the mark decides who removes the file.
#include "highlevel/ops.hpp"

#include <array>
#include <cerrno>
#include <cstdio>

namespace rf::hl {
namespace {

constexpr int kMostTries = 10;

/// The path of `name` beside the last name of `path`. False if memory is short.
bool beside(std::string_view path, std::string_view name, PathBuffer& result)
{
    result.clear();
    const std::string_view directory = path.substr(0, path.rfind('/'));
    return result.prepend(name) && (directory.empty() || result.prepend(directory.substr(1)));
}

/// A name in the directory that nothing has, held for writing and with a reference; null if there is none.
Node* claim_hidden_name(::fuse& f, const LockedPath& path, PathBuffer& hidden_path)
{
    for (int i = 0; i < kMostTries; ++i) {
        std::array<char, 40> name;
        const int bytes = snprintf(name.data(), name.size(), ".fuse_hidden%08x%08x",
                                   static_cast<unsigned>(path.target()->number()),
                                   f.hide_count.fetch_add(1, std::memory_order_relaxed) + 1);
        const std::string_view fresh(name.data(), static_cast<std::size_t>(bytes));
        Node* node = f.nodes.pin_child(path.base(), fresh);
        if (!node)
            return nullptr;
        if (node->word.try_write()) {
            struct stat st {};
            // A node the kernel knows has a file, or had one a moment ago.
            if (!f.nodes.is_known(*node) && beside(path.text(), fresh, hidden_path) &&
                fs_getattr(*f.fs, hidden_path.c_str(), &st, nullptr) == -ENOENT)
                return node;
            f.nodes.drop(*node, Hold::kWriter);
        }
        f.nodes.unpin(*node);
    }
    return nullptr;
}

/// True for the one who is to remove the file.
bool take_mark(Node& node) noexcept
{
    return node.hidden.exchange(false, std::memory_order_seq_cst);
}

/// Nobody is left who could be told of an error.
void remove_file(::fuse& f, const char* path)
{
    (void)fs_unlink(*f.fs, path);
    f.nr_hidden.fetch_sub(1, std::memory_order_relaxed);
}

/// For who has no path yet.
void remove_file(::fuse& f, fuse_ino_t ino)
{
    LockedPath path(f.nodes);
    path.aim_at(ino);
    if (path.lock() == 0)
        return remove_file(f, path.c_str());
    f.nr_hidden.fetch_sub(1, std::memory_order_relaxed); // somebody removed the hidden name itself
}

} // namespace

int hide_if_open(::fuse& f, LockedPath& path)
{
    Node& node = *path.target();
    if (f.options().hard_remove || node.opens.load(std::memory_order_seq_cst) == 0)
        return 1;
    PathBuffer hidden_path;
    Node* place = claim_hidden_name(f, path, hidden_path);
    if (!place)
        return -EBUSY;
    const int rc = fs_rename(*f.fs, path.c_str(), hidden_path.c_str(), 0);
    if (rc < 0) {
        f.nodes.drop(*place, Hold::kWriter);
        f.nodes.unpin(*place);
        return rc;
    }
    // The file's node takes the hidden name; what has the old one now goes on standing in for it in `path`.
    f.nodes.exchange(node, *place);
    path.replace_target(*place);
    if (!node.hidden.exchange(true, std::memory_order_seq_cst)) // the hidden name itself may be removed
        f.nr_hidden.fetch_add(1, std::memory_order_relaxed);
    if (node.opens.load(std::memory_order_seq_cst) == 0 && take_mark(node))
        remove_file(f, hidden_path.c_str());
    f.nodes.drop(node, Hold::kWriter);
    f.nodes.unpin(node);
    return 0;
}

void note_close(::fuse& f, fuse_ino_t ino, const char* path)
{
    Node* node = f.nodes.find(ino);
    if (!node || node->opens.fetch_sub(1, std::memory_order_seq_cst) != 1 || !take_mark(*node))
        return;
    if (path)
        remove_file(f, path);
    else
        remove_file(f, ino);
}

void remove_hidden(::fuse& f)
{
    f.nodes.for_each([&f](Node& node) {
        if (take_mark(node))
            remove_file(f, node.number());
    });
}

} // namespace rf::hl
