// Old symbol versions: the names binaries of earlier releases ask for, and what each leads to today. Only in
// the shared libraries, since a version exists only there; not in the static core, and compiled without LTO.
// Compiled once per library: which version is the default one ("@@", what new links and a plain dlsym() get)
// depends on the generation, RF_GENERATION: 3 as in the last libfuse3.so.3, 4 as in libfuse3.so.4.
//
// An assembler directive can version only a symbol of its own file, hence the forwarding functions.
#include "abi/export.hpp"

#include <fuse.h>
#include <fuse_common.h>
#include <fuse_lowlevel.h>

#if RF_GENERATION == 3
#define RF_DEFAULT_IN_3 "@@"
#define RF_DEFAULT_IN_4 "@"
#elif RF_GENERATION == 4
#define RF_DEFAULT_IN_3 "@"
#define RF_DEFAULT_IN_4 "@@"
#else
#error RF_GENERATION is 3 or 4
#endif

extern "C" {

// Before 3.12 struct fuse_cmdline_opts had 40 bytes.
RF_EXPORT int rf_compat_parse_cmdline_30(fuse_args* args, fuse_cmdline_opts* opts)
{
    return fuse_parse_cmdline_30(args, opts);
}
RF_SYMVER(rf_compat_parse_cmdline_30, "fuse_parse_cmdline@FUSE_3.0");

// What sources compiled today import; the core has only the two spelled-out names.
RF_EXPORT int rf_compat_parse_cmdline_312(fuse_args* args, fuse_cmdline_opts* opts)
{
    return fuse_parse_cmdline_312(args, opts);
}
RF_SYMVER(rf_compat_parse_cmdline_312, "fuse_parse_cmdline@@FUSE_3.12");

// Release 3.18.0 alone had these under another node.
RF_EXPORT bool rf_compat_set_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    return fuse_set_feature_flag(conn, flag);
}
RF_SYMVER(rf_compat_set_feature_flag, "fuse_set_feature_flag@FUSE_3.18");

RF_EXPORT void rf_compat_unset_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    fuse_unset_feature_flag(conn, flag);
}
RF_SYMVER(rf_compat_unset_feature_flag, "fuse_unset_feature_flag@FUSE_3.18");

RF_EXPORT bool rf_compat_get_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    return fuse_get_feature_flag(conn, flag);
}
RF_SYMVER(rf_compat_get_feature_flag, "fuse_get_feature_flag@FUSE_3.18");

RF_EXPORT int rf_compat_convert_to_conn_want_ext(fuse_conn_info* conn)
{
    return fuse_convert_to_conn_want_ext(conn);
}
RF_SYMVER(rf_compat_convert_to_conn_want_ext, "fuse_convert_to_conn_want_ext@FUSE_3.18");

// The multi-threaded loop took a flag, then a structure the application fills, then an opaque one.
RF_EXPORT int rf_compat_session_loop_mt_31(fuse_session* se, int clone_fd)
{
    return fuse_session_loop_mt_31(se, clone_fd);
}
RF_SYMVER(rf_compat_session_loop_mt_31, "fuse_session_loop_mt@FUSE_3.0");

// Release 3.2.0 alone had the first form under another node.
RF_EXPORT int rf_compat_session_loop_mt_31_at_3_1(fuse_session* se, int clone_fd)
{
    return fuse_session_loop_mt_31(se, clone_fd);
}
RF_SYMVER(rf_compat_session_loop_mt_31_at_3_1, "fuse_session_loop_mt@FUSE_3.1");

RF_EXPORT int rf_compat_session_loop_mt_32(fuse_session* se, fuse_loop_config_v1* config)
{
    return fuse_session_loop_mt_32(se, config);
}
RF_SYMVER(rf_compat_session_loop_mt_32, "fuse_session_loop_mt@FUSE_3.2");

RF_EXPORT int rf_compat_session_loop_mt_312(fuse_session* se, fuse_loop_config* config)
{
    return fuse_session_loop_mt_312(se, config);
}
RF_SYMVER(rf_compat_session_loop_mt_312, "fuse_session_loop_mt@@FUSE_3.12");

// Before 3.17 struct fuse_custom_io had four members and no size was passed.
RF_EXPORT int rf_compat_session_custom_io_30(fuse_session* se, const fuse_custom_io* io, int fd)
{
    return fuse_session_custom_io_30(se, io, fd);
}
RF_SYMVER(rf_compat_session_custom_io_30, "fuse_session_custom_io" RF_DEFAULT_IN_3 "FUSE_3.0");

RF_EXPORT int rf_compat_session_custom_io_317(fuse_session* se, const fuse_custom_io* io, size_t op_size,
                                              int fd)
{
    return fuse_session_custom_io_317(se, io, op_size, fd);
}
RF_SYMVER(rf_compat_session_custom_io_317, "fuse_session_custom_io" RF_DEFAULT_IN_4 "FUSE_3.17");

// fuse_new() of 3.0 prints the help itself; no release has that version as its default. From 3.17 on headers
// ask for other names, and no version at all is the default.
RF_EXPORT fuse* rf_compat_new_30(fuse_args* args, const fuse_operations* op, size_t op_size, void* user_data)
{
    return fuse_new_30(args, op, op_size, user_data);
}
RF_SYMVER(rf_compat_new_30, "fuse_new@FUSE_3.0");

RF_EXPORT fuse* rf_compat_new_31(fuse_args* args, const fuse_operations* op, size_t op_size, void* user_data)
{
    return fuse_new_31(args, op, op_size, user_data);
}
RF_SYMVER(rf_compat_new_31, "fuse_new" RF_DEFAULT_IN_3 "FUSE_3.1");

// As the session's loop above.
RF_EXPORT int rf_compat_loop_mt_31(fuse* f, int clone_fd)
{
    return fuse_loop_mt_31(f, clone_fd);
}
RF_SYMVER(rf_compat_loop_mt_31, "fuse_loop_mt@FUSE_3.0");

RF_EXPORT int rf_compat_loop_mt_31_at_3_1(fuse* f, int clone_fd)
{
    return fuse_loop_mt_31(f, clone_fd);
}
RF_SYMVER(rf_compat_loop_mt_31_at_3_1, "fuse_loop_mt@FUSE_3.1");

RF_EXPORT int rf_compat_loop_mt_32(fuse* f, fuse_loop_config_v1* config)
{
    return fuse_loop_mt_32(f, config);
}
RF_SYMVER(rf_compat_loop_mt_32, "fuse_loop_mt@FUSE_3.2");

RF_EXPORT int rf_compat_loop_mt_312(fuse* f, fuse_loop_config* config)
{
    return fuse_loop_mt_312(f, config);
}
RF_SYMVER(rf_compat_loop_mt_312, "fuse_loop_mt@@FUSE_3.12");

} // extern "C"
