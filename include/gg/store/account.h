/* SPDX-License-Identifier: MIT */
/* Tables users and beta_teachers: local accounts, each with one Microsoft identity. */
#ifndef GG_STORE_ACCOUNT_H
#define GG_STORE_ACCOUNT_H

#include "gg/ext/db.h"

/* A Microsoft identity: the claims tid and oid are its key, the rest may change at any time. */
struct gg_identity {
    struct gg_str tenant_id;
    struct gg_str microsoft_id;
    struct gg_str email;     /* may be absent */
    struct gg_str full_name; /* may be absent */
};

struct gg_account {
    bool found;
    struct gg_str id; /* the subject of its JWTs */
    struct gg_identity identity;
};

/* One realm's accounts. */
struct gg_account_store {
    struct gg_db *db;
    const struct gg_realm *realm;
};

/* By tenant_id + microsoft_id; brings e-mail and name up to date when it is found. */
GG_MUST bool gg_account_find_identity(struct gg_account_store s, struct gg_arena *a,
                                      const struct gg_identity *identity,
                                      struct gg_account *account, struct gg_err *err);

/* The same, and makes the account when there is none. */
GG_MUST bool gg_account_put(struct gg_account_store s, struct gg_arena *a,
                            const struct gg_identity *identity, struct gg_account *account,
                            struct gg_err *err);

GG_MUST bool gg_account_find(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                             struct gg_account *account, struct gg_err *err);

/* How many there are, a site's own users included. */
GG_MUST bool gg_account_count(struct gg_account_store s, struct gg_arena *a, int64_t *count,
                              struct gg_err *err);

/* The tenant id of an account whose identity has gone to another, until the account goes too. */
#define GG_ACCOUNT_MERGED "merged"

/* Accounts behind one id, in the order of ids. */
struct gg_accounts {
    struct gg_str after; /* absent: from the first */
    int64_t limit;       /* 1…1000 */
    size_t count;        /* out, as rows */
    struct gg_account *rows;
};
GG_MUST bool gg_account_list(struct gg_account_store s, struct gg_arena *a,
                             struct gg_accounts *accounts, struct gg_err *err);

/* Whether graphgate made the table: in a site's own one an identity may be missing. */
GG_MUST bool gg_account_is_ours(struct gg_account_store s, struct gg_arena *a, bool *is_ours,
                                struct gg_err *err);

/* Whether the database's user may delete accounts; GG_EDATABASE if not. */
GG_MUST bool gg_account_may_drop(struct gg_account_store s, struct gg_arena *a, struct gg_err *err);

GG_MUST bool gg_account_drop(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                             struct gg_err *err);

/* Takes the Microsoft identity away: for a site's own table. */
GG_MUST bool gg_account_release(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                                struct gg_err *err);

/*
 * Gives from's identity to the account `into`, in place of what it has. One statement: whenever
 * somebody signs in with it, one of the two accounts has it.
 */
GG_MUST bool gg_account_move_identity(struct gg_account_store s, struct gg_arena *a,
                                      const struct gg_account *from, struct gg_str into,
                                      struct gg_err *err);

#endif
