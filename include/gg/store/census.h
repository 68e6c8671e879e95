/* SPDX-License-Identifier: MIT */
/* Tables microsoft_oauth_tokens and beta_microsoft_oauth_tokens, counted for those who look after
 * them; whole scans, so never for a request. */
#ifndef GG_STORE_CENSUS_H
#define GG_STORE_CENSUS_H

#include "gg/ext/db.h"

/* Rows by a word; an absent word is that of rows without one. All of it is the arena's. */
struct gg_census_part {
    struct gg_str word;
    int64_t rows;
};
struct gg_census {
    struct gg_census_part *parts; /* the largest first, at most 1000 */
    size_t count;
};

/* Inactive rows by inactive_reason. */
GG_MUST bool gg_census_inactive(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                                struct gg_census *census, struct gg_err *err);

/* Rows with tokens, by the fingerprint of the key that encrypted them. */
GG_MUST bool gg_census_keys(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                            struct gg_census *census, struct gg_err *err);

/* How many rows with tokens have no seal. */
GG_MUST bool gg_census_unsealed(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                                int64_t *rows, struct gg_err *err);

/* The encrypted access tokens that were written last, at most 5. */
GG_MUST bool gg_census_newest(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                              struct gg_db_result *rows, struct gg_err *err);

#endif
