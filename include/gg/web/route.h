/* SPDX-License-Identifier: MIT */
/*
 * The table of paths: what each method of each path needs, and who writes its answer. 404 and 405
 * follow from it. Here alone an error becomes an answer and a line of the log.
 */
#ifndef GG_WEB_ROUTE_H
#define GG_WEB_ROUTE_H

#include "gg/web/exchange.h"
#include "gg/web/guard.h"

#define GG_ROUTE_QUERY_MAX 8

struct gg_route {
    const char *path; /* below the realm's prefix; its last segment may be {id} */
    enum gg_method method;
    bool (*on)(struct gg_exchange *x, struct gg_err *err);
    enum gg_auth auth;
    bool is_limited;
    enum gg_limit_id limit;
    enum gg_limit_by by;
    bool wants_row;                        /* reads the caller's token row; see flow/admit */
    bool is_root;                          /* below no realm's prefix, but the site's root */
    bool is_main_only;                     /* there is none in the other realm */
    bool works_unconfigured;               /* answers even when nothing else can */
    enum gg_code query_fault;              /* for a query that is broken; GG_OK: GG_EINVALID */
    const char *query[GG_ROUTE_QUERY_MAX]; /* the parameters that it takes, each once … */
    const char *repeats;                   /* … but for this one; NULL: none */
};

/* The whole table; *count says how long it is. */
const struct gg_route *gg_route_table(size_t *count);

/* The distinct paths of the table, in its order: a path's number counts from 1. */
const char *const *gg_route_names(struct gg_arena *a, unsigned *count);

/* Answers one request that was accepted on f. */
void gg_route_serve(struct gg_ctx *ctx, struct gg_arena *a, struct gg_fcgi *f);

#endif
