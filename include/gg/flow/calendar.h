/* SPDX-License-Identifier: MIT */
/* The user's calendars and events, as Graph has them. */
#ifndef GG_FLOW_CALENDAR_H
#define GG_FLOW_CALENDAR_H

#include "gg/flow/graph.h"
#include "gg/proto/listing.h"

/* Calendars as Graph's own JSON. */
struct gg_calendars {
    struct gg_str *items;
    size_t count;
    struct gg_str default_calendar; /* absent: none is marked */
};
GG_MUST bool gg_calendar_find_all(struct gg_call *c, struct gg_token_key key,
                                  struct gg_calendars *out, struct gg_err *err);

/* A calendar of which a list of several has not all that it should. */
struct gg_incomplete {
    struct gg_str calendar_id;
    const char *code;           /* an error's public one, or "too_many_calendars" */
    const char *microsoft_code; /* "" */
    int retry_after_s;          /* 0: none */
};

/* Events as Graph's own JSON; next_cursor is absent at the end. */
struct gg_events {
    struct gg_str *items;
    size_t count;
    struct gg_str next_cursor;
    bool is_wide; /* of several calendars */
    struct gg_incomplete *incomplete;
    size_t incomplete_count;
};

/* As flow/wide says where it is of several calendars. */
GG_MUST bool gg_calendar_list(struct gg_call *c, struct gg_token_key key,
                              const struct gg_listing *list, struct gg_events *out,
                              struct gg_err *err);

/* Goes on where a cursor says. GG_ECURSOR when it is not one of this user's. */
GG_MUST bool gg_calendar_list_on(struct gg_call *c, struct gg_token_key key, struct gg_str cursor,
                                 struct gg_events *out, struct gg_err *err);

/* Where a calendar's events are, the first `given` left out; an absent id is the default one's. */
const char *gg_calendar_url(const struct gg_call *c, const struct gg_listing *list,
                            struct gg_str calendar_id, int64_t given);

/* One event: what is done with it, and with what. */
enum gg_event_verb { GG_EVENT_GET, GG_EVENT_POST, GG_EVENT_PATCH, GG_EVENT_DELETE };

struct gg_event_call {
    struct gg_token_key key;
    enum gg_event_verb verb;
    struct gg_str id;          /* of the event; not for POST */
    struct gg_str calendar_id; /* for POST; absent: the default calendar */
    struct gg_str body;        /* Graph's JSON, for POST and PATCH */
    struct gg_str if_match;    /* absent: none */
    struct gg_str timezone;    /* of the answer's times; absent: UTC */
    struct gg_str new_id;      /* out, of POST: the event's */
};

/* *event is Graph's JSON; absent for DELETE. */
GG_MUST bool gg_calendar_call(struct gg_call *c, struct gg_event_call *call, struct gg_str *event,
                              struct gg_err *err);

/*
 * Graph's transactionId for a caller's Idempotency-Key: the same for the same user and key, and
 * nobody else's. With no key a new one, so that a create can be asked for again within a request.
 */
GG_MUST bool gg_calendar_transaction(struct gg_call *c, struct gg_token_key key,
                                     struct gg_str idempotency_key, struct gg_str *out,
                                     struct gg_err *err);

#endif
