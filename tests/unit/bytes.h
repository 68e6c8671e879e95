/* SPDX-License-Identifier: MIT */
/* Bytes of a test, made of what is easily read. */
#ifndef GG_TESTS_BYTES_H
#define GG_TESTS_BYTES_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

#include <stdlib.h>
#include <string.h>

/* Bytes from hexadecimal text. */
static inline struct gg_str unhex(struct gg_arena *a, const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *p = gg_arena_alloc(a, n + 1);

    for (size_t i = 0; i < n; i++)
        p[i] = (char)strtoul((char[]){hex[2 * i], hex[2 * i + 1], '\0'}, NULL, 16);
    return (struct gg_str){p, n};
}

/* n times the same byte. */
static inline struct gg_str fill(struct gg_arena *a, char byte, size_t n)
{
    char *p = gg_arena_alloc(a, n);

    memset(p, byte, n);
    return (struct gg_str){p, n};
}

#endif
