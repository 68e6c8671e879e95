/* SPDX-License-Identifier: MIT */
/*
 * Whether a call to Microsoft that failed is made again, and when.
 *
 * At most two more tries for one request of ours, over all its calls; so few in a worker that they
 * never add more than a tenth to its calls; pauses of 2 s together at most, since a worker serves
 * one request at a time: who is told to wait longer is told to our own caller. Retry-After is a
 * least wait and never shortened; without it the pause is a random part of 200 ms, then of 400 ms,
 * so that many workers do not come back at once. A call that timed out is never made again: what
 * there was of time is spent.
 * https://learn.microsoft.com/graph/throttling#best-practices-to-handle-throttling
 */
#ifndef GG_FLOW_RETRY_H
#define GG_FLOW_RETRY_H

#include "gg/flow/ctx.h"

enum gg_retry_kind {
    GG_RETRY_READ,       /* changes nothing */
    GG_RETRY_REPEATABLE, /* done twice is as done once */
    GG_RETRY_ONCE,       /* again only where it was surely not carried out */
};

/* Counts a call that is no retry: it earns a tenth of one. */
void gg_retry_earn(struct gg_call *c);

/*
 * Waits, and is true, when the call that ended so is to be made again now. False at once
 * otherwise: it ended well, or again would be no better, no allowance is left, or less than a
 * second of the request's time would be.
 */
GG_MUST bool gg_retry_wait(struct gg_call *c, enum gg_retry_kind kind,
                           const struct gg_http_response *response);

/*
 * The same for a call beside others, without the wait: *pause_ms is how long it must not be made.
 * held_ms is waited for anyhow, and counts once.
 */
GG_MUST bool gg_retry_plan(struct gg_call *c, enum gg_retry_kind kind,
                           const struct gg_http_response *response, int64_t held_ms,
                           int64_t *pause_ms);

/*
 * True when the request can bear a pause of that length, which is counted then, besides the held_ms
 * that it waits anyhow.
 */
GG_MUST bool gg_retry_bear(struct gg_call *c, int64_t pause_ms, int64_t held_ms);

/* Seconds of Retry-After, a date counted from the answer's own Date: our clock may be off. -1: it
 * does not say. */
int64_t gg_retry_asked_s(const struct gg_http_response *response);

#endif
