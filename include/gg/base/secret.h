/* SPDX-License-Identifier: MIT */
/* Bytes that must not be seen: a type that no format string takes, and what to do with it. */
#ifndef GG_BASE_SECRET_H
#define GG_BASE_SECRET_H

#include "gg/base/err.h"
#include "gg/base/str.h"

#include <stddef.h>

/* Borrowed bytes, usually of an arena, which wipes them. NULL p means that there is none. */
struct gg_secret {
    const char *p;
    size_t n;
};

struct gg_secret gg_secret_of(struct gg_str s);

/* Use it where the bytes themselves are needed (a header, a form, a cipher), never for a log. */
struct gg_str gg_secret_reveal(struct gg_secret s);

bool gg_secret_is_set(struct gg_secret s);

/* In a time that depends on the lengths alone. */
bool gg_secret_is_equal(struct gg_secret a, struct gg_secret b);

/* Overwrites, and is not optimised away. */
void gg_wipe(void *p, size_t n);

#endif
