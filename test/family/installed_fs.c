/*
 * One file, "whose", that says by which library it is served. Compiled by installed.sh the way a user would:
 * with the flags of pkg-config alone, against an installed copy; with -DDLOPEN the library comes as a
 * language binding brings it: dlopen() by soname, look-ups by name, structures cleared with memset().
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#ifdef DLOPEN
#include <dlfcn.h>

static const char* (*package_version)(void);
#else
#define package_version fuse_pkgversion
#endif

static int whose_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    (void)fi;
    memset(st, 0, sizeof(*st));
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 2;
    } else if (strcmp(path, "/whose") == 0) {
        st->st_mode = S_IFREG | 0444;
        st->st_nlink = 1;
        st->st_size = (off_t)strlen(package_version());
    } else {
        return -ENOENT;
    }
    return 0;
}

static int whose_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t offset,
                         struct fuse_file_info* fi, enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)fi, (void)flags;
    return fill(buf, "whose", NULL, 0, 0) ? -ENOMEM : 0;
}

static int whose_read(const char* path, char* buf, size_t bytes, off_t offset, struct fuse_file_info* fi)
{
    const size_t length = strlen(package_version());

    (void)path, (void)fi;
    if ((size_t)offset >= length)
        return 0;
    if (bytes > length - (size_t)offset)
        bytes = length - (size_t)offset;
    memcpy(buf, package_version() + offset, bytes);
    return (int)bytes;
}

#ifdef DLOPEN
/* As in 3.0 to 3.16, whose headers make fuse_main() this call. */
typedef int main_function(int, char**, const struct fuse_operations*, size_t, void*);

/* argv[1] is the soname, argv[2] a version for dlvsym() or "-" for plain dlsym(). */
static void* look_up(void* library, const char* name, const char* version)
{
    return strcmp(version, "-") == 0 ? dlsym(library, name) : dlvsym(library, name, version);
}
#endif

int main(int argc, char* argv[])
{
    struct fuse_operations operations;

    memset(&operations, 0, sizeof(operations));
    operations.getattr = whose_getattr;
    operations.readdir = whose_readdir;
    operations.read = whose_read;
#ifdef DLOPEN
    if (argc < 4)
        return 2;
    void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    main_function* run = library ? (main_function*)look_up(library, "fuse_main_real", argv[2]) : NULL;
    package_version = library ? (const char* (*)(void))look_up(library, "fuse_pkgversion", argv[2]) : NULL;
    if (!run || !package_version) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    argv[2] = argv[0];
    return run(argc - 2, argv + 2, &operations, sizeof(operations), NULL);
#else
    return fuse_main(argc, argv, &operations, NULL);
#endif
}
