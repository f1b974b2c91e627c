/*
 * Drives every argument vector of up to three words from an alphabet, and a list of longer ones, through
 * fuse_opt_parse() and its helpers, and prints what came out. Built twice, against the distribution's library
 * and against ours: the two outputs must be equal. Messages go to stderr and are not compared.
 */
#include <fuse_opt.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    int flag;
    int second;
    unsigned number;
    unsigned long big;
    int octal;
    char* text;
    char* path;
    int calls;
};

enum policy { POLICY_NONE, POLICY_KEEP, POLICY_DROP, POLICY_FAIL_NONOPT, POLICY_EDIT, POLICY_COUNT };

static enum policy policy;

#define AT(field) offsetof(struct values, field)

static const struct fuse_opt plain[] = {{"-x", AT(flag), 1},
                                        {"flag", AT(flag), 2},
                                        {"flag", AT(second), 7},
                                        {"noflag", AT(flag), 0},
                                        {"number=%u", AT(number), 0},
                                        {"big=%lu", AT(big), 0},
                                        {"-m %o", AT(octal), 0},
                                        {"text=%s", AT(text), 0},
                                        {"--path=%s", AT(path), 0},
                                        {"-p %s", AT(path), 0},
                                        FUSE_OPT_END};

static const struct fuse_opt keys[] = {FUSE_OPT_KEY("-x", 11),
                                       FUSE_OPT_KEY("-p ", 12),
                                       FUSE_OPT_KEY("text=", 13),
                                       FUSE_OPT_KEY("flag", FUSE_OPT_KEY_KEEP),
                                       FUSE_OPT_KEY("noflag", FUSE_OPT_KEY_DISCARD),
                                       {"number=", AT(second), 5},
                                       FUSE_OPT_KEY("number=", FUSE_OPT_KEY_KEEP),
                                       {"--path=%s", AT(path), 0},
                                       {"-m %o", AT(octal), 0},
                                       FUSE_OPT_KEY("-m ", FUSE_OPT_KEY_KEEP),
                                       FUSE_OPT_KEY("", 14),
                                       FUSE_OPT_END};

static const struct fuse_opt nothing[] = {FUSE_OPT_END};

static const struct fuse_opt* const tables[] = {plain, keys, nothing, NULL};
static const char* const table_names[] = {"plain", "keys", "nothing", "null"};

static const char* const alphabet[] = {
    "a",
    "-",
    "--",
    "-o",
    "-oflag,other",
    "-x",
    "-xy",
    "-p",
    "-pq",
    "-m",
    "-m755",
    "flag",
    "number=12",
    "-onumber=9,text=a\\,b",
    "-otext=\\101\\\\,noflag,,z",
    "--path=/a,b",
    "--unknown",
    "-oflag\\",
    "text=",
    "-o,",
};
#define NR_ALPHABET (sizeof(alphabet) / sizeof(alphabet[0]))

static const char* const longer[][12] = {
    {"prog", "-o", "number=1,number=2,big=18446744073709551615", "-o", "text=one", "-otext=two", "rest",
     NULL},
    {"prog", "-o", "unknown=a\\,b\\\\c,x\\101y", "m", "--", "-x", "-o", "flag", NULL},
    {"prog", "-x", "--", NULL},
    {"prog", "-o", "left", "--", NULL},
    {"prog", "-o", "left", "--", "right", NULL},
    {"prog", "a", "--", "--", NULL},
    {"prog", "-o", "number=", NULL},
    {"prog", "-o", "number=zz", NULL},
    {"prog", "-o", "number=12zz", NULL},
    {"prog", "-o", "number=-1", NULL},
    {"prog", "-o", "big=0x10", NULL},
    {"prog", "-m", "zz", NULL},
    {"prog", "-m", NULL},
    {"prog", "-p", "--path=q", "-p", "-x", NULL},
    {"prog", "-otext=\\000end,flag", NULL},
    {"prog", "-otext=\\377\\400\\08\\7", NULL},
    {"prog", "-otext=\\", NULL},
    {"prog", "-o", "", NULL},
    {"prog", "-o", ",,,", NULL},
    {"prog", "", "", NULL},
    {"prog", "-o", "-x,-p,q", NULL},
    {"prog", "-o", "-p", NULL},
    {"prog", "-o", "-pq", NULL},
    {"prog", "-o", "--", NULL},
    {"prog", "--path", "--path=", "--path=1", NULL},
    {"prog", "-o", "-p", "next", "-o", "-m", "600", NULL},
    {"-x", "-x", NULL},
    {NULL},
};

static void print_text(const char* name, const char* text)
{
    printf(" %s=", name);
    if (!text) {
        printf("(null)");
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            printf("\\x%02x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_args(const struct fuse_args* args)
{
    printf(" argc=%d allocated=%d", args->argc, args->allocated);
    for (int i = 0; i < args->argc; i++)
        print_text("arg", args->argv[i]);
    if (args->argv)
        printf(" end=%s", args->argv[args->argc] ? "?" : "null");
}

static int process(void* data, const char* arg, int key, struct fuse_args* outargs)
{
    struct values* values = data;

    values->calls++;
    printf(" [%d", key);
    print_text("", arg);
    printf(" out=%d]", outargs->argc);
    switch (policy) {
    case POLICY_DROP:
        return 0;
    case POLICY_FAIL_NONOPT:
        return key == FUSE_OPT_KEY_NONOPT ? -1 : 1;
    case POLICY_EDIT:
        if (key == FUSE_OPT_KEY_NONOPT)
            return fuse_opt_add_arg(outargs, "added") ? -1 : 0;
        if (key == 11)
            return fuse_opt_insert_arg(outargs, 1, "inserted") ? -1 : 5;
        return 1;
    default:
        return 1;
    }
}

static void run(int argc, const char* const* argv, size_t table)
{
    char* copy[16];
    struct values values = {.flag = -9, .second = -9, .number = 99, .text = strdup("old")};
    struct fuse_args args = FUSE_ARGS_INIT(argc, copy);
    int rc;

    for (int i = 0; i < argc; i++)
        copy[i] = strdup(argv[i]);
    copy[argc] = NULL;

    printf("%s/%d", table_names[table], (int)policy);
    for (int i = 1; i < argc; i++)
        print_text("in", argv[i]);
    printf(":");
    rc = fuse_opt_parse(&args, &values, tables[table], policy == POLICY_NONE ? NULL : process);
    printf(" rc=%d flag=%d second=%d number=%u big=%lu octal=%o", rc, values.flag, values.second,
           values.number, values.big, (unsigned)values.octal);
    print_text("text", values.text);
    print_text("path", values.path);
    print_args(&args);
    printf("\n");

    fuse_opt_free_args(&args);
    if (args.argc || args.argv || args.allocated)
        printf("free_args left something\n");
    for (int i = 0; i < argc; i++)
        free(copy[i]);
    free(values.text);
    free(values.path);
}

static void run_all_short(size_t table)
{
    const char* argv[5] = {"prog"};

    run(1, argv, table);
    for (size_t i = 0; i < NR_ALPHABET; i++) {
        argv[1] = alphabet[i];
        run(2, argv, table);
        for (size_t j = 0; j < NR_ALPHABET; j++) {
            argv[2] = alphabet[j];
            run(3, argv, table);
            if (table >= 2)
                continue; /* empty tables have nothing to combine */
            for (size_t k = 0; k < NR_ALPHABET; k++) {
                argv[3] = alphabet[k];
                run(4, argv, table);
            }
        }
    }
}

static void run_longer(size_t table)
{
    for (size_t i = 0; longer[i][0]; i++) {
        int argc = 0;

        while (longer[i][argc])
            argc++;
        run(argc, longer[i], table);
    }
}

static void helpers(void)
{
    static const char* const opts[] = {"", "a", "b,c", "d\\e", ",", "\\", "f"};
    char* plain_list = NULL;
    char* escaped_list = NULL;
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int rc;

    for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
        rc = fuse_opt_add_opt(&plain_list, opts[i]);
        rc += fuse_opt_add_opt_escaped(&escaped_list, opts[i]);
        printf("add_opt rc=%d", rc);
        print_text("plain", plain_list);
        print_text("escaped", escaped_list);
        printf("\n");
    }
    free(plain_list);
    free(escaped_list);

    for (int i = 0; i < 6; i++) {
        char word[8];

        snprintf(word, sizeof(word), "w%d", i);
        rc = i % 2 ? fuse_opt_insert_arg(&args, i / 2, word) : fuse_opt_add_arg(&args, word);
        printf("add_arg rc=%d", rc);
        print_args(&args);
        printf("\n");
    }
    fuse_opt_free_args(&args);
    fuse_opt_free_args(NULL);

    for (size_t i = 0; i < NR_ALPHABET; i++) {
        for (size_t t = 0; t < 4; t++)
            printf("match %s %s %d\n", table_names[t], alphabet[i], fuse_opt_match(tables[t], alphabet[i]));
    }

    args = (struct fuse_args)FUSE_ARGS_INIT(0, NULL);
    printf("empty rc=%d", fuse_opt_parse(&args, NULL, plain, NULL));
    print_args(&args);
    printf(" null rc=%d\n", fuse_opt_parse(NULL, NULL, plain, NULL));
}

int main(void)
{
    for (policy = POLICY_NONE; policy < POLICY_COUNT; policy++) {
        for (size_t table = 0; table < 4; table++) {
            run_all_short(table);
            run_longer(table);
        }
    }
    helpers();
    printf("end\n");
    return ferror(stdout) ? 1 : 0;
}
