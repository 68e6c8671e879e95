/* SPDX-License-Identifier: MIT */
/*
 * What every request of a caller's own data begins with, in one round trip to the database: the
 * limit is counted, and what serves the request is read of the caller's token row
 * (store/tokenuse), where nothing is to be done to that.
 */
#ifndef GG_FLOW_ADMIT_H
#define GG_FLOW_ADMIT_H

#include "gg/flow/ctx.h"
#include "gg/store/rate.h"

/* So old may a row be that came with the limit: a slow caller's body may come in between. */
#define GG_ADMIT_ROW_MS 1000

/* Counts the request as gg_rate_take does; where the table is full, old rows are deleted and it is
 * tried once more. whose: whose row comes along; NULL: nobody's. */
GG_MUST bool gg_admit_take(struct gg_call *c, struct gg_rate_key limit,
                           const struct gg_token_key *whose, struct gg_rate *rate,
                           struct gg_err *err);

/*
 * The access token that came with the limit, once and while it is new. False: the whole row must
 * tell (store/token).
 */
bool gg_admit_open(struct gg_call *c, struct gg_token_key key, struct gg_secret *token,
                   bool *wants_touch);

#endif
