/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back all at once: one arena per request, one for the process.
 *
 * Nothing here fails: out of memory ends the process, so whatever is read must be capped first.
 */
#ifndef GG_BASE_ARENA_H
#define GG_BASE_ARENA_H

#include "gg/base/err.h"

#include <stddef.h>

struct gg_arena;

struct gg_arena *gg_arena_open(void);

/* Zeroed memory, aligned for any type. */
void *gg_arena_alloc(struct gg_arena *a, size_t n);

/*
 * Makes an allocation of n bytes `more` long where it is; false when something else stands behind
 * it or its block is full. For what grows.
 */
bool gg_arena_extend(struct gg_arena *a, void *p, size_t n, size_t more);

/* A copy of n bytes with a NUL behind them. */
char *gg_arena_copy(struct gg_arena *a, const void *p, size_t n);
char *gg_arena_strdup(struct gg_arena *a, const char *s);
char *gg_arena_printf(struct gg_arena *a, const char *fmt, ...) GG_PRINTF(2, 3);

/* Registers a foreign object: fn(obj) runs at the next reset, last registered first. */
void gg_arena_defer(struct gg_arena *a, void (*fn)(void *), void *obj);

/* Runs what was deferred, then wipes and releases every allocation. */
void gg_arena_reset(struct gg_arena *a);
void gg_arena_close(struct gg_arena *a);

#endif
