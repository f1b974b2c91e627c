// extern "C" face of the loop's settings.
#include "cli/loop_config.hpp"
#include "abi/export.hpp"

#include <new>

extern "C" {

RF_EXPORT fuse_loop_config* fuse_loop_cfg_create(void)
{
    return new (std::nothrow) fuse_loop_config;
}

RF_EXPORT void fuse_loop_cfg_destroy(fuse_loop_config* config)
{
    delete config;
}

RF_EXPORT void fuse_loop_cfg_set_idle_threads(fuse_loop_config* config, unsigned int value)
{
    if (config)
        rf::cli::set_idle_threads(*config, value);
}

RF_EXPORT void fuse_loop_cfg_set_max_threads(fuse_loop_config* config, unsigned int value)
{
    if (config)
        rf::cli::set_max_threads(*config, value);
}

RF_EXPORT void fuse_loop_cfg_set_clone_fd(fuse_loop_config* config, unsigned int value)
{
    if (config)
        config->clone_fd = value != 0;
}

RF_EXPORT void fuse_loop_cfg_convert(fuse_loop_config* config, fuse_loop_config_v1* v1_conf)
{
    if (config && v1_conf)
        rf::cli::convert_loop_config(*config, *v1_conf);
}

} // extern "C"
