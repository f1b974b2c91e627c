/* hl_probe: options, INIT, counters and commands. See hl_probe.h. */
#include "hl_probe.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fuse_opt kOptions[] = {
    {"plain_io", offsetof(struct hl_probe, plain_io), 1},
    {"nullpath_ok", offsetof(struct hl_probe, nullpath_ok), 1},
    {"readdir_ino", offsetof(struct hl_probe, readdir_ino), 1},
    {"direct_io", offsetof(struct hl_probe, direct_io), 1},
    {"intr", offsetof(struct hl_probe, intr), 1},
    {"intr_signal=%d", offsetof(struct hl_probe, intr_signal), 0},
    FUSE_OPT_END,
};

#define COUNTER_NAME(name) #name,
static const char* const kNames[] = {HL_PROBE_COUNTERS(COUNTER_NAME)};
#undef COUNTER_NAME

struct hl_probe* hl_probe(void)
{
    return fuse_get_context()->private_data;
}

void hl_probe_count(enum hl_probe_counter counter, const char* path, const struct fuse_file_info* fi)
{
    if ((fi && fi->fh == kProbeControl) || (path && path[1] == '.'))
        return;
    struct hl_probe* probe = hl_probe();
    atomic_fetch_add(&probe->counters[counter], 1);
    if (!path)
        atomic_fetch_add(&probe->counters[kProbe_null_paths], 1);
}

static int report(const struct hl_probe* probe, char* text, size_t size)
{
    int used = 0;
    for (int i = 0; i < kProbeCounters; i++)
        used += snprintf(text + used, size - (size_t)used, "%s %ld\n", kNames[i],
                         atomic_load(&probe->counters[i]));
    return used;
}

int hl_probe_report(char* text, size_t size)
{
    return report(hl_probe(), text, size);
}

static long sum_of_groups(void)
{
    gid_t list[64];
    int count = fuse_getgroups(64, list);
    long sum = 0;
    for (int i = 0; i < count; i++)
        sum += (long)list[i];
    return count < 0 ? count : sum;
}

static long run_command(struct hl_probe* probe, const char* word)
{
    static const char kInvalidate[] = "invalidate ";
    struct fuse* fuse = fuse_get_context()->fuse;
    if (strncmp(word, kInvalidate, strlen(kInvalidate)) == 0)
        return fuse_invalidate_path(fuse, word + strlen(kInvalidate));
    if (strcmp(word, "clean") == 0)
        return fuse_clean_cache(fuse);
    if (strcmp(word, "start") == 0)
        return fuse_start_cleanup_thread(fuse);
    if (strcmp(word, "groups") == 0)
        return sum_of_groups();
    if (strcmp(word, "stop") == 0)
        fuse_stop_cleanup_thread(fuse);
    else if (strcmp(word, "exit") == 0)
        fuse_exit(fuse);
    else if (strcmp(word, "next") == 0)
        atomic_fetch_add(&probe->letter, 1);
    else
        return -EINVAL;
    return 0;
}

int hl_probe_command(const char* words, size_t size)
{
    char line[256];
    if (size >= sizeof(line))
        return -EINVAL;
    memcpy(line, words, size);
    line[size] = '\0';
    struct hl_probe* probe = hl_probe();
    long rc = run_command(probe, line);
    atomic_store(&probe->counters[kProbe_result], rc);
    return rc < 0 ? (int)rc : 0;
}

void hl_probe_list(const char* path, void* buf, fuse_fill_dir_t fill)
{
    struct hl_probe* probe = hl_probe();
    const size_t len = path[1] ? strlen(path) : 0;
    for (int i = 0; i < kProbeNodes; i++) {
        char name[sizeof(probe->nodes[i].path)] = "";
        pthread_mutex_lock(&probe->lock);
        const char* found = probe->nodes[i].path;
        if (strncmp(found, path, len) == 0 && found[len] == '/' && !strchr(found + len + 1, '/'))
            strcpy(name, found + len + 1);
        pthread_mutex_unlock(&probe->lock);
        /* Without the lock: the library may come back with a question. */
        if (name[0] && fill(buf, name, NULL, 0, (enum fuse_fill_dir_flags)0) != 0)
            break;
    }
}

static void* probe_init(struct fuse_conn_info* conn, struct fuse_config* config)
{
    struct hl_probe* probe = hl_probe();
    (void)conn;
    config->nullpath_ok = probe->nullpath_ok;
    config->readdir_ino = probe->readdir_ino;
    config->direct_io = probe->direct_io;
    config->intr = probe->intr;
    if (probe->intr_signal)
        config->intr_signal = probe->intr_signal;
    atomic_fetch_add(&probe->counters[kProbe_init], 1);
    return probe;
}

static void probe_destroy(void* data)
{
    struct hl_probe* probe = data;
    atomic_fetch_add(&probe->counters[kProbe_destroy], 1);
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct hl_probe* probe = calloc(1, sizeof(*probe));
    struct fuse_operations ops = {.init = probe_init, .destroy = probe_destroy};
    if (!probe || fuse_opt_parse(&args, probe, kOptions, NULL) != 0)
        return 1;
    pthread_mutex_init(&probe->lock, NULL);
    atomic_store(&probe->letter, 'a');
    hl_probe_add_name_ops(&ops);
    hl_probe_add_file_ops(&ops, probe);
    hl_probe_add_newer_ops(&ops);
    int code = fuse_main(args.argc, args.argv, &ops, probe);
    char text[4096];
    (void)report(probe, text, sizeof(text));
    fputs(text, stderr);
    fuse_opt_free_args(&args);
    pthread_mutex_destroy(&probe->lock);
    free(probe);
    return code;
}
