/* SPDX-License-Identifier: MIT */
/* What rotate-keys and seal have in common: a run over both realms, told as it goes. */
#ifndef GG_CTL_REKEY_H
#define GG_CTL_REKEY_H

#include "ctl.h"
#include "gg/flow/rekey.h"

struct gg_ctl_rekey {
    enum gg_rekey_job job;
    bool is_dry;
    bool is_all;      /* every row is looked at, whatever key it is noted under */
    bool is_progress; /* also where standard error is no terminal */
    const char *done; /* what happens to a row: "re-encrypted" */
    const char *event;
    /* Out, by realm. */
    struct gg_rekey_counts counts[GG_REALMS];
};

/*
 * Prints what was done and what was left, and notes it in the audit. A status: GG_CTL_FAILED also
 * when a row was left.
 */
int gg_ctl_rekey(struct gg_ctl *c, struct gg_ctl_rekey *k);

/* Prints the rows that were left. */
void gg_ctl_rekey_print_left(struct gg_ctl *c, const struct gg_rekey *r);

/* The database with time for large tables. */
void gg_ctl_rekey_open_db(struct gg_ctl *c);

/* "3 rows", "1 row". */
const char *gg_ctl_rekey_rows(struct gg_ctl *c, int64_t count);

#endif
