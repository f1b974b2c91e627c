// extern "C" face of the connection flags. They get nothing but the fuse_conn_info that init() was given.
#include "session/conn_flags.hpp"
#include "abi/export.hpp"

#include <cerrno>

extern "C" {

RF_EXPORT bool fuse_set_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    return conn && rf::want_flags(*conn, flag);
}

RF_EXPORT void fuse_unset_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    if (conn)
        rf::unwant_flags(*conn, flag);
}

RF_EXPORT bool fuse_get_feature_flag(fuse_conn_info* conn, uint64_t flag)
{
    return conn && rf::is_capable(*conn, flag);
}

RF_EXPORT int fuse_convert_to_conn_want_ext(fuse_conn_info* conn)
{
    return conn ? rf::reconcile_want(*conn) : -EINVAL;
}

RF_EXPORT bool fuse_set_conn_flag(fuse_conn_info* conn, uint64_t flag)
{
    return conn && rf::set_conn_flag(*conn, flag);
}

} // extern "C"
