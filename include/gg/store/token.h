/* SPDX-License-Identifier: MIT */
/*
 * Tables microsoft_oauth_tokens and beta_microsoft_oauth_tokens: Microsoft's tokens, one row a
 * user, Fernet-encrypted before they get here, and sealed to their owner (proto/seal).
 *
 * A refresh is done under a lease: a random word in the row with an end. Whoever comes later waits
 * for the row to change, and a write that no longer finds its own lease writes nothing: so neither
 * a killed worker nor a connect that came in meanwhile is ever overwritten or waited for.
 */
#ifndef GG_STORE_TOKEN_H
#define GG_STORE_TOKEN_H

#include "gg/base/tokens.h"
#include "gg/ext/db.h"
#include "gg/proto/fernet.h"

/* No lease lasts longer; a refresh call must end before. */
#define GG_TOKEN_LEASE_S 20

struct gg_token_store {
    struct gg_db *db;
    const struct gg_fernet *fernet;
    bool refuses_unsealed; /* rows without a seal open for nobody */
    int64_t max_age_days;  /* a row connected before that is of no use any more; 0: for ever */
};

/* Whose row. */
struct gg_token_key {
    const struct gg_realm *realm;
    struct gg_str subject;
};

/* Whose Microsoft account it is. */
struct gg_token_owner {
    struct gg_str microsoft_id;
    struct gg_str email; /* may be absent */
    struct gg_str tenant_id;
};

/* A row as it is now; secrets are still sealed. */
struct gg_token {
    struct gg_token_key key;
    bool found;
    bool is_active;  /* and not too old */
    bool is_too_old; /* would be active, but for max_age_days */
    bool is_leased;  /* somebody refreshes it now */
    bool is_rested;  /* it came of a refresh, whose rest_s are not over */
    /* The access token's also says which state of the row this is: no two encryptions are equal. */
    struct gg_ciphers ciphers;
    struct gg_str seal;        /* absent: imported, not sealed */
    struct gg_str fingerprint; /* of the key that it is noted under; absent: not noted */
    int64_t left_s;            /* until it expires; negative when it has */
    struct gg_str failure;     /* what a refresh failed with a moment ago, or absent */
    int64_t failure_left_s;    /* until that is over, at least 1 */
    bool wants_touch;          /* last_used_at is more than a minute old */
    struct gg_token_owner owner;
    struct gg_str scope;
    int64_t expires_at_s;   /* UTC */
    int64_t last_used_at_s; /* UTC; -1: never */
};

GG_MUST bool gg_token_find(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                           struct gg_token *token, struct gg_err *err);

/*
 * Decrypts the access token of what was found. GG_EAUTHREQUIRED, with an ERROR in the log, when the
 * row's seal is not its owner's, is missing where it is asked for, or no key fits the token.
 */
GG_MUST bool gg_token_open(struct gg_token_store s, struct gg_arena *a,
                           const struct gg_token *token, struct gg_secret *out, struct gg_err *err);

/* Connects: inserts or replaces the row, sealed, active and without lease. */
struct gg_token_connect {
    struct gg_tokens set;
    struct gg_token_owner owner;
    int64_t connected_at_s; /* since 1970; 0: now */
};
GG_MUST bool gg_token_put(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                          const struct gg_token_connect *connect, struct gg_err *err);

/* Deletes the row; there may be none. */
GG_MUST bool gg_token_drop(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                           struct gg_err *err);

/* Marks the row inactive, reason max_age, unless it has been connected anew meanwhile. */
GG_MUST bool gg_token_retire(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                             struct gg_err *err);

/* Sets last_used_at, unless it is from this minute. */
GG_MUST bool gg_token_touch(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                            struct gg_err *err);

/*
 * Takes the lease of a row that still is as `token` says. *taken is false when the row has changed,
 * is leased, or failed a moment ago. GG_EAUTHREQUIRED, with the row untouched, when its seal is
 * wrong as for gg_token_open, its refresh token does not decrypt, or it has none.
 */
struct gg_token_lease {
    bool taken;
    struct gg_str word;
    struct gg_secret refresh_token;
    struct gg_ciphers kept; /* what the row has, for what the answer does not bring anew */
    bool is_sealed;
};
GG_MUST bool gg_token_take_lease(struct gg_token_store s, struct gg_arena *a,
                                 const struct gg_token *token, struct gg_token_lease *lease,
                                 struct gg_err *err);

/* How a refresh ended. */
struct gg_token_end {
    const struct gg_token_lease *lease;
    const struct gg_tokens *set; /* new tokens, what is absent stays; NULL: it failed */
    int64_t rest_s;              /* with tokens: for how long they are not refreshed again */
    bool is_permanent;           /* Microsoft refused for good: the row becomes inactive */
    const char *failure;         /* with Microsoft's error word, or our public code */
    int64_t pause_s;             /* how long Microsoft is left alone after a passing failure */
    bool was_ours;               /* out: the lease still was ours, and the row was written */
};
/*
 * Writes only while the lease is still ours, and gives it back. All that a refresh leaves in the
 * row is under the first key, and sealed when the row was: a refresh makes no imported row trusted.
 */
GG_MUST bool gg_token_end_lease(struct gg_token_store s, struct gg_arena *a,
                                struct gg_token_key key, struct gg_token_end *end,
                                struct gg_err *err);

#endif
