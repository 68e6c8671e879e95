/* SPDX-License-Identifier: MIT */
/* Table login_states: authorization requests under way. */
#ifndef GG_STORE_LOGIN_H
#define GG_STORE_LOGIN_H

#include "gg/ext/db.h"
#include "gg/proto/fernet.h"

#define GG_LOGIN_TTL_S 600

struct gg_login {
    const struct gg_realm *realm;
    struct gg_str subject; /* whose account is connected; absent: a sign-in */
    struct gg_secret nonce;
    struct gg_secret code_verifier;
    struct gg_str return_to; /* absent: none */
};

/* What finds it: the state that Microsoft hands back, and the cookie of the browser it began in. */
struct gg_login_key {
    struct gg_secret state;
    struct gg_secret browser;
};

struct gg_login_store {
    struct gg_db *db;
    const struct gg_fernet *fernet;
};

GG_MUST bool gg_login_put(struct gg_login_store s, struct gg_arena *a, struct gg_login_key key,
                          const struct gg_login *login, struct gg_err *err);

/*
 * Finds it and ends it, at most once however many ask. GG_ESTATE when it is unknown, used, too old
 * or another browser's (then it stays, so that a stranger cannot use it up).
 */
GG_MUST bool gg_login_take(struct gg_login_store s, struct gg_arena *a, struct gg_login_key key,
                           struct gg_login *login, struct gg_err *err);

/* Deletes what has expired, at most 1000 rows; *count says how many. */
GG_MUST bool gg_login_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count,
                            struct gg_err *err);

/* One user's rows: how many there are, and all of them deleted, *count saying how many those were.
 */
GG_MUST bool gg_login_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                               int64_t *count, struct gg_err *err);
GG_MUST bool gg_login_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                              int64_t *count, struct gg_err *err);

#endif
