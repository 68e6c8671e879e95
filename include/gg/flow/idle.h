/* SPDX-License-Identifier: MIT */
/*
 * Refreshing what nobody uses, before Microsoft ends it: a refresh token lives 90 days.
 * https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 *
 * Several processes at a time go through one list; a row is refreshed under its lease as always, so
 * that other hosts doing the same at the same time do nothing twice.
 */
#ifndef GG_FLOW_IDLE_H
#define GG_FLOW_IDLE_H

#include "gg/flow/ctx.h"

#include <stdatomic.h>

/* Why the rest of the list was left alone. */
enum gg_idle_stop {
    GG_IDLE_GOES_ON,
    GG_IDLE_THROTTLED, /* Microsoft asks for less: the next run goes on */
    GG_IDLE_REJECTED,  /* the application's registration is at fault: its operator must act */
    GG_IDLE_LATE,      /* the run's time is over */
    GG_IDLE_NO_DATABASE,
};

/* What all of them know, in memory that they share. */
struct gg_idle_page {
    atomic_size_t next; /* of the list, for whoever is free */
    atomic_int stop;    /* enum gg_idle_stop */
    atomic_int refreshed;
    atomic_int refused; /* for good: the row is inactive now */
    atomic_int failed;  /* in passing */
    atomic_int skipped; /* in use, under another's refresh, or failed a moment ago */
};

/* Those that are due, at most limit of each realm, in an order of this run's own. */
GG_MUST bool gg_idle_find(struct gg_call *c, int64_t limit, struct gg_token_key **keys,
                          size_t *count, struct gg_err *err);

/* One process's part: until the list is done, its call's deadline has come, or one of them stops.
 */
void gg_idle_work(struct gg_call *c, const struct gg_token_key *keys, size_t count,
                  struct gg_idle_page *page);

#endif
