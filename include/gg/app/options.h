/* SPDX-License-Identifier: MIT */
/*
 * One table of options, from which reading, checking, the sample file and the table of the README
 * are made.
 */
#ifndef GG_APP_OPTIONS_H
#define GG_APP_OPTIONS_H

#include "gg/base/conf.h"

struct gg_option;

/* Reads value into field, of struct gg_conf; else fault says what it must be, without the value. */
struct gg_option_read {
    struct gg_arena *arena;
    const struct gg_option *option;
    struct gg_str value;
    void *field;
    const char *fault;
};

/* What can be said of one option. */
struct gg_option {
    const char *name;
    bool (*parse)(struct gg_option_read *r);
    size_t offset;        /* in struct gg_conf */
    const char *fallback; /* NULL: none */
    const char *shown;    /* how the documentation names the default; NULL: as fallback */
    bool is_required;
    bool is_secret; /* NAME_FILE may name a file that holds it */
    int64_t min;
    int64_t max;
    const char *meaning;
};

const struct gg_option *gg_options_table(size_t *count);

#endif
