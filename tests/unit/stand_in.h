/* SPDX-License-Identifier: MIT */
/* What a use case needs around it: a configuration, the private database, and a stand-in of
 * Microsoft. */
#ifndef GG_TESTS_STAND_IN_H
#define GG_TESTS_STAND_IN_H

#include "gg/flow/ctx.h"
#include "loopback.h"

/* All of it is the arena's. Change conf freely before a call. */
struct stand_in {
    struct gg_arena *arena;
    struct gg_conf conf;
    struct gg_ctx ctx;
    struct gg_call call;
    struct loopback *microsoft; /* login_url is its URL, graph_url the same with /v1.0 */
    struct gg_err err;
};

/* Empties every table. */
void stand_in_open(struct stand_in *s);
void stand_in_close(struct stand_in *s);

/* A stored token of subject 7 in the main realm, which ends in left_s; and its key. */
struct gg_token_key stand_in_connect(struct stand_in *s, const char *access, int64_t left_s);

#endif
