/*
 * The release these headers describe, and the helper that pins structure
 * sizes. Every other header of this directory includes this one first; it
 * needs nothing itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBFUSE_CONFIG_H_
#define LIBFUSE_CONFIG_H_

/* API release. Wrappers hand these numbers to the library, which picks the
 * structure layouts of the caller from them. */
#define FUSE_MAJOR_VERSION 3
#define FUSE_MINOR_VERSION 19
#define FUSE_HOTFIX_VERSION 0
/* Empty: a release, not a release candidate. */
#define FUSE_RC_VERSION

/* The shared library always carries symbol versions. */
#define LIBFUSE_BUILT_WITH_VERSIONED_SYMBOLS 1

/* Compile-time check usable at file scope in C99, C11 and C++; `tag` makes the
 * C99 form unique. */
#if defined(__cplusplus)
#  define RINGFUSE_ASSERT(tag, cond) static_assert(cond, #tag)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#  define RINGFUSE_ASSERT(tag, cond) _Static_assert(cond, #tag)
#else
#  define RINGFUSE_ASSERT(tag, cond) \
	typedef char ringfuse_assert_##tag[(cond) ? 1 : -1]
#endif

/* Sizes are binary interface. The numbers hold for 64-bit x86 (LP64); on other
 * machines the compiler's own layout is the interface and nothing is checked. */
#if defined(__x86_64__) && defined(__LP64__)
#  define RINGFUSE_ASSERT_SIZE(name, bytes) \
	RINGFUSE_ASSERT(size_of_##name, sizeof(struct name) == (bytes))
#else
#  define RINGFUSE_ASSERT_SIZE(name, bytes) \
	RINGFUSE_ASSERT(size_of_##name, sizeof(struct name) > 0)
#endif

#endif /* LIBFUSE_CONFIG_H_ */
