// The option table of the high level. Rows that belong to one field stand together; a word that stands
// several times has several effects.
#include "highlevel/config.hpp"

#include "base/log.hpp"
#include "highlevel/modules.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <fuse_lowlevel.h>

namespace rf::hl {
namespace {

#define RF_AT(member) offsetof(fuse_config, member)

constexpr fuse_opt kTable[] = {
    // Kept: the session traces too.
    {"debug", RF_AT(debug), 1},
    FUSE_OPT_KEY("debug", FUSE_OPT_KEY_KEEP),
    {"-d", RF_AT(debug), 1},
    FUSE_OPT_KEY("-d", FUSE_OPT_KEY_KEEP),
    {"kernel_cache", RF_AT(kernel_cache), 1},
    {"auto_cache", RF_AT(auto_cache), 1},
    {"noauto_cache", RF_AT(auto_cache), 0},
    {"no_rofd_flush", RF_AT(no_rofd_flush), 1},
    {"umask=", RF_AT(set_mode), 1},
    {"umask=%o", RF_AT(umask), 0},
    {"fmask=", RF_AT(set_mode), 1},
    {"fmask=%o", RF_AT(fmask), 0},
    {"dmask=", RF_AT(set_mode), 1},
    {"dmask=%o", RF_AT(dmask), 0},
    {"uid=", RF_AT(set_uid), 1},
    {"uid=%d", RF_AT(uid), 0},
    {"gid=", RF_AT(set_gid), 1},
    {"gid=%d", RF_AT(gid), 0},
    {"entry_timeout=%lf", RF_AT(entry_timeout), 0},
    {"attr_timeout=%lf", RF_AT(attr_timeout), 0},
    {"ac_attr_timeout=", RF_AT(ac_attr_timeout_set), 1},
    {"ac_attr_timeout=%lf", RF_AT(ac_attr_timeout), 0},
    {"negative_timeout=%lf", RF_AT(negative_timeout), 0},
    {"noforget", RF_AT(remember), -1},
    {"remember=%u", RF_AT(remember), 0},
    {"modules=%s", RF_AT(modules), 0},
    {"parallel_direct_write=%d", RF_AT(parallel_direct_writes), 0},
    FUSE_OPT_END,
};

#undef RF_AT

void set_defaults(fuse_config& options) noexcept
{
    options = fuse_config{};
    options.entry_timeout = 1.0;
    options.attr_timeout = 1.0;
    options.negative_timeout = 0.0;
    options.intr_signal = SIGUSR1;
}

constexpr fuse_opt kHelpTable[] = {
    {"-h", 0, 1},
    {"--help", 0, 1},
    FUSE_OPT_END,
};

} // namespace

int parse_config(fuse_args& args, Config& config)
{
    set_defaults(config.options);
    const int rc = fuse_opt_parse(&args, &config.options, kTable, nullptr);
    config.modules.reset(config.options.modules);
    if (rc < 0)
        return -EINVAL;
    if (!config.options.ac_attr_timeout_set)
        config.options.ac_attr_timeout = config.options.attr_timeout;
    return 0;
}

int parse_help(fuse_args& args, bool& wanted)
{
    int found = 0;
    if (fuse_opt_parse(&args, &found, kHelpTable, nullptr) < 0)
        return -EINVAL;
    wanted = found != 0;
    return 0;
}

void print_help(fuse_args* args)
{
    std::fputs("    -o kernel_cache        keep cached data when a file is opened again\n"
               "    -o [no]auto_cache      keep it if size and modification time did not change\n"
               "                           (default: no)\n"
               "    -o no_rofd_flush       send no flush when a file opened for reading is closed\n"
               "    -o umask=M             clear these permission bits, set all others (octal)\n"
               "    -o fmask=M             the same for files only (octal)\n"
               "    -o dmask=M             the same for directories only (octal)\n"
               "    -o uid=N               show this user as the owner of everything\n"
               "    -o gid=N               show this group as the owner of everything\n"
               "    -o entry_timeout=T     seconds to cache names (default: 1.0)\n"
               "    -o negative_timeout=T  seconds to cache that a name does not exist\n"
               "                           (default: 0.0)\n"
               "    -o attr_timeout=T      seconds to cache attributes (default: 1.0)\n"
               "    -o ac_attr_timeout=T   seconds attributes hold for auto_cache\n"
               "                           (default: attr_timeout)\n"
               "    -o noforget            never forget the number of a file\n"
               "    -o remember=T          remember the number of a file for T seconds\n"
               "                           (default: 0)\n"
               "    -o parallel_direct_write=N\n"
               "                           1: allow writes to a direct_io file side by side\n"
               "    -o modules=M1[:M2...]  put modules on top of the filesystem, M1 lowest\n",
               stdout);
    fuse_lowlevel_help();
    Config config;
    if (args)
        (void)parse_config(*args, config);
    print_module_help(config.modules.get());
}

} // namespace rf::hl
