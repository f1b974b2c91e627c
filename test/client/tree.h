/* tree_check: makes a tree of files that depends on a seed alone, and compares what a filesystem shows with
 * what it must show. Parts: tree_check (program), tree_plan (what the seed says), tree_scan (what is there).
 */
#ifndef RF_TEST_TREE_H
#define RF_TEST_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum tree_kind { kTreeDir, kTreeFile, kTreeSymlink, kTreeHardlink, kTreeFifo };

/* One planned name. */
struct tree_item {
    char* path; /* relative to the root of the tree */
    enum tree_kind kind;
    mode_t mode;
    off_t size;      /* files */
    uint64_t seed;   /* of the contents, or of a symlink's target */
    size_t original; /* hard links: index of the item that is linked */
    unsigned nlink;  /* files: all names together */
    int nr_xattrs;
    int64_t mtime; /* files and directories */
};

struct tree_plan {
    struct tree_item* items; /* parents before children */
    size_t nr;
    int with_xattrs;
};

/* Fills the plan with `nr` names. Returns 0 or -1 without memory. */
int tree_plan_make(struct tree_plan* plan, uint64_t seed, size_t nr, int with_xattrs);
void tree_plan_free(struct tree_plan* plan);
/* The bytes of a file at `off`, and a symlink's target. */
void tree_contents(const struct tree_item* item, char* buf, size_t len, off_t off);
void tree_target(const struct tree_item* item, char target[64]);
/* The name and value of an extended attribute; returns the value's length. */
size_t tree_xattr(const struct tree_item* item, int i, char name[32], char value[256]);
/* Writes the tree below `root`. Returns 0, or -1 after a message. */
int tree_plan_write(const struct tree_plan* plan, const char* root);

/* A growing list of text lines, sorted at the end: a manifest. */
struct manifest {
    char** lines;
    size_t nr;
    size_t max;
};
int manifest_add(struct manifest* m, const char* line);
void manifest_sort(struct manifest* m);
void manifest_free(struct manifest* m);

/* What the plan should look like, and what is below `root`. Both return 0, or -1 after a message. */
int tree_plan_manifest(const struct tree_plan* plan, struct manifest* m);
int tree_scan(const char* root, int with_xattrs, struct manifest* m);

uint64_t tree_hash(uint64_t hash, const void* data, size_t len);
enum { kTreeHashStart = 1469598103 };

#endif
