/* SPDX-License-Identifier: MIT */
/* The JWTs that this service signs: an access token, and a refresh token that changes at each use.
 */
#ifndef GG_FLOW_PAIR_H
#define GG_FLOW_PAIR_H

#include "gg/flow/ctx.h"
#include "gg/store/account.h"

#define GG_PAIR_ACCESS_TTL_S  1800
#define GG_PAIR_REFRESH_TTL_S (7 * 86400)

/* Who a caller's JWT says it is. */
struct gg_caller {
    const struct gg_realm *realm;
    struct gg_str subject;
    struct gg_str email; /* may be absent */
    bool is_admin;
};

/* Signs a pair and begins a family of refresh tokens. */
struct gg_pair {
    struct gg_account account;
    struct gg_str access_token;
    struct gg_str refresh_token;
};
GG_MUST bool gg_pair_issue(struct gg_call *c, const struct gg_realm *realm,
                           const struct gg_account *account, struct gg_pair *pair,
                           struct gg_err *err);

/*
 * A session code for a pair. GG_ESESSIONCODE, and GG_EINVALIDTOKEN when the account is gone.
 */
GG_MUST bool gg_pair_exchange(struct gg_call *c, const struct gg_realm *realm,
                              struct gg_secret session_code, struct gg_pair *pair,
                              struct gg_err *err);

/* Makes a session code for an account that has just signed in. */
GG_MUST bool gg_pair_make_code(struct gg_call *c, const struct gg_realm *realm,
                               const struct gg_account *account, struct gg_str *code,
                               struct gg_err *err);

/*
 * A caller's access token: signature, times, issuer, audience, type, subject. Not a refresh token.
 * GG_EINVALIDTOKEN.
 */
GG_MUST bool gg_pair_check(struct gg_call *c, struct gg_secret token, struct gg_caller *caller,
                           struct gg_err *err);

/* The claims of a refresh token of this realm, not yet spent. GG_EINVALIDTOKEN. */
struct gg_pair_claim {
    struct gg_caller caller;
    struct gg_str family_id;
    struct gg_str token_id;
};
GG_MUST bool gg_pair_check_refresh(struct gg_call *c, const struct gg_realm *realm,
                                   struct gg_secret token, struct gg_pair_claim *claim,
                                   struct gg_err *err);

/* Spends it for the next pair of its family. GG_EINVALIDTOKEN ends the family. */
GG_MUST bool gg_pair_rotate(struct gg_call *c, const struct gg_pair_claim *claim,
                            struct gg_pair *pair, struct gg_err *err);

#endif
