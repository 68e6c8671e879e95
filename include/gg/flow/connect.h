/* SPDX-License-Identifier: MIT */
/* The end of the flow: Microsoft's answer becomes stored tokens and, in a sign-in, an account. */
#ifndef GG_FLOW_CONNECT_H
#define GG_FLOW_CONNECT_H

#include "gg/flow/ctx.h"
#include "gg/store/account.h"

struct gg_connect {
    /* The authorization response; what it did not have is absent. */
    struct gg_secret state;
    struct gg_secret code;
    struct gg_str error;
    struct gg_str error_description;
    struct gg_str issuer;     /* RFC 9207; must be the ID token's */
    struct gg_secret browser; /* the cookie */
    /* out, as soon as the state has been found, also when something fails after that */
    const struct gg_realm *realm;
    struct gg_str return_to; /* absent: none */
    bool is_sign_in;
    /* out */
    struct gg_account account; /* of a connect: the caller's, with the Microsoft identity */
};

/*
 * GG_ESTATE, before anything is sent to Microsoft; GG_EDECLINED, GG_EADMINCONSENT, GG_EAUTHFAILED,
 * GG_ECLIENT, GG_ELOGIN, GG_EIDTOKEN, GG_EACCOUNT: nothing is stored.
 */
GG_MUST bool gg_connect_finish(struct gg_call *c, struct gg_connect *connect, struct gg_err *err);

/* Who somebody is here and at Microsoft; either may not be found. No call to Microsoft. */
struct gg_connection {
    struct gg_account account;
    struct gg_token token;
};
GG_MUST bool gg_connect_find(struct gg_call *c, struct gg_token_key key,
                             struct gg_connection *connection, struct gg_err *err);

/* Forgets a user's tokens; there may be none. */
GG_MUST bool gg_connect_drop(struct gg_call *c, struct gg_token_key key, struct gg_err *err);

#endif
