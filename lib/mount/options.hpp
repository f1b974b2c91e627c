// Mount options: what `-o` words mean to the kernel and to fusermount3. Parsed when a session is created,
// used when it is mounted. Plain data; owner thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <vector>

struct fuse_args;

namespace rf::mount {

struct Options {
    std::string fsname;  // empty: none given
    std::string subtype; // empty: none given
    bool blkdev = false;
    bool allow_other = false; // a session with allow_root sets this as well
    bool default_permissions = false;
    bool auto_unmount = false;
    bool no_mtab = false; // -n: leave user space mount tables alone
    unsigned long flags =
        MS_NOSUID | MS_NODEV; // MS_*; the default holds for root too, `suid` and `dev` clear it
    std::optional<std::uint32_t> max_read;
    std::optional<std::uint32_t> blksize;
    std::vector<std::string> contexts;     // SELinux words as given: "context=...", "fscontext=...", ...
    std::vector<std::string> mtab_options; // "user=...", "x-...": shown by mount(8), never seen by the kernel

    /// File system type for mount(2): "fuse" or "fuseblk", with ".subtype" if wanted and there is one.
    [[nodiscard]] std::string type(bool with_subtype = true) const;

    /// Mount source for a mount without a device of its own: fsname, else subtype, else `device`.
    [[nodiscard]] std::string source(std::string_view device) const;

    /// Comma list of everything the kernel gets in its data string, without fd, rootmode, user_id and
    /// group_id.
    [[nodiscard]] std::string kernel_data() const;

    /// The `-o` argument for fusermount3: flags, kernel words, source and type. `may_be_unsafe`: the caller
    /// is root, so the absence of nosuid and nodev is worth asking for.
    [[nodiscard]] std::string fusermount_list(bool with_subtype, bool may_be_unsafe) const;

    /// The words mount(8) would show for this mount: flags, kernel words, mtab words.
    [[nodiscard]] std::string mtab_list() const;
};

/// Takes the mount options out of `args`; everything else stays there for later parsers. `out` keeps what it
/// had for options that are not given. 0, or -EINVAL after a message for a word of ours with a bad value.
[[nodiscard]] int parse_options(fuse_args* args, Options& out);

/// Prints the mount options worth knowing to stdout, in the layout of --help; without allow_other and
/// auto_unmount, which stand among the session's.
void print_help();

} // namespace rf::mount
