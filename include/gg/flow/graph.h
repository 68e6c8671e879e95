/* SPDX-License-Identifier: MIT */
/* One call to Microsoft Graph v1.0 as a user, with its answer mapped to our errors. */
#ifndef GG_FLOW_GRAPH_H
#define GG_FLOW_GRAPH_H

#include "gg/base/metric.h"
#include "gg/ext/json.h"
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
 * The parts of gg_graph_call, for calls that are made beside one another (flow/fanout): one try as
 * it is sent; how it is counted and logged, once response->end is set; what an answer, whatever its
 * status, comes to.
 */
struct gg_graph_try {
    struct gg_http_request http;
    struct gg_str id; /* client-request-id */
    int64_t start_us;
};
GG_MUST bool gg_graph_format(struct gg_call *c, const struct gg_graph_request *request,
                             struct gg_secret token, struct gg_graph_try *out, struct gg_err *err);
void gg_graph_note(const struct gg_graph_request *request, const struct gg_graph_try *made,
                   const struct gg_http_response *response);
GG_MUST bool gg_graph_read(struct gg_call *c, const struct gg_graph_request *request,
                           const struct gg_http_response *response, struct gg_str *body,
                           struct gg_err *err);

#define GG_GRAPH_PAGES_MAX 200
/* All pages of a list together; they fit into one answer of ours. */
#define GG_GRAPH_LIST_BYTES_MAX ((size_t)48 * 1024 * 1024)

/* One page of a collection. */
struct gg_graph_page {
    const struct gg_jsontext_part *items; /* as they stand in its text */
    size_t count;
    struct gg_str next_link; /* empty: it is the last page */
};

/* False when it is none. body must live as long as the items are used. */
GG_MUST bool gg_graph_take_page(struct gg_call *c, struct gg_str body, struct gg_graph_page *page);

/*
 * Where the nextLink of the page seen last leads: verbatim when it is absolute. NULL (GG_EGRAPH)
 * when that is another host, or a page that was seen before.
 */
struct gg_graph_seen {
    const char *urls[GG_GRAPH_PAGES_MAX];
    size_t count;
};
const char *gg_graph_follow(struct gg_call *c, const struct gg_graph_seen *seen, struct gg_str link,
                            struct gg_err *err);

/*
 * Follows a collection's pages from url until `want` elements are there (0: all). False also for
 * pages that go in a circle or to another host (GG_EGRAPH).
 */
struct gg_graph_list {
    struct gg_graph_request request; /* of the first page; url moves on */
    size_t want;
    size_t skip;             /* elements of the first page to leave out */
    struct gg_access access; /* as for gg_graph_call */
    struct gg_str *items;    /* out: JSON texts */
    size_t count;            /* out */
    const char *next_url;    /* out: the page where the rest begins, or NULL */
    size_t next_skip;        /* out: how many of that page's elements were given already */
};
GG_MUST bool gg_graph_list(struct gg_call *c, struct gg_graph_list *list, struct gg_err *err);

/* GRAPH_URL + path. */
const char *gg_graph_url(const struct gg_call *c, const char *path);

/* True for an absolute URL of the configured Graph host. */
bool gg_graph_is_own(const struct gg_call *c, struct gg_str url);

#endif
