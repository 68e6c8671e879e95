/* SPDX-License-Identifier: MIT */
/*
 * Several reads of one user's mailbox at once, as many as Graph lets one application make.
 * https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
 */
#ifndef GG_FLOW_FANOUT_H
#define GG_FLOW_FANOUT_H

#include "gg/flow/graph.h"

struct gg_fanout_job {
    struct gg_graph_request request; /* a GET; all of one user */
    struct gg_str body;              /* out: as gg_graph_call's */
    struct gg_err err;               /* out: GG_OK, or why there is no body */
};

struct gg_fanout {
    struct gg_fanout_job *jobs;
    size_t count;
    /* Takes each that has ended, in whatever order, while others are under way; NULL: nobody. */
    void (*take)(void *arg, struct gg_fanout_job *job);
    void *arg;
};

/*
 * Makes all of the calls, each with the deadline and the retries of gg_graph_call: what is allowed
 * to a request is allowed to all of them together. A call that Graph answers with 429 (or 503 and a
 * Retry-After) holds back all that have not begun, for its limits are the mailbox's; when that is
 * for longer than a request waits, those are not made and fail as it did.
 *
 * A call's own failure is its job's. False for what ends all of them: the token (one forced refresh
 * for all, then GG_EAUTHREQUIRED), what gg_refresh_get fails with, GG_EINTERNAL.
 */
GG_MUST bool gg_fanout_run(struct gg_call *c, const struct gg_fanout *fanout,
                           struct gg_access *access, struct gg_err *err);

#endif
