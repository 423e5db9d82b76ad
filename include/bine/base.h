/* SPDX-License-Identifier: MIT
 *
 * What every other header needs: the version, export marks, and the unit of time.
 *
 * In these headers a function whose comment begins with "yields" may switch to other tasks: it is a
 * cancellation point and fails with ECANCELED or ETIMEDOUT by the rules of scopes (bine_scopes(7)).
 * Every other function never switches. */
#ifndef BINE_BASE_H
#define BINE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Semantic version.  The major number is the shared library's soname. */
#define BINE_VERSION_MAJOR 0
#define BINE_VERSION_MINOR 1
#define BINE_VERSION_PATCH 0
#define BINE_VERSION "0.1.0"

#ifdef __cplusplus
#define BINE_BEGIN_DECLS extern "C" {
#define BINE_END_DECLS }
#else
#define BINE_BEGIN_DECLS
#define BINE_END_DECLS
#endif

#define BINE_EXPORT __attribute__((visibility("default")))

/* "file:line" of the place where a macro is used, as one string. */
#define BINE__STRING_(x) #x
#define BINE__STRING(x) BINE__STRING_(x)
#define BINE__SITE __FILE__ ":" BINE__STRING(__LINE__)

/* A name nobody else has, for the block forms. */
#define BINE__JOIN_(a, b) a##b
#define BINE__JOIN(a, b) BINE__JOIN_(a, b)
/* Another name each time it is written.  Since 22 clang takes the counter for an extension to warn of; there the line
 * does, though -Wshadow speaks of two that are nested on one. */
#if defined(__clang_major__) && __clang_major__ >= 22
#define BINE__UNIQUE(name) BINE__JOIN(name, __LINE__)
#else
#define BINE__UNIQUE(name) BINE__JOIN(name, __COUNTER__)
#endif

BINE_BEGIN_DECLS

/* A point on, or a distance along, the monotonic clock, in nanoseconds.  Sums saturate at
 * BINE_FOREVER, which means "no deadline"; a negative timeout is one that has already passed. */
typedef int64_t bine_ns;
#define BINE_US ((bine_ns)1000)
#define BINE_MS ((bine_ns)1000000)
#define BINE_SECOND ((bine_ns)1000000000)
#define BINE_MINUTE ((bine_ns)60000000000)
#define BINE_FOREVER INT64_MAX

/* The version of the library that is linked, "major.minor.patch". */
BINE_EXPORT const char *bine_version(void);

BINE_END_DECLS
#endif
