/* SPDX-License-Identifier: MIT */
/*
 * Of a row of store/token's tables, what serves a request while nothing is to be done to the row:
 * half its columns, and no clock of its own. It travels with the limit in each request, as one
 * cell: MariaDB resolves, reads and describes every column anew each time.
 */
#ifndef GG_STORE_TOKENUSE_H
#define GG_STORE_TOKENUSE_H

#include "gg/base/tokens.h"
#include "gg/ext/db.h"

struct gg_tokenuse {
    bool found;
    struct gg_ciphers ciphers;
    struct gg_str seal;
    struct gg_str fingerprint; /* of the key that it is noted under */
    bool is_active;
    int64_t left_s;   /* until the access token expires */
    bool wants_touch; /* last_used_at is more than a minute old */
};

/* A SELECT of one cell. */
struct gg_db_call gg_tokenuse_call(struct gg_arena *a, struct gg_subject who);

/* By what a row is judged: the time by the database's clock, in microseconds since 1970. */
struct gg_tokenuse_need {
    int64_t now_us;
    int64_t left_s;       /* the least */
    int64_t max_age_days; /* since it was connected; 0: any */
};

/*
 * What came; the cell is absent where there is no row, which is told as it is. False when only the
 * whole row can tell what is to be done: it is not active, may be too old, has not more than left_s
 * left, or lacks something: a token, a seal (an imported one), any use so far.
 */
bool gg_tokenuse_read(struct gg_str cell, struct gg_tokenuse_need need, struct gg_tokenuse *row);

#endif
