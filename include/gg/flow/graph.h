/* SPDX-License-Identifier: MIT */
/* One call to Microsoft Graph v1.0 as a user, with its answer mapped to our errors. */
#ifndef GG_FLOW_GRAPH_H
#define GG_FLOW_GRAPH_H

#include "gg/base/metric.h"
#include "gg/flow/ctx.h"
#include "gg/flow/refresh.h"

struct gg_graph_request {
    struct gg_token_key key;
    enum gg_metric_word_OPERATION operation; /* as it is counted */
    const char *method;
    const char *url;        /* whole */
    struct gg_str timezone; /* of the answer's times; absent: UTC */
    struct gg_str if_match; /* an entity tag; absent: none */
    struct gg_str body;     /* JSON; absent: none */
};

/*
 * *body is the JSON of a 2xx answer, not yet parsed; absent for an empty one. access is the user's
 * token, got when it is not set; later calls of one request may use it again. A 401 costs one
 * forced refresh and one more try; passing failures are retried as flow/retry says, so the body of
 * a POST must have a transactionId. Errors are those of gg_refresh_get, and for Graph's status: 400
 * GG_EREJECTED, 401 GG_EAUTHREQUIRED (with claims), 403 GG_EFORBIDDEN, 404 GG_ENOTFOUND, 409
 * GG_ECONFLICT, 412 GG_EPRECONDITION, 429 GG_ETHROTTLED (with Retry-After), any other GG_EGRAPH
 * (503 with Retry-After); GG_ETIMEOUT.
 */
GG_MUST bool gg_graph_call(struct gg_call *c, const struct gg_graph_request *request,
                           struct gg_access *access, struct gg_str *body, struct gg_err *err);

/*
 * Follows a collection's pages from url until `want` elements are there (0: all). False also for
 * pages that go in a circle or to another host (GG_EGRAPH).
 */
struct gg_graph_list {
    struct gg_graph_request request; /* of the first page; url moves on */
    size_t want;
    size_t skip;          /* elements of the first page to leave out */
    struct gg_str *items; /* out: JSON texts */
    size_t count;         /* out */
    const char *next_url; /* out: the page where the rest begins, or NULL */
    size_t next_skip;     /* out: how many of that page's elements were given already */
};
GG_MUST bool gg_graph_list(struct gg_call *c, struct gg_graph_list *list, struct gg_err *err);

/* GRAPH_URL + path. */
const char *gg_graph_url(const struct gg_call *c, const char *path);

/* True for an absolute URL of the configured Graph host. */
bool gg_graph_is_own(const struct gg_call *c, struct gg_str url);

#endif
