/* SPDX-License-Identifier: MIT */
/*
 * Seals the audit's finished spans: each seal lists the rows behind the seal before it, and has its
 * MAC. Safe by many at once, also on Galera: a seal's number is a primary key, so one of them is
 * first and the others go on behind it.
 */
#ifndef GG_FLOW_SEALER_H
#define GG_FLOW_SEALER_H

#include "gg/flow/ctx.h"

/*
 * How old a row is before it is sealed: older than any request that still has to write one, on a
 * host whose clock is as far behind as graphgatectl check lets pass. A row that comes later still
 * is in no seal; its own MAC alone speaks for it.
 */
int64_t gg_sealer_age_s(const struct gg_conf *conf);

/* What it came to; the head is the newest seal, number 0 when there is none. */
struct gg_sealed {
    uint64_t spans;
    uint64_t rows;
    int64_t head_number;
    struct gg_str head_mac; /* in the call's arena */
};
GG_MUST bool gg_sealer_run(struct gg_call *c, int64_t age_s, struct gg_sealed *out,
                           struct gg_err *err);

#endif
