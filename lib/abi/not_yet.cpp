// The functions of libfuse3's ABI whose feature is not part of this version. They exist so that programs
// which may call them start; a call says so in the log and fails with ENOSYS, in the way the function reports
// errors. A test compares this list with test/abi/not_yet.txt, and it only shrinks.
//
// None looks at its arguments, so none declares them: on every ABI of Linux a C function may be called with
// more than it takes. Weak, so that the real function, once there, is the one that counts.
#include "abi/export.hpp"
#include "base/log.hpp"

#include <cerrno>
#include <cstdint>

namespace {

void say_missing(const char* function)
{
    rf::log::error("%s() is not part of this version of ringfuse (ENOSYS), the call fails", function);
    errno = ENOSYS;
}

} // namespace

#define RF_NOT_YET(type, name, result)                                                                       \
    extern "C" RF_EXPORT __attribute__((weak)) type name()                                                   \
    {                                                                                                        \
        say_missing(#name);                                                                                  \
        return result;                                                                                       \
    }
/// Returns -errno, or where libfuse documents a plain -1 that with errno set, NULL, false, nothing.
#define RF_NOT_YET_ERRNO(name) RF_NOT_YET(std::intptr_t, name, -ENOSYS)
#define RF_NOT_YET_FAILS(name) RF_NOT_YET(int, name, -1)
#define RF_NOT_YET_NULL(name) RF_NOT_YET(void*, name, nullptr)
#define RF_NOT_YET_FALSE(name) RF_NOT_YET(bool, name, false)
#define RF_NOT_YET_VOID(name) RF_NOT_YET(void, name, )

// Being started as a service. A program asks first whether it was, and goes on as usual if not; that answer
// is true of every process as long as nothing here can start one, so it is given without a complaint.
extern "C" RF_EXPORT __attribute__((weak)) int fuse_service_accept(struct fuse_service** service)
{
    *service = nullptr;
    return 0;
}
extern "C" RF_EXPORT __attribute__((weak)) int fuse_service_exit(int code)
{
    return code;
}
RF_NOT_YET_ERRNO(fuse_service_append_args)
RF_NOT_YET_FALSE(fuse_service_can_allow_other)
RF_NOT_YET_FALSE(fuse_service_can_fuseblk)
RF_NOT_YET_NULL(fuse_service_cmdline)
RF_NOT_YET_VOID(fuse_service_destroy)
RF_NOT_YET_ERRNO(fuse_service_expect_mount_format)
RF_NOT_YET_ERRNO(fuse_service_finish_file_requests)
RF_NOT_YET_FAILS(fuse_service_main_real_versioned)
RF_NOT_YET_ERRNO(fuse_service_parse_cmdline_opts)
RF_NOT_YET_ERRNO(fuse_service_receive_file)
RF_NOT_YET_VOID(fuse_service_release)
RF_NOT_YET_ERRNO(fuse_service_request_blockdev)
RF_NOT_YET_ERRNO(fuse_service_request_file)
RF_NOT_YET_ERRNO(fuse_service_send_goodbye)
RF_NOT_YET_ERRNO(fuse_service_session_mount)
