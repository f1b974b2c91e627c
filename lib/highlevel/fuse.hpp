// The handle of the path-based API: one filesystem, its nodes, and the low-level session below.
#pragma once

#include "family/layout.hpp"
#include "highlevel/cleanup.hpp"
#include "highlevel/config.hpp"
#include "highlevel/fs.hpp"
#include "highlevel/interrupt.hpp"
#include "highlevel/node_table.hpp"

#include <fuse_lowlevel.h>
#include <optional>

/// The handle of the C API.
struct fuse final {
    fuse() = default;
    fuse(const fuse&) = delete;
    fuse& operator=(const fuse&) = delete;

    // Constant after init.
    rf::hl::Config config;
    fuse_fs* fs = nullptr; // the topmost; null after destroy
    fuse_session* session = nullptr;
    bool initialised = false;
    std::optional<rf::family::ConfigForApplication> shown_config; // some applications keep the address

    // Any thread.
    rf::hl::NodeTable nodes;
    rf::hl::Cleanup cleanup;
    std::atomic<std::uint32_t> hide_count{0}; // makes the names of hidden files differ
    std::atomic<int> nr_hidden{0};            // hidden files now: only whether there are any is of use

    // The thread of init and destroy.
    rf::hl::InterruptSignal interrupt_signal;

    [[nodiscard]] const fuse_config& options() const noexcept { return config.options; }
};

namespace rf::hl {

/// What the low-level session calls (ops_table.cpp); its userdata is the fuse.
extern const fuse_lowlevel_ops kPathOperations;

/// nullptr after a message. `args` stays the caller's. Everything is the result's until destroy().
[[nodiscard]] ::fuse* create(fuse_args* args, const fuse_operations* op, std::size_t op_size,
                             void* user_data);
void destroy(::fuse* f);

/// Finds the number of a path among the nodes the kernel knows. 0 or -ENOENT. Any thread.
[[nodiscard]] int find_path(NodeTable& nodes, const char* path, std::uint64_t& number);

} // namespace rf::hl
