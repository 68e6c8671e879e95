/* SPDX-License-Identifier: MIT */
/* The operations that failures are injected into. */
#ifndef GG_TESTS_INJECT_OPS_H
#define GG_TESTS_INJECT_OPS_H

#include "inject.h"

#include "gg/base/arena.h"
#include "gg/base/str.h"

struct op_run {
    struct gg_arena *arena;
    struct gg_err err;
    struct gg_str answer; /* what came out */
    void *mine;           /* of the operation */
};

struct op {
    const char *name;
    bool needs_database;
    bool notices_interrupts; /* its library takes EINTR for an end; no signal comes there */
    bool is_right_anyway;    /* the answer is judged even when work failed */
    void (*prepare)(void);   /* once, in the parent; may be NULL */
    void (*set_up)(struct op_run *run);
    bool (*work)(struct op_run *run); /* false with err */
    bool (*is_right)(const struct op_run *run);
    void (*clean)(void); /* once, in the parent; may be NULL */
};

extern const struct op ops[];
extern const size_t ops_count;

#endif
