/* SPDX-License-Identifier: MIT */
/* The query of the event list: which events, of which calendars, how many, in which zone. */
#ifndef GG_PROTO_LISTING_H
#define GG_PROTO_LISTING_H

#include "gg/proto/event.h"

#define GG_LISTING_LIMIT_MAX     1000
#define GG_LISTING_LIMIT_DEFAULT 100
/* Each is a call to Graph at least, and their ids must fit into a cursor, thus into a URL. */
#define GG_LISTING_CALENDARS_MAX 20

/* What a list was asked for; times in UTC. */
struct gg_listing {
    struct gg_str start_time; /* Graph's form; absent: open */
    struct gg_str end_time;
    struct gg_str timezone;
    int64_t limit;
    bool is_wide; /* several calendars were named, or all: the answer is merged */
    bool is_all;
    size_t calendars;                                     /* 0: the default one, unless is_all */
    struct gg_str calendar_ids[GG_LISTING_CALENDARS_MAX]; /* each once */
};

/* The raw values of the query, each absent when it is not there. */
struct gg_listing_query {
    struct gg_str start_time;
    struct gg_str end_time;
    struct gg_str timezone;
    struct gg_str limit;
    size_t calendars;
    const struct gg_str *calendar_ids; /* none of them empty */
};

/* GG_EINVALID with every fault. */
GG_MUST bool gg_listing_parse(struct gg_arena *a, const struct gg_listing_query *query,
                              struct gg_listing *out, struct gg_err *err);

#endif
