/* SPDX-License-Identifier: MIT */
/* The token endpoint: a code or a refresh token for new tokens (RFC 6749 sections 4.1.3, 6). */
#ifndef GG_FLOW_REDEEM_H
#define GG_FLOW_REDEEM_H

#include "gg/flow/ctx.h"
#include "gg/proto/oauth.h"

/* One grant. Of code and refresh token, one is set. */
struct gg_grant {
    struct gg_secret code;
    struct gg_secret code_verifier; /* with code */
    struct gg_secret refresh_token;
    const char *claims;          /* a claims challenge to pass on, or NULL */
    int timeout_s;               /* of each call */
    struct gg_deadline deadline; /* of all of them */
};

/*
 * A client secret that Microsoft refuses (invalid_client) is followed at once by the other one,
 * where MSCLIENTSECRET_NEXT is set: two calls at most, and the worker begins with the one that was
 * taken from then on.
 *
 * True for tokens. Else *refusal says who must act, and err->log what happened. The code
 * of err is the caller's to choose.
 */
GG_MUST bool gg_redeem(struct gg_call *c, const struct gg_grant *grant, struct gg_tokens *tokens,
                       struct gg_oauth_refusal *refusal, struct gg_err *err);

#endif
