/* SPDX-License-Identifier: MIT */
#include "gg/proto/listing.h"

/* A time of the query. A '+' that nobody encoded arrives as a space. */
static bool parse_instant(struct gg_arena *a, struct gg_str in, struct gg_time *t)
{
    char *p = gg_arena_copy(a, in.p, in.n);

    for (size_t i = 0; i < in.n; i++)
        p[i] = p[i] == ' ' ? '+' : p[i];
    return gg_time_parse((struct gg_str){p, in.n}, t) && t->kind == GG_TIME_INSTANT;
}

static bool has_calendar(const struct gg_listing *list, struct gg_str id)
{
    for (size_t i = 0; i < list->calendars; i++)
        if (gg_str_is_equal(list->calendar_ids[i], id))
            return true;
    return false;
}

/* Named twice is named once: what a calendar has must not come twice. */
static void read_calendars(const struct gg_listing_query *query, struct gg_listing *out,
                           struct gg_faults *faults)
{
    static const char field[] = "calendar_id";
    bool is_too_much = false;
    bool has_bad = false;

    out->is_wide = query->calendars > 1;
    for (size_t i = 0; i < query->calendars; i++) {
        struct gg_str id = query->calendar_ids[i];
        out->is_all = out->is_all || gg_str_is(id, "all");
        has_bad = has_bad || !gg_event_is_id(id);
        if (has_calendar(out, id))
            continue;
        if (out->calendars < GG_LISTING_CALENDARS_MAX)
            out->calendar_ids[out->calendars++] = id;
        else
            is_too_much = true;
    }
    if (has_bad)
        gg_faults_add(faults, field, "is not an id");
    if (is_too_much)
        gg_faults_add(faults, field, "must not name more than 20 calendars");
    if (!out->is_all)
        return;
    if (out->calendars > 1)
        gg_faults_add(faults, field, "must name nothing beside all");
    out->is_wide = true;
    out->calendars = 0;
}

bool gg_listing_parse(struct gg_arena *a, const struct gg_listing_query *query,
                      struct gg_listing *out, struct gg_err *err)
{
    static const char time_detail[] = "must be an RFC 3339 time with an offset or Z";
    struct gg_faults faults;
    struct gg_time start = {0};
    struct gg_time end = {0};
    bool has_start = query->start_time.p != NULL && parse_instant(a, query->start_time, &start);
    bool has_end = query->end_time.p != NULL && parse_instant(a, query->end_time, &end);

    gg_faults_init(&faults, a);
    *out = (struct gg_listing){.timezone = query->timezone, .limit = GG_LISTING_LIMIT_DEFAULT};
    if (query->start_time.p != NULL && !has_start)
        gg_faults_add(&faults, "start_time", time_detail);
    if (query->end_time.p != NULL && !has_end)
        gg_faults_add(&faults, "end_time", time_detail);
    if (has_start && has_end && gg_time_compare(&start, &end) >= 0)
        gg_faults_add(&faults, "end_time", "must be after start_time");
    read_calendars(query, out, &faults);
    if (query->timezone.p != NULL && !gg_event_is_timezone(query->timezone))
        gg_faults_add(&faults, "timezone", "must be the name of a time zone");
    if (query->limit.p != NULL &&
        !gg_str_parse_int(query->limit, 1, GG_LISTING_LIMIT_MAX, &out->limit))
        gg_faults_add(&faults, "limit", "must be a whole number from 1 to 1000");
    if (has_start)
        out->start_time = gg_time_format_graph(a, &start);
    if (has_end)
        out->end_time = gg_time_format_graph(a, &end);
    return gg_faults_check(&faults, err);
}
