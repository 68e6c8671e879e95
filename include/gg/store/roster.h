/* SPDX-License-Identifier: MIT */
/*
 * The token tables as their operator sees them: which rows there are, and which have been idle.
 * No ciphertext is ever read here. The rows themselves are store/token's.
 */
#ifndef GG_STORE_ROSTER_H
#define GG_STORE_ROSTER_H

#include "gg/ext/db.h"

/* As many rows as one call gives at most. */
#define GG_ROSTER_ROWS_MAX 1000

/* Which rows of a realm. What is absent does not matter. */
struct gg_roster_ask {
    const struct gg_realm *realm;
    struct gg_str subject;
    struct gg_str tenant_id;
    struct gg_str state;
    int64_t after_id; /* only rows behind this one; 0: from the first */
    int64_t limit;    /* 1…GG_ROSTER_ROWS_MAX */
};

/* Times are seconds since 1970, UTC; -1: none. */
struct gg_roster_row {
    int64_t id;
    struct gg_str subject;
    struct gg_str tenant_id; /* may be absent, like the two below */
    struct gg_str microsoft_id;
    struct gg_str email;
    struct gg_str state;  /* "active", "expiring" (within 5 minutes), "expired", "inactive" */
    struct gg_str reason; /* of an inactive one; may be absent */
    struct gg_str scope;  /* may be absent */
    int64_t expires_at_s;
    int64_t last_used_at_s;
    int64_t connected_at_s;
    int64_t changed_at_s; /* when the tokens were refreshed or connected last */
};

struct gg_roster_rows {
    size_t count;
    struct gg_roster_row *rows;
};

/* In the order of id. */
GG_MUST bool gg_roster_list(struct gg_db *db, struct gg_arena *a, const struct gg_roster_ask *ask,
                            struct gg_roster_rows *found, struct gg_err *err);

/* Connections whose tokens are older than so many days, less up to a tenth of them by a hash of the
 * subject: what was imported or connected on one day does not come back on one day. */
struct gg_roster_idle {
    const struct gg_realm *realm;
    struct gg_str subject; /* this one alone; absent: all */
    int64_t days;
    int64_t limit;
    int64_t salt; /* each salt gives another order */
};
struct gg_roster_subjects {
    size_t count;
    struct gg_str *subjects;
};
GG_MUST bool gg_roster_find_idle(struct gg_db *db, struct gg_arena *a,
                                 const struct gg_roster_idle *idle,
                                 struct gg_roster_subjects *found, struct gg_err *err);

/* How many rows of a realm are in each state, and the age of the oldest tokens. */
struct gg_roster_sums {
    int64_t total;
    int64_t active;
    int64_t expiring;
    int64_t expired;
    int64_t inactive;
    int64_t oldest_s; /* when those that were longest without a refresh had one; -1: none */
};
GG_MUST bool gg_roster_sum(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                           struct gg_roster_sums *sums, struct gg_err *err);

/* The commonest values of a column. */
enum gg_roster_by { GG_ROSTER_BY_REASON, GG_ROSTER_BY_TENANT };

#define GG_ROSTER_GROUPS_MAX 10

struct gg_roster_groups {
    enum gg_roster_by by; /* given; the rest is found */
    size_t count;
    struct gg_roster_group {
        struct gg_str name; /* absent where the column is NULL */
        int64_t rows;
    } rows[GG_ROSTER_GROUPS_MAX]; /* the largest first */
};

/* Reasons count inactive rows alone. */
GG_MUST bool gg_roster_group(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                             struct gg_roster_groups *groups, struct gg_err *err);

#endif
