/* SPDX-License-Identifier: MIT */
/* Dates and times as text: RFC 3339, Graph's dateTime, MariaDB's DATETIME. No time-zone tables. */
#ifndef GG_PROTO_TIME_H
#define GG_PROTO_TIME_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

#include <stdint.h>

#define GG_TIME_TICKS_PER_S 10000000 /* Graph's seven digits */

enum gg_time_kind {
    GG_TIME_INSTANT, /* had an offset or Z: seconds are UTC */
    GG_TIME_LOCAL,   /* no offset: a wall clock somewhere */
    GG_TIME_DATE,    /* YYYY-MM-DD alone */
};

struct gg_time {
    enum gg_time_kind kind;
    int64_t seconds; /* since 1970-01-01T00:00:00 of UTC or of that wall clock */
    int64_t ticks;   /* 0…9,999,999 */
};

/*
 * RFC 3339 date-time (section 5.6), with or without its offset, or a full-date. Years 0001…9999,
 * also after an offset was taken off. Second 60 is taken only as 23:59:60 UTC and is the next
 * second. More than seven fraction digits are cut; at most nine are taken.
 */
GG_MUST bool gg_time_parse(struct gg_str in, struct gg_time *out);

/* Below: seconds outside the years 0001…9999 are held at the edge. */

/* "2026-03-02T13:00:00", with ".0000000" digits only where ticks are not 0: what Graph takes. */
struct gg_str gg_time_format_graph(struct gg_arena *a, const struct gg_time *t);

/* "2026-03-02T13:00:00Z": what this API's own answers say. */
struct gg_str gg_time_format_utc(struct gg_arena *a, int64_t seconds);

/* An HTTP-date in its fixed form (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
GG_MUST bool gg_time_parse_http(struct gg_str in, int64_t *seconds);

/* Below, at or above 0 as a is before, at or after b; they must be of one clock. */
int gg_time_compare(const struct gg_time *a, const struct gg_time *b);

#endif
