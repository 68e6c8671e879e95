/* SPDX-License-Identifier: MIT */
/*
 * Of a row of store/token's tables, what serves a request while nothing is to be done to the row:
 * the access token with its own seal, and no clock of its own. It travels with the limit in each
 * request, as one cell: MariaDB resolves, reads and describes every column anew each time.
 */
#ifndef GG_STORE_TOKENUSE_H
#define GG_STORE_TOKENUSE_H

#include "gg/base/realm.h"
#include "gg/base/secret.h"
#include "gg/ext/db.h"
#include "gg/proto/fernet.h"

struct gg_tokenuse {
    struct gg_subject whose;
    struct gg_str access_token; /* its ciphertext */
    struct gg_str access_seal;
    bool wants_touch; /* last_used_at is more than a minute old */
};

/* A SELECT of one cell. */
struct gg_db_call gg_tokenuse_call(struct gg_arena *a, struct gg_subject whose);

/* By what a row is judged: the time by the database's clock, in microseconds since 1970. */
struct gg_tokenuse_need {
    int64_t now_us;
    int64_t left_s;       /* the least */
    int64_t max_age_days; /* since it was connected; 0: any */
};

/*
 * What came of that key; the cell is absent where there is no active row. False when only the whole
 * row can tell what is to be done: it may be too old, has not more than left_s left, or lacks
 * something: the access token, its seal (an imported row), any use so far.
 */
bool gg_tokenuse_read(struct gg_str cell, struct gg_tokenuse_need need, struct gg_tokenuse *row);

/*
 * Decrypts the access token. False when its seal is not its owner's or no key fits, of which
 * nothing is told: whoever then opens the whole row finds what is wrong with it.
 */
bool gg_tokenuse_open(const struct gg_fernet *fernet, struct gg_arena *a,
                      const struct gg_tokenuse *row, struct gg_secret *token);

#endif
