/* SPDX-License-Identifier: MIT */
/*
 * The token tables row by row, for whom looks after all of them: which key each row is under, and
 * rows put under another key, or sealed. Traffic goes on meanwhile; store/token is its own.
 */
#ifndef GG_STORE_TOKENROW_H
#define GG_STORE_TOKENROW_H

#include "gg/base/tokens.h"
#include "gg/ext/db.h"
#include "gg/proto/seal.h"

/* As it was when it was read; all of it is the arena's. */
struct gg_tokenrow {
    int64_t id;
    struct gg_str subject; /* in its canonical form, where it is one of the realm's */
    struct gg_ciphers ciphers;
    struct gg_str seal;        /* absent: none */
    struct gg_str fingerprint; /* absent: not noted */
    bool is_leased;            /* somebody refreshes it now */
};

enum gg_tokenrow_which {
    GG_TOKENROW_ALL,
    GG_TOKENROW_OTHER_KEY, /* not noted under the key of `fingerprint` */
    GG_TOKENROW_UNNOTED,
};

struct gg_tokenrow_query {
    const struct gg_realm *realm;
    enum gg_tokenrow_which which;
    struct gg_str fingerprint;
    int64_t after_id; /* -1: from the start */
};

/* Rows with a larger id, in its order, few enough to hold. None: that was the end. */
struct gg_tokenrows {
    struct gg_tokenrow *rows;
    size_t count;
};
GG_MUST bool gg_tokenrow_list(struct gg_db *db, struct gg_arena *a,
                              const struct gg_tokenrow_query *query, struct gg_tokenrows *out,
                              struct gg_err *err);

/*
 * Changes a row, unless it is no longer as it was read or is being refreshed: then *done is false.
 * A lease that has ended goes: whoever held it would put ciphertexts of another key beside these.
 * updated_at stays. Each row is a transaction of its own: nobody waits for more than one.
 */
struct gg_tokenrow_change {
    const struct gg_realm *realm;
    const struct gg_tokenrow *old;
    struct gg_ciphers ciphers;
    struct gg_seals seals;
    struct gg_str fingerprint;
};
GG_MUST bool gg_tokenrow_put(struct gg_db *db, struct gg_arena *a,
                             const struct gg_tokenrow_change *change, bool *done,
                             struct gg_err *err);

/* How many rows are noted under each key, the most first. */
struct gg_tokenrow_key {
    struct gg_str fingerprint; /* absent: not noted */
    int64_t rows;
};
struct gg_tokenrow_tally {
    int64_t rows;
    int64_t unsealed;
    struct gg_tokenrow_key *keys;
    size_t count;
};
GG_MUST bool gg_tokenrow_count(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                               struct gg_tokenrow_tally *out, struct gg_err *err);

/* How many rows there are in each state. */
struct gg_tokenrow_states {
    int64_t total;
    int64_t active;
    int64_t expired;
    int64_t expiring_soon;
    int64_t inactive;
};
GG_MUST bool gg_tokenrow_count_states(struct gg_db *db, struct gg_arena *a,
                                      const struct gg_realm *realm,
                                      struct gg_tokenrow_states *stats, struct gg_err *err);

#endif
