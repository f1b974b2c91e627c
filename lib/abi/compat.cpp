// Old symbol versions: the names binaries of earlier releases ask for, and what each leads to today. Only in
// the shared libraries, since a version exists only there; not in the static core, and compiled without LTO.
//
// An assembler directive can version only a symbol of its own file, hence the forwarding functions.
#include "abi/export.hpp"

#include <fuse_common.h>
#include <fuse_lowlevel.h>

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
RF_SYMVER(rf_compat_session_custom_io_30, "fuse_session_custom_io@FUSE_3.0");

RF_EXPORT int rf_compat_session_custom_io_317(fuse_session* se, const fuse_custom_io* io, size_t op_size,
                                              int fd)
{
    return fuse_session_custom_io_317(se, io, op_size, fd);
}
RF_SYMVER(rf_compat_session_custom_io_317, "fuse_session_custom_io@@FUSE_3.17");

} // extern "C"
