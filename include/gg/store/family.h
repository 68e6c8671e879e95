/* SPDX-License-Identifier: MIT */
/* Table refresh_families: which refresh token of a line of them may still be used. */
#ifndef GG_STORE_FAMILY_H
#define GG_STORE_FAMILY_H

#include "gg/ext/db.h"

struct gg_family {
    const struct gg_realm *realm;
    struct gg_str subject;
    struct gg_str family_id; /* 22 characters of base64url */
    struct gg_str token_id;  /* likewise: the claim jti of the newest refresh token */
    int64_t ttl_s;
    bool was_spent; /* out, of gg_family_rotate */
};

GG_MUST bool gg_family_put(struct gg_db *db, struct gg_arena *a, const struct gg_family *family,
                           struct gg_err *err);

/*
 * Puts next_id in the place of family->token_id. When that one is not the newest it was spent
 * before, by its owner or by a thief: the whole family ends, and family->was_spent. The error is
 * GG_EINVALIDTOKEN, as it is, without was_spent, when the family is too old or not there.
 */
GG_MUST bool gg_family_rotate(struct gg_db *db, struct gg_arena *a, struct gg_family *family,
                              struct gg_str next_id, struct gg_err *err);

GG_MUST bool gg_family_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count,
                             struct gg_err *err);

/* Sessions that can still be refreshed, counted one by one. */
GG_MUST bool gg_family_count(struct gg_db *db, struct gg_arena *a, int64_t *count,
                             struct gg_err *err);

/* One user's rows: how many there are, and all of them deleted, *count saying how many those were.
 */
GG_MUST bool gg_family_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                                int64_t *count, struct gg_err *err);
GG_MUST bool gg_family_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                               int64_t *count, struct gg_err *err);

#endif
