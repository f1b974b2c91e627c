/*
 * A filesystem that comes to libfuse3 as language bindings such as cgofuse do: dlopen() of the soname,
 * dlsym() without versions, and structures of the one release (FAMILY) the binding was made for, whichever
 * library that brings in.
 *
 * usage: binding_X main|loop|loop_mt SOURCE MOUNTPOINT    exit 0: all right
 *
 * Shows SOURCE in the foreground: by fuse_main_real(), or by fuse_new() and one of the loops. Linked to
 * nothing of ours.
 */
#include "binding.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fuse_opt {
    const char* word;
    unsigned long offset;
    int value;
};

static void* library;
static int failures;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                  \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fprintf(stderr, "\n");                                                                           \
            failures++;                                                                                      \
        }                                                                                                    \
    } while (0)

static void* look_up(const char* name)
{
    void* found = dlsym(library, name);

    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static int by_main(struct fuse_args* args)
{
    int (*main_real)(int, char**, const fuse_op*, size_t, void*) =
        (int (*)(int, char**, const fuse_op*, size_t, void*))look_up("fuse_main_real");

    return main_real(args->argc, args->argv, binding_ops, sizeof(binding_ops), &binding);
}

static int loop_with_threads(struct fuse* f)
{
#if FAMILY_A
    /* In the releases with this layout the caller fills these eight bytes. */
    int (*loop)(struct fuse*, struct fuse_loop_config_v1*) =
        (int (*)(struct fuse*, struct fuse_loop_config_v1*))look_up("fuse_loop_mt");
    struct fuse_loop_config_v1 config;

    memset(&config, 0, sizeof(config));
    config.max_idle_threads = 10;
    return loop(f, &config);
#else
    int (*loop)(struct fuse*, struct fuse_loop_config*) =
        (int (*)(struct fuse*, struct fuse_loop_config*))look_up("fuse_loop_mt");
    struct fuse_loop_config* (*create)(void) =
        (struct fuse_loop_config * (*)(void)) look_up("fuse_loop_cfg_create");
    void (*destroy)(struct fuse_loop_config*) =
        (void (*)(struct fuse_loop_config*))look_up("fuse_loop_cfg_destroy");
    struct fuse_loop_config* config = create();
    const int rc = loop(f, config);

    destroy(config);
    return rc;
#endif
}

static int by_loop(struct fuse_args* args, const char* mountpoint, int threads)
{
    struct fuse* (*new_fuse)(struct fuse_args*, const fuse_op*, size_t, void*) =
        (struct fuse * (*)(struct fuse_args*, const fuse_op*, size_t, void*)) look_up("fuse_new");
    int (*mount)(struct fuse*, const char*) = (int (*)(struct fuse*, const char*))look_up("fuse_mount");
    int (*loop)(struct fuse*) = (int (*)(struct fuse*))look_up("fuse_loop");
    void (*unmount)(struct fuse*) = (void (*)(struct fuse*))look_up("fuse_unmount");
    void (*destroy)(struct fuse*) = (void (*)(struct fuse*))look_up("fuse_destroy");
    struct fuse* f = new_fuse(args, binding_ops, sizeof(binding_ops), &binding);

    if (!f || mount(f, mountpoint) != 0)
        return 1;
    const int rc = threads ? loop_with_threads(f) : loop(f);

    unmount(f);
    destroy(f);
    return rc;
}

int main(int argc, char* argv[])
{
    if (argc != 4)
        return 2;
    const char *way = argv[1], *mountpoint = argv[3];
    char foreground[] = "-f", words[] = "-osource=1", extra[] = "-ofsname=binding";
    char* list[] = {argv[0], words, extra, foreground, argv[3], NULL};
    const int by_hand = strcmp(way, "main") != 0;
    struct fuse_args args = {by_hand ? 3 : 5, list, 0};
    int source = 0;

    library = dlopen("libfuse3.so.3", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    binding.root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *(void**)&binding.get_context = look_up("fuse_get_context");
    int (*parse)(struct fuse_args*, void*, const struct fuse_opt*, void*) =
        (int (*)(struct fuse_args*, void*, const struct fuse_opt*, void*))look_up("fuse_opt_parse");
    void (*free_args)(struct fuse_args*) = (void (*)(struct fuse_args*))look_up("fuse_opt_free_args");
    /* Takes the program's own option out of what the library is given. */
    const struct fuse_opt options[] = {{"source=%d", 0, 0}, {NULL, 0, 0}};

    CHECK(parse(&args, &source, options, NULL) == 0 && source == 1, "source=%d", source);
    const int rc = by_hand ? by_loop(&args, mountpoint, strcmp(way, "loop_mt") == 0) : by_main(&args);

    free_args(&args);
    CHECK(rc == 0, "%s gave %d", way, rc);
    CHECK(atomic_load(&binding.inits) == 1 && atomic_load(&binding.destroys) == 1,
          "%d inits, %d times destroy", binding.inits, binding.destroys);
    CHECK(atomic_load(&binding.nameless) > 0 && atomic_load(&binding.named) == 0,
          "nullpath_ok: %d operations on files with a name, %d without", binding.named, binding.nameless);
    CHECK(atomic_load(&binding.strange_contexts) == 0, "%d contexts that are not ours",
          binding.strange_contexts);
    return failures ? 1 : 0;
}
