/* tree_check: the program; see tree.h. Exit 0: as planned; 1: a difference or a failed call; 2: bad usage. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
    fprintf(stderr, "usage: tree_check [-S seed] [-n names] [-X] make|verify|manifest|plan <directory>\n"
                    "  make      writes the tree of the seed into the directory, then verifies it\n"
                    "  verify    compares the directory with the tree of the seed\n"
                    "  manifest  prints what is there      plan  prints what should be there\n"
                    "  -X        without extended attributes\n");
    return 2;
}

static void print(const struct manifest* m)
{
    for (size_t i = 0; i < m->nr; i++)
        printf("%s\n", m->lines[i]);
}

/* Walks both sorted lists; the first differences are printed, all are counted. */
static int compare(const struct manifest* want, const struct manifest* got)
{
    size_t w = 0;
    size_t g = 0;
    size_t wrong = 0;
    while (w < want->nr || g < got->nr) {
        int order = w == want->nr ? 1 : g == got->nr ? -1 : strcmp(want->lines[w], got->lines[g]);
        if (order != 0 && wrong++ < 20)
            fprintf(stderr, "%s %s\n",
                    order < 0 ? "missing:" : "extra:  ", order < 0 ? want->lines[w] : got->lines[g]);
        w += order <= 0;
        g += order >= 0;
    }
    printf("tree_check: names=%zu differences=%zu\n", got->nr, wrong);
    return wrong ? 1 : 0;
}

static int verify(const struct tree_plan* plan, const char* root)
{
    struct manifest want = {0};
    struct manifest got = {0};
    int rc = 1;
    if (tree_plan_manifest(plan, &want) == 0 && tree_scan(root, plan->with_xattrs, &got) == 0)
        rc = compare(&want, &got);
    manifest_free(&want);
    manifest_free(&got);
    return rc;
}

static int print_manifest(const struct tree_plan* plan, const char* root, int planned)
{
    struct manifest m = {0};
    int rc = planned ? tree_plan_manifest(plan, &m) : tree_scan(root, plan->with_xattrs, &m);
    print(&m);
    manifest_free(&m);
    return rc == 0 ? 0 : 1;
}

int main(int argc, char* argv[])
{
    uint64_t seed = 1;
    size_t nr = 1000;
    int with_xattrs = 1;
    int opt;
    while ((opt = getopt(argc, argv, "S:n:X")) != -1) {
        if (opt == 'S')
            seed = strtoull(optarg, NULL, 0);
        else if (opt == 'n')
            nr = strtoull(optarg, NULL, 0);
        else if (opt == 'X')
            with_xattrs = 0;
        else
            return usage();
    }
    if (optind + 2 != argc)
        return usage();
    const char* verb = argv[optind];
    const char* root = argv[optind + 1];
    struct tree_plan plan;
    int code = 1;
    if (tree_plan_make(&plan, seed, nr, with_xattrs) != 0)
        fprintf(stderr, "no memory for the plan: names=%zu\n", nr);
    else if (strcmp(verb, "make") == 0)
        code = tree_plan_write(&plan, root) == 0 ? verify(&plan, root) : 1;
    else if (strcmp(verb, "verify") == 0)
        code = verify(&plan, root);
    else if (strcmp(verb, "manifest") == 0 || strcmp(verb, "plan") == 0)
        code = print_manifest(&plan, root, /* planned= */ strcmp(verb, "plan") == 0);
    else
        code = usage();
    tree_plan_free(&plan);
    return code;
}
