/* SPDX-License-Identifier: MIT */
/* The start of the flow: the authorization request, and what is kept until it is answered. */
#ifndef GG_FLOW_SIGNIN_H
#define GG_FLOW_SIGNIN_H

#include "gg/flow/ctx.h"

struct gg_signin {
    const struct gg_realm *realm;
    struct gg_str subject;    /* whose account is connected; absent: a sign-in */
    struct gg_str return_to;  /* absent: none */
    struct gg_secret browser; /* this browser's cookie; absent, or no cookie of ours: a new one */
    /* out */
    const char *auth_url;
    struct gg_secret cookie; /* to set: the same one again for a second tab */
};

/* GG_EINVALIDTOKEN when SIGN_IN is off and there is no subject; GG_EINVALID for return_to. */
GG_MUST bool gg_signin_start(struct gg_call *c, struct gg_signin *s, struct gg_err *err);

#endif
