/* Compares two whole trees for same_ops: names, attributes, contents, symlinks, extended attributes. */
#include "same_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One call on both sides; prints a difference. `results` are the caller's, they are large. */
static int differs(const struct side sides[2], struct same_call* call, struct same_result results[2])
{
    for (int i = 0; i < 2; i++) {
        struct side copy = sides[i];
        same_run(&copy, call, &results[i]);
    }
    if (results[0].rc == results[1].rc && results[0].len == results[1].len &&
        memcmp(results[0].text, results[1].text, results[0].len) == 0)
        return 0;
    printf("DIFFERENT %s of %s:\n", kSameOpNames[call->op], call->path);
    for (int i = 0; i < 2; i++)
        printf("  %-9s rc=%ld len=%zu %.*s\n", sides[i].name, results[i].rc, results[i].len,
               call->op == kRead || call->op == kGetxattr ? 0 : (int)results[i].len, results[i].text);
    return 1;
}

static int contents_differ(const struct side sides[2], struct same_call* call, struct same_result results[2])
{
    int bad = 0;
    struct side opened[2] = {sides[0], sides[1]};
    for (int i = 0; i < 2; i++) {
        opened[i].fds[0] = openat(sides[i].root, call->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        bad |= opened[i].fds[0] < 0;
    }
    call->op = kRead;
    call->slot = 0;
    call->size = sizeof(results[0].text);
    call->off = 0;
    do {
        bad |= differs(opened, call, results);
        call->off += (off_t)results[0].len;
    } while (!bad && results[0].len > 0);
    for (int i = 0; i < 2; i++)
        if (opened[i].fds[0] >= 0)
            close(opened[i].fds[0]);
    return bad;
}

static int compare(const struct side sides[2], struct same_call* call, struct same_result results[2]);

/* Goes through the names of the listing in results[0]. */
static int children_differ(const struct side sides[2], struct same_call* call, struct same_result results[2])
{
    call->op = kList;
    int bad = differs(sides, call, results);
    char* names = strndup(results[0].text, results[0].len);
    char parent[kPathBytes];
    strcpy(parent, call->path);
    char* rest = NULL;
    for (char* name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (snprintf(call->path, sizeof(call->path), "%s/%s", parent, name) < (int)sizeof(call->path))
            bad += compare(sides, call, results);
    }
    strcpy(call->path, parent);
    free(names);
    return bad;
}

static int compare(const struct side sides[2], struct same_call* call, struct same_result results[2])
{
    static const char* const kNames[] = {"user.a", "user.b", "user.c"};
    call->op = kLstat;
    int bad = differs(sides, call, results);
    char type = results[0].rc == 0 ? results[0].text[0] : '?';
    if (bad)
        return bad;
    if (type == 'l') {
        call->op = kReadlink;
        return differs(sides, call, results);
    }
    if (type == 'f')
        bad += contents_differ(sides, call, results);
    call->op = kGetxattr;
    call->size = 4096;
    for (int i = 0; i < 3 && type != 'p'; i++) {
        strcpy(call->other, kNames[i]);
        bad += differs(sides, call, results);
    }
    return type == 'd' ? bad + children_differ(sides, call, results) : bad;
}

int same_trees(const struct side sides[2])
{
    struct same_call* call = calloc(1, sizeof(*call));
    struct same_result* results = calloc(2, sizeof(*results));
    int bad = 1;
    if (call && results) {
        strcpy(call->path, ".");
        bad = compare(sides, call, results);
    }
    free(call);
    free(results);
    return bad;
}
