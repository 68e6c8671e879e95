/* SPDX-License-Identifier: MIT */
/* A usable access token for a user: the stored one, refreshed when it is about to end. */
#ifndef GG_FLOW_REFRESH_H
#define GG_FLOW_REFRESH_H

#include "gg/flow/ctx.h"

/* Refreshed before use when it has less than this left. */
#define GG_REFRESH_BEFORE_S 300

struct gg_access {
    struct gg_secret token;
};

/*
 * However many ask at once, Microsoft gets one call; the others get the old token while it is
 * valid, else wait for the new one.
 *
 * GG_EAUTHREQUIRED: the user must connect. GG_ELOGIN, GG_ECLIENT (with Retry-After): the token has
 * ended and Microsoft, or the application's registration, is at fault. GG_EDATABASE.
 */
GG_MUST bool gg_refresh_get(struct gg_call *c, struct gg_token_key key, struct gg_access *access,
                            struct gg_err *err);

/*
 * The same for a token that Graph has refused: it is not served again. claims is what Graph
 * challenged with, or NULL.
 */
GG_MUST bool gg_refresh_replace(struct gg_call *c, struct gg_token_key key, const char *claims,
                                struct gg_access *access, struct gg_err *err);

/*
 * The same for a row as it was found, however long its token would serve: one call to Microsoft,
 * or none where the row has changed since. Fails as above; err->microsoft_code says that it was
 * Microsoft who refused. *was_asked: the call was made here, not by another.
 */
GG_MUST bool gg_refresh_row(struct gg_call *c, const struct gg_token *row, bool *was_asked,
                            struct gg_err *err);

#endif
