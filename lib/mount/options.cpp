// Mount options: the table of words, parsing, and the strings made from the result.
#include "mount/options.hpp"

#include "base/log.hpp"

#include <fuse_opt.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

// Newer than some C libraries; the number is the kernel's (linux/mount.h, since 5.10).
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

namespace rf::mount {
namespace {

struct Flag {
    const char* word;
    unsigned long bit;
    bool set; // the word sets the bit (otherwise it clears it)
};

// The set ones are written out in this order. `atime` is what libfuse 3.14 and older still took.
constexpr std::array kFlags = {
    Flag{"rw", MS_RDONLY, false},
    Flag{"ro", MS_RDONLY, true},
    Flag{"suid", MS_NOSUID, false},
    Flag{"nosuid", MS_NOSUID, true},
    Flag{"dev", MS_NODEV, false},
    Flag{"nodev", MS_NODEV, true},
    Flag{"exec", MS_NOEXEC, false},
    Flag{"noexec", MS_NOEXEC, true},
    Flag{"async", MS_SYNCHRONOUS, false},
    Flag{"sync", MS_SYNCHRONOUS, true},
    Flag{"dirsync", MS_DIRSYNC, true},
    Flag{"atime", MS_NOATIME, false},
    Flag{"noatime", MS_NOATIME, true},
    Flag{"nodiratime", MS_NODIRATIME, true},
    Flag{"nostrictatime", MS_STRICTATIME, false},
    Flag{"symfollow", MS_NOSYMFOLLOW, false},
    Flag{"nosymfollow", MS_NOSYMFOLLOW, true},
};

enum Key : int {
    kAllowOther,
    kDefaultPermissions,
    kAutoUnmount,
    kBlkdev,
    kReadOnly,
    kNoMtab,
    kFsname,
    kSubtype,
    kMaxRead,
    kBlksize,
    kContext,
    kMtab,
    kFirstFlag, // kFirstFlag + i stands for kFlags[i]
};

struct Word {
    const char* pattern; // a trailing '=' matches any value
    Key key;
};

constexpr std::array kWords = {
    Word{"allow_other", kAllowOther},
    Word{"default_permissions", kDefaultPermissions},
    Word{"auto_unmount", kAutoUnmount},
    Word{"blkdev", kBlkdev},
    Word{"-r", kReadOnly},
    Word{"-n", kNoMtab},
    Word{"fsname=", kFsname},
    Word{"subtype=", kSubtype},
    Word{"max_read=", kMaxRead},
    Word{"blksize=", kBlksize},
    Word{"context=", kContext},
    Word{"fscontext=", kContext},
    Word{"defcontext=", kContext},
    Word{"rootcontext=", kContext},
    Word{"user=", kMtab},
};

// What the parser's callback returns.
constexpr int kBad = -1;
constexpr int kTaken = 0;
constexpr int kNotOurs = 1;

std::string_view value_of(std::string_view arg)
{
    return arg.substr(arg.find('=') + 1);
}

int parse_number(std::string_view arg, std::optional<std::uint32_t>& out)
{
    const std::string text(value_of(arg));
    const bool starts_well = !text.empty() && text[0] >= '0' && text[0] <= '9';
    char* end = nullptr;
    const unsigned long number = starts_well ? strtoul(text.c_str(), &end, 0) : 0; // base 0, as the kernel
    if (!starts_well || *end != '\0' || number > UINT32_MAX) {
        log::error("mount option refused: %.*s (EINVAL), the value must be a number below 2^32",
                   static_cast<int>(arg.size()), arg.data());
        return kBad;
    }
    out = static_cast<std::uint32_t>(number);
    return kTaken;
}

// fuse_opt_parse's callback. Words that match nothing arrive with a key of FUSE_OPT_KEY_*, all of them
// negative.
int take_word(void* data, const char* arg, int key, fuse_args*)
{
    Options& options = *static_cast<Options*>(data);
    if (key >= kFirstFlag) {
        const Flag& flag = kFlags[static_cast<std::size_t>(key - kFirstFlag)];
        options.flags = flag.set ? options.flags | flag.bit : options.flags & ~flag.bit;
        return kTaken;
    }
    switch (key) {
    case kAllowOther:
        options.allow_other = true;
        return kTaken;
    case kDefaultPermissions:
        options.default_permissions = true;
        return kTaken;
    case kAutoUnmount:
        options.auto_unmount = true;
        return kTaken;
    case kBlkdev:
        options.blkdev = true;
        return kTaken;
    case kReadOnly:
        options.flags |= MS_RDONLY;
        return kTaken;
    case kNoMtab:
        options.no_mtab = true;
        return kTaken;
    case kFsname:
        options.fsname = value_of(arg);
        return kTaken;
    case kSubtype:
        options.subtype = value_of(arg);
        return kTaken;
    case kMaxRead:
        return parse_number(arg, options.max_read);
    case kBlksize:
        return parse_number(arg, options.blksize);
    case kContext:
        options.contexts.emplace_back(arg);
        return kTaken;
    case kMtab:
        options.mtab_options.emplace_back(arg);
        return kTaken;
    case FUSE_OPT_KEY_OPT:
        if (!std::string_view(arg).starts_with("x-"))
            return kNotOurs;
        options.mtab_options.emplace_back(arg);
        return kTaken;
    default:
        return kNotOurs;
    }
}

void append(std::string& list, std::string_view word)
{
    if (!list.empty())
        list += ',';
    list += word;
}

void append_flags(std::string& list, unsigned long flags)
{
    append(list, flags & MS_RDONLY ? "ro" : "rw");
    for (const Flag& flag : kFlags) {
        if (flag.set && flag.bit != MS_RDONLY && (flags & flag.bit))
            append(list, flag.word);
    }
}

// fusermount3 splits its list at commas and understands a backslash before one.
std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c == ',' || c == '\\')
            out += '\\';
        out += c;
    }
    return out;
}

// The kernel splits its data string at commas too, but leaves quoted security contexts whole.
std::string quoted(std::string_view context)
{
    const std::string_view value = value_of(context);
    if (value.find(',') == value.npos || value.starts_with('"'))
        return std::string(context);
    std::string out(context.substr(0, context.size() - value.size()));
    out += '"';
    out += value;
    out += '"';
    return out;
}

void append_kernel_words(std::string& list, const Options& options)
{
    if (options.default_permissions)
        append(list, "default_permissions");
    if (options.allow_other)
        append(list, "allow_other");
    if (options.max_read)
        append(list, "max_read=" + std::to_string(*options.max_read));
    if (options.blksize)
        append(list, "blksize=" + std::to_string(*options.blksize));
    for (const std::string& context : options.contexts)
        append(list, quoted(context));
}

} // namespace

std::string Options::type(bool with_subtype) const
{
    const std::string base = blkdev ? "fuseblk" : "fuse";
    return with_subtype && !subtype.empty() ? base + "." + subtype : base;
}

std::string Options::source(std::string_view device) const
{
    if (!fsname.empty())
        return fsname;
    return subtype.empty() ? std::string(device) : subtype;
}

std::string Options::kernel_data() const
{
    std::string list;
    append_kernel_words(list, *this);
    return list;
}

std::string Options::fusermount_list(bool with_subtype, bool may_be_unsafe) const
{
    std::string list;
    append_flags(list, flags);
    if (may_be_unsafe && !(flags & MS_NOSUID))
        append(list, "suid");
    if (may_be_unsafe && !(flags & MS_NODEV))
        append(list, "dev");
    append_kernel_words(list, *this);
    if (blkdev)
        append(list, "blkdev");
    if (!fsname.empty())
        append(list, "fsname=" + escaped(fsname));
    if (with_subtype && !subtype.empty())
        append(list, "subtype=" + escaped(subtype));
    if (auto_unmount)
        append(list, "auto_unmount");
    return list;
}

std::string Options::mtab_list() const
{
    std::string list;
    append_flags(list, flags);
    append_kernel_words(list, *this);
    for (const std::string& word : mtab_options)
        append(list, word);
    return list;
}

int parse_options(fuse_args* args, Options& out)
{
    std::array<fuse_opt, kWords.size() + kFlags.size() + 1> table{}; // the zeroed last row ends it
    std::size_t row = 0;
    for (const Word& word : kWords)
        table[row++] = FUSE_OPT_KEY(word.pattern, word.key);
    for (std::size_t i = 0; i < kFlags.size(); i++)
        table[row++] = FUSE_OPT_KEY(kFlags[i].word, kFirstFlag + static_cast<int>(i));
    return fuse_opt_parse(args, &out, table.data(), take_word) < 0 ? -EINVAL : 0;
}

void print_help()
{
    static constexpr char kText[] =
        "    -o default_permissions have the kernel check file modes and owners\n"
        "    -o fsname=NAME         name shown as the source of the mount\n"
        "    -o subtype=NAME        kind of filesystem, shown after \"fuse.\"\n"
        "    -o max_read=N          largest read request in bytes\n"
        "    -o ro, nosuid, nodev, noexec, sync, dirsync, noatime, ...\n"
        "                           flags of mount(8); nosuid and nodev are the default\n";
    fputs(kText, stdout);
}

} // namespace rf::mount
