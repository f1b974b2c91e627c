/*
 * Programs that load libfuse3 themselves, as language bindings do: by soname, with plain or versioned
 * look-ups, and give it back. Linked to nothing of ours.
 *
 * usage: loader SONAME PATH SYMBOLS_TSV
 *
 * The dynamic linker is told by the environment to find PATH under SONAME (LD_PRELOAD or LD_LIBRARY_PATH).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fuse_args {
    int argc;
    char** argv;
    int allocated;
};

static int failures;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                           \
            printf(__VA_ARGS__);                                                                             \
            printf("\n");                                                                                    \
            failures++;                                                                                      \
        }                                                                                                    \
    } while (0)

static void* load(const char* soname)
{
    void* library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        printf("%s\n", dlerror());
        exit(1);
    }
    return library;
}

static int is_loaded(const char* path)
{
    FILE* maps = fopen("/proc/self/maps", "re");
    char line[4096];
    int found = 0;

    while (maps && fgets(line, sizeof(line), maps))
        found |= strstr(line, path) != NULL;
    if (maps)
        fclose(maps);
    return found;
}

static int open_files(void)
{
    DIR* dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

/* The file that came is the one that was meant, not the distribution's. */
static void check_origin(void* library, const char* path)
{
    Dl_info info;
    void* function = dlsym(library, "fuse_session_new");

    CHECK(function && dladdr(function, &info) && strcmp(info.dli_fname, path) == 0,
          "loaded from %s, wanted %s", function ? info.dli_fname : "nowhere", path);
}

static void check_versions(void* library, const char* table)
{
    FILE* file = fopen(table, "re");
    char line[512], name[128], node[32];
    int found = 0, rows = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%127s %31s", name, node) != 2 || strncmp(node, "FUSE_", 5) != 0)
            continue;
        rows++;
        if (dlvsym(library, name, node))
            found++;
        else
            CHECK(0, "%s", dlerror());
    }
    if (file)
        fclose(file);
    CHECK(rows > 200, "%d rows in %s", rows, table);
    printf("dlvsym: %d/%d\n", found, rows);
}

/* A look-up without a version has to give the signature that the soname's generation had. */
static void check_defaults(void* library, const char* soname)
{
    const int old = strcmp(soname, "libfuse3.so.3") == 0;

    CHECK(dlsym(library, "fuse_session_custom_io") ==
              dlvsym(library, "fuse_session_custom_io", old ? "FUSE_3.0" : "FUSE_3.17"),
          "the default version of fuse_session_custom_io");
    CHECK(dlsym(library, "fuse_session_loop_mt") == dlvsym(library, "fuse_session_loop_mt", "FUSE_3.12"),
          "the default version of fuse_session_loop_mt");
    if (old)
        CHECK(dlsym(library, "fuse_new") == dlvsym(library, "fuse_new", "FUSE_3.1"),
              "the default version of fuse_new");
}

/* Everything that keeps state in the library: options, log, a session with its statistics and its events. */
static void use(void* library)
{
    struct fuse_session* (*new_session)(struct fuse_args*, const void*, size_t, void*) =
        (struct fuse_session * (*)(struct fuse_args*, const void*, size_t, void*))
            dlsym(library, "fuse_session_new");
    void (*destroy)(struct fuse_session*) =
        (void (*)(struct fuse_session*))dlsym(library, "fuse_session_destroy");
    int (*add_arg)(struct fuse_args*, const char*) =
        (int (*)(struct fuse_args*, const char*))dlsym(library, "fuse_opt_add_arg");
    void (*free_args)(struct fuse_args*) = (void (*)(struct fuse_args*))dlsym(library, "fuse_opt_free_args");
    int (*set_handlers)(struct fuse_session*) =
        (int (*)(struct fuse_session*))dlsym(library, "fuse_set_signal_handlers");
    void (*remove_handlers)(struct fuse_session*) =
        (void (*)(struct fuse_session*))dlsym(library, "fuse_remove_signal_handlers");
    struct fuse_args args = {0, NULL, 0};
    const void* no_operations[44] = {NULL};

    CHECK(add_arg(&args, "loader") == 0 && add_arg(&args, "-oallow_other,max_read=4096") == 0, "arguments");
    struct fuse_session* session = new_session(&args, no_operations, sizeof(no_operations), NULL);
    CHECK(session != NULL, "no session");
    free_args(&args);
    if (!session)
        return;
    CHECK(set_handlers(session) == 0, "signal handlers");
    remove_handlers(session);
    destroy(session);
}

/* A preloaded library stays; one that dlopen() brought has to go completely. */
static void check_unloading(const char* soname, const char* path)
{
    const int stays = is_loaded(path), files = open_files();

    for (int i = 0; i < 20; i++) {
        void* library = load(soname);

        use(library);
        CHECK(dlclose(library) == 0, "%s", dlerror());
        CHECK(is_loaded(path) == stays, "round %d: loaded after dlclose", i);
    }
    CHECK(open_files() == files, "%d descriptors, then %d", files, open_files());
}

static void check_fork(const char* soname)
{
    void* library = load(soname);
    int status = 0;

    use(library);
    const pid_t child = fork();
    if (child == 0) {
        use(library);
        dlclose(library);
        library = load(soname);
        use(library);
        _exit(failures ? 1 : 0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with %#x", status);
    use(library);
    dlclose(library);
}

int main(int argc, char* argv[])
{
    if (argc != 4)
        return 2;
    const char *soname = argv[1], *path = argv[2];

    check_unloading(soname, path);
    check_fork(soname);
    void* library = load(soname);
    check_origin(library, path);
    check_versions(library, argv[3]);
    check_defaults(library, soname);
    return failures ? 1 : 0;
}
