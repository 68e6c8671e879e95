/* SPDX-License-Identifier: MIT */
/*
 * Of a row of store/token's tables, what serves a request while nothing is to be done to the row:
 * half its columns, and no clock of its own. It travels with the limit in each request, and MariaDB
 * resolves, reads and describes every column anew each time.
 */
#ifndef GG_STORE_TOKENUSE_H
#define GG_STORE_TOKENUSE_H

#include "gg/base/tokens.h"
#include "gg/ext/db.h"

struct gg_tokenuse {
    bool found;
    struct gg_ciphers ciphers;
    struct gg_str seal;        /* absent: imported, not sealed */
    struct gg_str fingerprint; /* of the key that it is noted under; absent: not noted */
    bool is_active;
    int64_t left_s;   /* until the access token expires */
    bool wants_touch; /* last_used_at is more than a minute old */
};

struct gg_db_call gg_tokenuse_call(struct gg_arena *a, struct gg_subject who);

/* By what a row is judged: the time by the database's clock, in microseconds since 1970. */
struct gg_tokenuse_need {
    int64_t now_us;
    int64_t left_s;       /* the least */
    int64_t max_age_days; /* since it was connected; 0: any */
};

/*
 * What came. False when only the whole row can tell what is to be done: it is not active, may be
 * too old, or has not more than left_s left. No row at all is told as it is.
 */
bool gg_tokenuse_read(const struct gg_db_result *rows, struct gg_tokenuse_need need,
                      struct gg_tokenuse *row);

#endif
