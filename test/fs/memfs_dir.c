/* Names of memfs. One hash table finds (directory, name); an array per directory, sorted by cookie, keeps the
 * order of readdir stable: new names go to the end and a removed one leaves an empty slot until the array is
 * packed. */
#include "memfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash_name(const struct mem_node* dir, const char* name)
{
    uint64_t h = dir->ino * 0x9e3779b97f4a7c15u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return (uint32_t)(h ^ (h >> 32));
}

struct mem_entry* mem_dir_find(struct mem_fs* fs, struct mem_node* dir, const char* name)
{
    uint32_t hash = hash_name(dir, name);
    struct mem_entry* entry = fs->buckets[hash & (fs->nr_buckets - 1)];
    while (entry && (entry->hash != hash || entry->dir != dir || strcmp(entry->name, name) != 0))
        entry = entry->hash_next;
    return entry;
}

/* Doubles the hash table once it holds two names per bucket. Without memory it stays as it is: slower, still
 * right. */
static void grow_table(struct mem_fs* fs)
{
    if (fs->nr_names < 2 * fs->nr_buckets)
        return;
    size_t nr = 2 * fs->nr_buckets;
    struct mem_entry** buckets = calloc(nr, sizeof(*buckets));
    if (!buckets)
        return;
    for (size_t i = 0; i < fs->nr_buckets; i++) {
        while (fs->buckets[i]) {
            struct mem_entry* entry = fs->buckets[i];
            fs->buckets[i] = entry->hash_next;
            entry->hash_next = buckets[entry->hash & (nr - 1)];
            buckets[entry->hash & (nr - 1)] = entry;
        }
    }
    free(fs->buckets);
    fs->buckets = buckets;
    fs->nr_buckets = nr;
}

/* Room for one more slot: packs the array if at least half of it is empty, or else enlarges it. */
static int reserve_slot(struct mem_node* dir)
{
    if (dir->nr_slots < dir->max_slots)
        return 0;
    if (dir->nr_slots > 0 && dir->nr_entries <= dir->nr_slots / 2) {
        size_t kept = 0;
        for (size_t i = 0; i < dir->nr_slots; i++)
            if (dir->slots[i].entry)
                dir->slots[kept++] = dir->slots[i];
        dir->nr_slots = kept;
        return 0;
    }
    size_t max = dir->max_slots ? 2 * dir->max_slots : 8;
    struct mem_slot* slots = realloc(dir->slots, max * sizeof(*slots));
    if (!slots)
        return ENOMEM;
    dir->slots = slots;
    dir->max_slots = max;
    return 0;
}

/* Index of the first slot with a cookie above `cookie`. */
static size_t slot_above(const struct mem_node* dir, uint64_t cookie)
{
    size_t low = 0;
    size_t high = dir->nr_slots;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (dir->slots[mid].cookie > cookie)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void touch_dir(struct mem_node* dir, int nlink_delta)
{
    pthread_mutex_lock(&dir->lock);
    dir->attr.st_nlink = (nlink_t)((int64_t)dir->attr.st_nlink + nlink_delta);
    dir->attr.st_size = (off_t)dir->nr_entries * 20;
    mem_touch(dir, kTouchData);
    pthread_mutex_unlock(&dir->lock);
}

int mem_dir_add(struct mem_fs* fs, struct mem_node* dir, const char* name, struct mem_node* node)
{
    size_t len = strlen(name);
    if (len > NAME_MAX)
        return ENAMETOOLONG;
    if (dir->nnames == 0)
        return ENOENT;
    if (reserve_slot(dir) != 0)
        return ENOMEM;
    struct mem_entry* entry = malloc(sizeof(*entry) + len + 1);
    if (!entry)
        return ENOMEM;
    memcpy(entry->name, name, len + 1);
    entry->dir = dir;
    entry->node = node;
    entry->cookie = dir->next_cookie++;
    entry->hash = hash_name(dir, name);
    grow_table(fs);
    struct mem_entry** bucket = &fs->buckets[entry->hash & (fs->nr_buckets - 1)];
    entry->hash_next = *bucket;
    *bucket = entry;
    fs->nr_names++;
    dir->slots[dir->nr_slots++] = (struct mem_slot){.cookie = entry->cookie, .entry = entry};
    dir->nr_entries++;
    node->nnames++;
    int is_dir = node->is_dir;
    if (is_dir)
        node->parent = dir;
    mem_add_nlink(node, is_dir ? 2 : 1);
    touch_dir(dir, is_dir);
    return 0;
}

void mem_dir_remove(struct mem_fs* fs, struct mem_entry* entry)
{
    struct mem_node* dir = entry->dir;
    struct mem_node* node = entry->node;
    struct mem_entry** link = &fs->buckets[entry->hash & (fs->nr_buckets - 1)];
    while (*link != entry)
        link = &(*link)->hash_next;
    *link = entry->hash_next;
    fs->nr_names--;
    dir->slots[slot_above(dir, entry->cookie) - 1].entry = NULL;
    dir->nr_entries--;
    free(entry);
    int is_dir = node->is_dir;
    touch_dir(dir, -is_dir);
    node->nnames--;
    if (node->nnames == 0)
        node->parent = NULL;
    mem_add_nlink(node, is_dir ? -2 : -1);
    mem_node_check(fs, node);
}

void mem_dir_replace(struct mem_entry* entry, struct mem_node* node)
{
    int delta = node->is_dir - entry->node->is_dir;
    entry->node = node;
    if (node->is_dir)
        node->parent = entry->dir;
    touch_dir(entry->dir, delta);
}

struct mem_entry* mem_dir_next(struct mem_node* dir, uint64_t cookie)
{
    size_t i = slot_above(dir, cookie);
    while (i < dir->nr_slots && !dir->slots[i].entry)
        i++;
    return i < dir->nr_slots ? dir->slots[i].entry : NULL;
}
