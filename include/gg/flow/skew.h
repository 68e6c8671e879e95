/* SPDX-License-Identifier: MIT */
/* How far this machine's clock is from those that it works with. */
#ifndef GG_FLOW_SKEW_H
#define GG_FLOW_SKEW_H

#include "gg/flow/ctx.h"

/* What is worth telling: callers' tokens are given as much (GG_JWT_LEEWAY_S). */
#define GG_SKEW_S_MAX 60

/*
 * Seconds by which our clock is ahead of Microsoft's (RFC 9110 section 6.6.1, the Date of the
 * discovery document, whatever its status); below 0: behind. Good to a second or two. Fails with
 * GG_ELOGIN when there is no answer, or no Date in it.
 */
GG_MUST bool gg_skew_of_microsoft(struct gg_call *c, int64_t *ahead_s, struct gg_err *err);

/* The same of the database's; fails with GG_EDATABASE. */
GG_MUST bool gg_skew_of_database(struct gg_call *c, int64_t *ahead_s, struct gg_err *err);

#endif
