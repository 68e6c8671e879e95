/* SPDX-License-Identifier: MIT */
/* Who may come in: the JWT, the realm, the scope, the limit. */
#ifndef GG_WEB_GUARD_H
#define GG_WEB_GUARD_H

#include "gg/web/exchange.h"

enum gg_auth {
    GG_AUTH_NONE,     /* a JWT is not looked at */
    GG_AUTH_MAYBE,    /* one that is there must be good, and of this realm */
    GG_AUTH_CALLER,   /* there must be one of this realm */
    GG_AUTH_ADMIN,    /* … with the admin scope */
    GG_AUTH_ADMIN_OR, /* as NONE, but a good admin is known as such */
    GG_AUTH_METRICS,  /* METRICS_TOKEN, even when not configured; else as ADMIN */
};

/* GG_EINVALIDTOKEN, GG_EWRONGREALM, GG_EADMIN. */
GG_MUST bool gg_guard_check(struct gg_exchange *x, enum gg_auth auth, struct gg_err *err);

/* What a limit counts by. */
enum gg_limit_by {
    GG_BY_CALLER_OR_ADDRESS, /* the caller; without a JWT, the address */
    GG_BY_ADDRESS,
};

/*
 * Counts the request and says so in the headers. GG_ERATELIMITED with Retry-After.
 */
GG_MUST bool gg_guard_limit(struct gg_exchange *x, enum gg_limit_id limit, enum gg_limit_by by,
                            struct gg_err *err);

#endif
