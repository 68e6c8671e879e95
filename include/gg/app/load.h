/* SPDX-License-Identifier: MIT */
/* The configuration read: the environment over the file over the defaults, and every fault named.
 */
#ifndef GG_APP_LOAD_H
#define GG_APP_LOAD_H

#include "gg/base/conf.h"

/* Every fault at once: `field` is the variable's name, `detail` what is wrong, and where. */
struct gg_loaded {
    struct gg_conf conf;
    const char *file; /* that was looked for */
    bool file_is_absent;
    bool file_is_named;             /* by GRAPHGATE_CONFIG, not the default */
    const struct gg_fault *faults;  /* values that are bad, unreadable or unknown */
    const struct gg_fault *missing; /* required ones that are not there */
    const struct gg_fault *lax;     /* NAME_FILEs that others may read or change: no fault */
};

/* Reads environ and the file. Never fails: the faults say it. All of it is the arena's. */
void gg_load(struct gg_arena *a, struct gg_loaded *loaded);

#endif
