/* From the paths of the API to the nodes of memfs, and how long a node lives while an operation works on it.
 */
#include "hl_memfs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct hl_memfs* hl_memfs(void)
{
    return fuse_get_context()->private_data;
}

struct mem_fs* hl_fs(void)
{
    return &hl_memfs()->fs;
}

/* The child of `dir` named by the `len` bytes at `name`. REQUIRES: fs->tree. */
static int step(struct mem_fs* fs, struct mem_node* dir, const char* name, size_t len,
                struct mem_node** ret_node)
{
    char text[NAME_MAX + 1];
    if (!dir->is_dir)
        return -ENOTDIR;
    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(text, name, len);
    text[len] = '\0';
    const struct mem_entry* entry = mem_dir_find(fs, dir, text);
    if (!entry)
        return -ENOENT;
    *ret_node = entry->node;
    return 0;
}

/* Walks the bytes [path, end). REQUIRES: fs->tree. */
static int walk(struct mem_fs* fs, const char* path, const char* end, struct mem_node** ret_node)
{
    struct mem_node* node = fs->root;
    while (path < end) {
        if (*path == '/') {
            path++;
            continue;
        }
        const char* stop = memchr(path, '/', (size_t)(end - path));
        if (!stop)
            stop = end;
        int rc = step(fs, node, path, (size_t)(stop - path), &node);
        if (rc < 0)
            return rc;
        path = stop;
    }
    *ret_node = node;
    return 0;
}

int hl_find(const char* path, struct mem_node** ret_node)
{
    return walk(hl_fs(), path, path + strlen(path), ret_node);
}

int hl_parent(const char* path, struct mem_node** ret_dir, const char** ret_name)
{
    const char* slash = strrchr(path, '/');
    if (!slash || !slash[1])
        return -EINVAL; /* the root has no name */
    int rc = walk(hl_fs(), path, slash, ret_dir);
    if (rc == 0 && !(*ret_dir)->is_dir)
        rc = -ENOTDIR;
    if (rc == 0 && strlen(slash + 1) > NAME_MAX)
        rc = -ENAMETOOLONG;
    *ret_name = slash + 1;
    return rc;
}

int hl_hold(const char* path, const struct fuse_file_info* fi, struct mem_node** ret_node)
{
    struct mem_fs* fs = hl_fs();
    int rc = 0;
    pthread_mutex_lock(&fs->tree);
    if (fi && fi->fh)
        *ret_node = (struct mem_node*)(uintptr_t)fi->fh;
    else if (path)
        rc = hl_find(path, ret_node);
    else
        rc = -ESTALE; /* the library must not call without both */
    if (rc == 0)
        (*ret_node)->nopen++;
    pthread_mutex_unlock(&fs->tree);
    return rc;
}

void hl_drop(struct mem_node* node)
{
    struct mem_fs* fs = hl_fs();
    pthread_mutex_lock(&fs->tree);
    node->nopen--;
    mem_node_check(fs, node);
    pthread_mutex_unlock(&fs->tree);
}
