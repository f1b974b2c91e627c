// extern "C" face of fuse_main() and of the high level's help.
#include "abi/export.hpp"
#include "family/family.hpp"
#include "highlevel/config.hpp"
#include "highlevel/main.hpp"

namespace {

// The family is settled first: all that follows looks at structures of the application's.
int main_as(int argc, char** argv, const fuse_operations* op, size_t op_size, libfuse_version version,
            void* user_data)
{
    if (rf::family::latch(&version, rf::family::Table::kHighLevel, op_size) < 0)
        return rf::hl::kMainNoFilesystem;
    return rf::hl::main_loop(argc, argv, op, op_size, version, user_data);
}

} // namespace

extern "C" {

RF_EXPORT int fuse_main_real_versioned(int argc, char* argv[], const fuse_operations* op, size_t op_size,
                                       libfuse_version* version, void* user_data)
{
    return main_as(argc, argv, op, op_size, version ? *version : libfuse_version{}, user_data);
}

// Programs built before 3.17 come here, and those that look the name up themselves.
RF_EXPORT int fuse_main_real(int argc, char* argv[], const fuse_operations* op, size_t op_size,
                             void* user_data)
{
    return main_as(argc, argv, op, op_size, libfuse_version{}, user_data);
}

RF_EXPORT void fuse_lib_help(fuse_args* args)
{
    rf::hl::print_help(args);
}

} // extern "C"
