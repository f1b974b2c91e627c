/* What is below a directory, as lines of a manifest. Reads everything: names, attributes, contents, targets,
 * extended attributes. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { kMaxLine = 8192 };

static int fail(const char* what, const char* path)
{
    fprintf(stderr, "%s failed: path=%s (%s)\n", what, path, strerror(errno));
    return -1;
}

int manifest_add(struct manifest* m, const char* line)
{
    if (m->nr == m->max) {
        size_t max = m->max ? 2 * m->max : 256;
        char** lines = realloc(m->lines, max * sizeof(*lines));
        if (!lines)
            return fail("manifest", line);
        m->lines = lines;
        m->max = max;
    }
    m->lines[m->nr] = strdup(line);
    return m->lines[m->nr++] ? 0 : fail("manifest", line);
}

static int by_text(const void* a, const void* b)
{
    return strcmp(*(char* const*)a, *(char* const*)b);
}

void manifest_sort(struct manifest* m)
{
    if (m->nr)
        qsort(m->lines, m->nr, sizeof(*m->lines), by_text);
}

void manifest_free(struct manifest* m)
{
    for (size_t i = 0; i < m->nr; i++)
        free(m->lines[i]);
    free(m->lines);
}

static int hash_contents(const char* path, uint64_t* ret_hash)
{
    static char buf[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", path);
    uint64_t hash = kTreeHashStart;
    ssize_t got;
    while ((got = read(fd, buf, sizeof(buf))) > 0)
        hash = tree_hash(hash, buf, (size_t)got);
    close(fd);
    *ret_hash = hash;
    return got == 0 ? 0 : fail("read", path);
}

/* Hashes the user.* attributes in the order of their names. */
static int hash_user_xattrs(const char* path, int* ret_nr, uint64_t* ret_hash)
{
    static char names[65536];
    static char value[65536];
    struct manifest sorted = {0};
    ssize_t len = llistxattr(path, names, sizeof(names));
    if (len < 0)
        return fail("listxattr", path);
    int rc = 0;
    for (ssize_t at = 0; rc == 0 && at < len; at += (ssize_t)strlen(names + at) + 1)
        if (strncmp(names + at, "user.", 5) == 0)
            rc = manifest_add(&sorted, names + at);
    manifest_sort(&sorted);
    *ret_nr = (int)sorted.nr;
    *ret_hash = kTreeHashStart;
    for (size_t i = 0; rc == 0 && i < sorted.nr; i++) {
        ssize_t got = lgetxattr(path, sorted.lines[i], value, sizeof(value));
        if (got < 0)
            rc = fail("getxattr", path);
        else
            *ret_hash =
                tree_hash(tree_hash(*ret_hash, sorted.lines[i], strlen(sorted.lines[i])), value, (size_t)got);
    }
    manifest_free(&sorted);
    return rc;
}

static int describe(const char* path, const struct stat* st, char* line)
{
    unsigned mode = st->st_mode & 07777;
    if (S_ISREG(st->st_mode)) {
        uint64_t hash = 0;
        if (hash_contents(path, &hash) != 0)
            return -1;
        return snprintf(line, kMaxLine, "%s f %04o nlink=%u size=%lld hash=%016llx mtime=%lld", path, mode,
                        (unsigned)st->st_nlink, (long long)st->st_size, (unsigned long long)hash,
                        (long long)st->st_mtim.tv_sec);
    }
    if (S_ISDIR(st->st_mode))
        return snprintf(line, kMaxLine, "%s d %04o mtime=%lld", path, mode, (long long)st->st_mtim.tv_sec);
    if (S_ISLNK(st->st_mode)) {
        char target[4096];
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        if (len < 0)
            return fail("readlink", path);
        target[len] = '\0';
        return snprintf(line, kMaxLine, "%s l -> %s", path, target);
    }
    return snprintf(line, kMaxLine, "%s %c %04o", path, S_ISFIFO(st->st_mode) ? 'p' : '?', mode);
}

static int scan_dir(const char* path, int with_xattrs, struct manifest* m);

static int scan_one(const char* path, int with_xattrs, struct manifest* m)
{
    char line[kMaxLine];
    struct stat st;
    if (lstat(path, &st) != 0)
        return fail("lstat", path);
    int used = describe(path, &st, line);
    if (used < 0)
        return -1;
    if (with_xattrs && used < kMaxLine) {
        int nr = 0;
        uint64_t hash = 0;
        if (hash_user_xattrs(path, &nr, &hash) != 0)
            return -1;
        snprintf(line + used, (size_t)(kMaxLine - used), " xattrs=%d:%016llx", nr, (unsigned long long)hash);
    }
    if (manifest_add(m, line) != 0)
        return -1;
    return S_ISDIR(st.st_mode) ? scan_dir(path, with_xattrs, m) : 0;
}

static int scan_dir(const char* path, int with_xattrs, struct manifest* m)
{
    DIR* dir = opendir(path);
    if (!dir)
        return fail("opendir", path);
    int rc = 0;
    const struct dirent* d;
    while (rc == 0 && (errno = 0, d = readdir(dir))) {
        char child[4096];
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (snprintf(child, sizeof(child), "%s/%s", path, d->d_name) >= (int)sizeof(child)) {
            errno = ENAMETOOLONG;
            rc = fail("scan", path);
        } else {
            rc = scan_one(child, with_xattrs, m);
        }
    }
    if (rc == 0 && errno)
        rc = fail("readdir", path);
    closedir(dir);
    return rc;
}

int tree_scan(const char* root, int with_xattrs, struct manifest* m)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = here >= 0 && chdir(root) == 0 ? scan_one(".", with_xattrs, m) : fail("chdir", root);
    if (here >= 0) {
        if (fchdir(here) != 0)
            rc = fail("fchdir", ".");
        close(here);
    }
    manifest_sort(m);
    return rc;
}
