/* What a seed says: names, kinds, sizes, contents, extended attributes. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "rand.h"

static const char* const kStems[] = {
    "a", "file", "Name with spaces", "x.tar.gz", ".hidden", "\xc3\xbcml\xc3\xa4ut", "-dash", "~"};

/* A random directory of the plan so far; item 0 is the root. */
static size_t pick(const struct tree_plan* plan, uint64_t* rng, enum tree_kind kind)
{
    for (int tries = 0; tries < 64; tries++) {
        size_t i = rand_below(rng, plan->nr);
        if (plan->items[i].kind == kind)
            return i;
    }
    return 0;
}

static off_t pick_size(uint64_t* rng)
{
    switch (rand_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return 4096 * (off_t)rand_below(rng, 4);
    case 2:
        return (off_t)rand_below(rng, 300000);
    default:
        return (off_t)rand_below(rng, 9000);
    }
}

static char* make_path(const struct tree_item* dir, size_t number, uint64_t* rng)
{
    const char* stem = kStems[rand_below(rng, sizeof(kStems) / sizeof(kStems[0]))];
    size_t len = strlen(dir->path) + strlen(stem) + 32;
    char* path = malloc(len);
    if (path)
        snprintf(path, len, "%s/%s.%zu", dir->path, stem, number);
    return path;
}

static void plan_item(struct tree_plan* plan, struct tree_item* item, uint64_t* rng)
{
    static const mode_t kFileModes[] = {0644, 0600, 0755, 0444, 04755, 0666};
    static const mode_t kDirModes[] = {0755, 0700, 01777, 02775};
    uint64_t kind = rand_below(rng, 100);
    item->seed = rand_next(rng);
    item->mtime = 1000000000 + (int64_t)rand_below(rng, 500000000);
    item->nr_xattrs = plan->with_xattrs && rand_below(rng, 4) == 0 ? 1 + (int)rand_below(rng, 3) : 0;
    if (kind < 20) {
        item->kind = kTreeDir;
        item->mode = kDirModes[rand_below(rng, 4)];
    } else if (kind < 30) {
        item->kind = kTreeSymlink;
        item->nr_xattrs = 0;
    } else if (kind < 32) {
        item->kind = kTreeFifo;
        item->mode = 0644;
        item->nr_xattrs = 0;
    } else {
        item->kind = kTreeFile;
        item->mode = kFileModes[rand_below(rng, 6)];
        item->size = pick_size(rng);
        item->nlink = 1;
    }
    if (kind >= 92) {
        size_t original = pick(plan, rng, kTreeFile);
        if (original != 0) {
            item->kind = kTreeHardlink;
            item->original = original;
            plan->items[original].nlink++;
        }
    }
}

int tree_plan_make(struct tree_plan* plan, uint64_t seed, size_t nr, int with_xattrs)
{
    uint64_t rng = seed;
    *plan = (struct tree_plan){.items = calloc(nr + 1, sizeof(struct tree_item)), .with_xattrs = with_xattrs};
    if (!plan->items || !(plan->items[0].path = strdup(".")))
        return -1;
    plan->items[0].mode = 0755;
    plan->items[0].mtime = 1000000000;
    plan->nr = 1;
    for (size_t i = 1; i <= nr; i++) {
        struct tree_item* item = &plan->items[i];
        item->path = make_path(&plan->items[pick(plan, &rng, kTreeDir)], i, &rng);
        if (!item->path)
            return -1;
        plan_item(plan, item, &rng);
        plan->nr++;
    }
    return 0;
}

void tree_plan_free(struct tree_plan* plan)
{
    for (size_t i = 0; plan->items && i < plan->nr; i++)
        free(plan->items[i].path);
    free(plan->items);
}

void tree_contents(const struct tree_item* item, char* buf, size_t len, off_t off)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t at = (uint64_t)off + i;
        uint64_t state = item->seed + at / 8;
        buf[i] = (char)(rand_next(&state) >> (8 * (at % 8)));
    }
}

void tree_target(const struct tree_item* item, char target[64])
{
    snprintf(target, 64, "../target/%llx", (unsigned long long)item->seed);
}

size_t tree_xattr(const struct tree_item* item, int i, char name[32], char value[256])
{
    uint64_t state = item->seed + (uint64_t)i + 1;
    size_t len = rand_below(&state, 256);
    snprintf(name, 32, "user.tree.%d", i);
    for (size_t k = 0; k < len; k++)
        value[k] = (char)rand_next(&state);
    return len;
}

uint64_t tree_hash(uint64_t hash, const void* data, size_t len)
{
    const unsigned char* at = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_file(const struct tree_item* item)
{
    char buf[4096];
    uint64_t hash = kTreeHashStart;
    for (off_t off = 0; off < item->size;) {
        size_t part = item->size - off < (off_t)sizeof(buf) ? (size_t)(item->size - off) : sizeof(buf);
        tree_contents(item, buf, part, off);
        hash = tree_hash(hash, buf, part);
        off += (off_t)part;
    }
    return hash;
}

static uint64_t hash_xattrs(const struct tree_item* item)
{
    uint64_t hash = kTreeHashStart;
    for (int i = 0; i < item->nr_xattrs; i++) {
        char name[32];
        char value[256];
        size_t len = tree_xattr(item, i, name, value);
        hash = tree_hash(tree_hash(hash, name, strlen(name)), value, len);
    }
    return hash;
}

static void print_item(const struct tree_plan* plan, const struct tree_item* item, char* line, size_t size)
{
    const struct tree_item* real = item->kind == kTreeHardlink ? &plan->items[item->original] : item;
    int used = 0;
    switch (real->kind) {
    case kTreeFile:
        used = snprintf(line, size, "%s f %04o nlink=%u size=%lld hash=%016llx mtime=%lld", item->path,
                        real->mode, real->nlink, (long long)real->size, (unsigned long long)hash_file(real),
                        (long long)real->mtime);
        break;
    case kTreeDir:
        used = snprintf(line, size, "%s d %04o mtime=%lld", item->path, real->mode, (long long)real->mtime);
        break;
    case kTreeFifo:
        used = snprintf(line, size, "%s p %04o", item->path, real->mode);
        break;
    default: {
        char target[64];
        tree_target(real, target);
        used = snprintf(line, size, "%s l -> %s", item->path, target);
    }
    }
    if (plan->with_xattrs && used > 0 && (size_t)used < size)
        snprintf(line + used, size - (size_t)used, " xattrs=%d:%016llx", real->nr_xattrs,
                 (unsigned long long)hash_xattrs(real));
}

int tree_plan_manifest(const struct tree_plan* plan, struct manifest* m)
{
    for (size_t i = 0; i < plan->nr; i++) {
        char line[8192];
        print_item(plan, &plan->items[i], line, sizeof(line));
        if (manifest_add(m, line) != 0)
            return -1;
    }
    manifest_sort(m);
    return 0;
}
