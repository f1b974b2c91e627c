/*
 * Option parser: turns a command line into fields of a structure, and leaves
 * what it did not know for the next parser. Usable without any other header.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_OPT_H_
#define FUSE_OPT_H_

#include "libfuse_config.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One row of an option table.
 *
 * What a template matches:
 *  - "-x", "--long", "name" : exactly that argument ("name" stands for
 *                             "-o name")
 *  - "-x " (with the space) : "-x" and its value in the same or the next
 *                             argument
 *  - "name=", "--long="     : that prefix and a value
 *  - "name=%u", "-x %s"     : the same, the value is converted with this
 *                             scanf-like format; %s gives a malloc'd copy
 *
 * What a match does depends on offset:
 *  - an offset into the data structure: store `value` there as an int, or the
 *    converted value if the template has a format
 *  - -1U (see FUSE_OPT_KEY): call the processing function with key = `value`
 */
struct fuse_opt {
	/** What to match */
	const char *templ;

	/** Byte offset into the data structure, or -1U */
	unsigned long offset;

	/** Number to store, or the key for the processing function */
	int value;
};

/** Table row that hands the argument to the processing function as `key`. */
#define FUSE_OPT_KEY(templ, key) { templ, -1U, key }

/** Last row of a table. */
#define FUSE_OPT_END { NULL, 0, 0 }

/** An argument list that the parsers may rewrite. */
struct fuse_args {
	/** Number of arguments */
	int argc;

	/** Arguments, followed by NULL */
	char **argv;

	/** Non-zero: argv and its strings are malloc'd and owned by this */
	int allocated;
};

/** Initialiser around the argc and argv of main(); those stay the caller's. */
#define FUSE_ARGS_INIT(argc, argv) { argc, argv, 0 }

/** Key of an option that matched no row. */
#define FUSE_OPT_KEY_OPT     -1

/** Key of an argument that is no option. */
#define FUSE_OPT_KEY_NONOPT  -2

/** Row value: keep the argument in the list without calling anybody. */
#define FUSE_OPT_KEY_KEEP    -3

/** Row value: drop the argument without calling anybody. */
#define FUSE_OPT_KEY_DISCARD -4

/**
 * Decides about one argument.
 *
 * @data     the structure given to fuse_opt_parse()
 * @arg      the whole argument, name and value; borrowed until return
 * @key      value of the row that matched, or one of FUSE_OPT_KEY_*
 * @outargs  list under construction; more may be added to it
 * @return 1 keep the argument, 0 drop it, -1 stop with an error
 *
 * Thread: the one in fuse_opt_parse().  Since: FUSE_3.0
 */
typedef int (*fuse_opt_proc_t)(void *data, const char *arg, int key,
			       struct fuse_args *outargs);

/**
 * Parse a list. Recognised options fill `data`; arguments that are kept
 * replace the list, with all "-o" groups joined into one. After "--" all is
 * non-option.
 *
 * @args  rewritten, and owned memory afterwards (free with
 *        fuse_opt_free_args()). NULL, argc 0 or argv NULL: nothing to do
 * @data  target of the offsets; may be NULL if no row has one. A %s field is
 *        freed before it is overwritten, so start from NULL or malloc'd
 * @opts  table ending in FUSE_OPT_END; NULL means no rows
 * @proc  decides what no row settles; NULL keeps everything
 * @return 0, or -1 after a message (bad value, out of memory, proc said -1);
 *         the list is then unchanged
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
int fuse_opt_parse(struct fuse_args *args, void *data,
		   const struct fuse_opt opts[], fuse_opt_proc_t proc);

/**
 * Append one option to a comma-separated string.
 *
 * @opts  address of a malloc'd string or of NULL; replaced
 * @opt   text to append as it is
 * @return 0, or -1 after an out-of-memory message (*opts unchanged)
 *
 * Thread: any, no two on the same string.  Since: FUSE_3.0
 */
int fuse_opt_add_opt(char **opts, const char *opt);

/**
 * As fuse_opt_add_opt(), but ',' and '\' in the text get a '\' in front, so
 * that they survive being split again.
 *
 * @opts  address of a malloc'd string or of NULL; replaced
 * @opt   text to append
 * @return 0, or -1 after an out-of-memory message (*opts unchanged)
 *
 * Thread: any, no two on the same string.  Since: FUSE_3.0
 */
int fuse_opt_add_opt_escaped(char **opts, const char *opt);

/**
 * Append an argument. A list that is not owned memory is copied first.
 *
 * @args  the list; argv may be NULL if argc is 0
 * @arg   copied
 * @return 0, or -1 after an out-of-memory message
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
int fuse_opt_add_arg(struct fuse_args *args, const char *arg);

/**
 * Insert an argument. A list that is not owned memory is copied first.
 *
 * @args  the list
 * @pos   index the new argument will have, 0 to argc
 * @arg   copied
 * @return 0, or -1 after an out-of-memory message
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
int fuse_opt_insert_arg(struct fuse_args *args, int pos, const char *arg);

/**
 * Free what the list owns and make it empty. A list around the argv of main()
 * is only emptied.
 *
 * @args  the list; may be NULL
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
void fuse_opt_free_args(struct fuse_args *args);

/**
 * Ask whether some row matches.
 *
 * @opts  table ending in FUSE_OPT_END
 * @opt   one option, without "-o"
 * @return 1 if a row matches, else 0
 *
 * Thread: any.  Since: FUSE_3.0
 */
int fuse_opt_match(const struct fuse_opt opts[], const char *opt);

RINGFUSE_ASSERT_SIZE(fuse_opt, 24);
RINGFUSE_ASSERT_SIZE(fuse_args, 24);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_OPT_H_ */
