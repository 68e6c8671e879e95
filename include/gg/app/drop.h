/* SPDX-License-Identifier: MIT */
#ifndef GG_APP_DROP_H
#define GG_APP_DROP_H

#include "gg/base/err.h"

#include <sys/types.h>

/* An account of the machine that the program is to run as. */
struct gg_drop {
    char name[256];
    uid_t uid;
    gid_t gid;
};

/* Looks up NAME or NAME:GROUP in the machine's accounts; root is no answer. */
GG_MUST bool gg_drop_find(const char *text, struct gg_drop *out, struct gg_err *err);

/*
 * Becomes that account for good: its groups, its group, its user, and no way back, which is tried.
 * Whoever is that account already stays it.
 */
GG_MUST bool gg_drop_to(const struct gg_drop *account, struct gg_err *err);

#endif
