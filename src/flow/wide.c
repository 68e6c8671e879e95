/* SPDX-License-Identifier: MIT */
#include "gg/flow/wide.h"

#include "gg/base/log.h"
#include "gg/flow/fanout.h"

#include <stdlib.h>

#define CALENDARS_URL "/me/calendars?$top=100"

struct event {
    struct gg_str json;
    struct gg_time start; /* as it is shown, in the answer's zone */
    size_t calendar;
    size_t number; /* in its calendar */
};

/* One of the calendars, as far as it has been read. */
struct source {
    struct gg_str id;
    int64_t given; /* by earlier answers */
    struct event *events;
    size_t count;
    size_t size;
    size_t taken; /* by this answer, from the front */
    struct gg_time last;
    const char *url; /* of the page to read next; NULL: there is none */
    struct gg_graph_seen seen;
    struct gg_err err; /* GG_OK, or why it is not read on */
};

struct wide {
    struct gg_call *c;
    struct gg_token_key key;
    struct gg_access access;
    const struct gg_listing *list;
    size_t count;
    struct source *sources;
    size_t bytes; /* of all pages */
    struct gg_str *left_out;
    size_t left_out_count; /* calendars above the most that are read */
};

/*
 * Graph orders what has a time of day by the instant, and in the hour that a clock repeats that is
 * not what is shown: an event is never before the one that Graph has before it. An event of whole
 * days floats: it begins with its day, wherever Graph has it.
 */
static struct gg_time read_start(struct source *s, struct gg_arena *scratch, struct gg_str json)
{
    struct gg_jsontext_part event;
    struct gg_err ignored;
    struct gg_time start;

    if (!gg_json_split(scratch, json, 2, &event, &ignored))
        return s->last;
    const struct gg_jsontext_part *shown = gg_json_part(scratch, &event, "start");
    const struct gg_jsontext_part *is_all_day = gg_json_part(scratch, &event, "isAllDay");
    if (shown == NULL || !gg_time_parse(gg_json_part_text(scratch, shown, "dateTime"), &start))
        return s->last;
    if (is_all_day != NULL && gg_str_is(is_all_day->text, "true"))
        return start;
    if (gg_time_compare(&start, &s->last) > 0)
        s->last = start;
    return s->last;
}

static void add_event(struct wide *w, struct source *s, struct gg_str json,
                      struct gg_arena *scratch)
{
    if (s->count == s->size) {
        size_t size = s->size == 0 ? 128 : 2 * s->size;
        struct event *more = gg_arena_alloc(w->c->arena, size * sizeof *more);
        for (size_t i = 0; i < s->count; i++)
            more[i] = s->events[i];
        s->events = more;
        s->size = size;
    }
    s->events[s->count] = (struct event){.json = json,
                                         .start = read_start(s, scratch, json),
                                         .calendar = (size_t)(s - w->sources),
                                         .number = s->count};
    s->count++;
}

static bool read_page(struct wide *w, struct source *s, struct gg_str body,
                      struct gg_arena *scratch, struct gg_err *err)
{
    struct gg_graph_page page;

    w->bytes += body.n;
    if (w->bytes > GG_GRAPH_LIST_BYTES_MAX)
        return gg_fail(err, GG_EGRAPH, "Graph's pages are too large together");
    if (!gg_graph_take_page(w->c, body, &page))
        return gg_fail(err, GG_EGRAPH, "a page of Graph's is broken");
    for (size_t i = 0; i < page.count; i++)
        add_event(w, s, page.items[i].text, scratch);
    s->url = NULL;
    if (page.next_link.n == 0)
        return true;
    if (s->seen.count == GG_GRAPH_PAGES_MAX)
        return gg_fail(err, GG_EGRAPH, "Graph's pages do not end");
    s->url = gg_graph_follow(w->c, &s->seen, page.next_link, err);
    return s->url != NULL;
}

/* A page more of some calendars, all at once. */
struct round {
    struct wide *w;
    struct gg_fanout_job jobs[GG_LISTING_CALENDARS_MAX];
    struct source *of[GG_LISTING_CALENDARS_MAX];
    size_t count;
};

static void take_answer(void *arg, struct gg_fanout_job *job)
{
    struct round *r = arg;
    struct source *s = r->of[job - r->jobs];
    struct gg_arena *scratch = gg_arena_open();

    s->err = job->err;
    if (s->err.code == GG_OK)
        (void)read_page(r->w, s, job->body, scratch, &s->err);
    gg_arena_close(scratch);
}

static bool read_marked(struct wide *w, const bool *is_marked, struct gg_err *err)
{
    struct round r = {.w = w};

    for (size_t i = 0; i < w->count; i++) {
        struct source *s = &w->sources[i];
        if (!is_marked[i])
            continue;
        s->seen.urls[s->seen.count++] = s->url;
        r.of[r.count] = s;
        r.jobs[r.count++] = (struct gg_fanout_job){.request = {.key = w->key,
                                                               .operation = GG_M_LIST_EVENTS,
                                                               .method = "GET",
                                                               .url = s->url,
                                                               .timezone = w->list->timezone}};
    }
    const struct gg_fanout fanout = {
        .jobs = r.jobs, .count = r.count, .take = take_answer, .arg = &r};
    return gg_fanout_run(w->c, &fanout, &w->access, err);
}

/* The calendar whose next event is the earliest; NULL when nothing is left of what has been read.
 */
static struct source *find_first(struct wide *w)
{
    struct source *first = NULL;

    for (size_t i = 0; i < w->count; i++) {
        struct source *s = &w->sources[i];
        if (s->taken < s->count &&
            (first == NULL ||
             gg_time_compare(&s->events[s->taken].start, &first->events[first->taken].start) < 0))
            first = s;
    }
    return first;
}

/* Takes as many as were asked for of what has been read; true when no page is needed for that. */
static bool take_events(struct wide *w, bool *is_marked)
{
    struct gg_time newest = {.seconds = INT64_MAX};
    struct source *s = NULL;
    bool is_enough = true;
    int64_t left = w->list->limit;

    for (size_t i = 0; i < w->count; i++)
        w->sources[i].taken = 0;
    for (; left > 0 && (s = find_first(w)) != NULL; left--)
        s->taken++;
    if (s != NULL)
        newest = s->events[s->taken - 1].start;
    /* Whoever has been emptied may have more that is earlier than the last that another gave. */
    for (size_t i = 0; i < w->count; i++) {
        s = &w->sources[i];
        is_marked[i] =
            s->url != NULL && s->err.code == GG_OK && s->taken == s->count &&
            (s->count == 0 || gg_time_compare(&s->events[s->count - 1].start, &newest) < 0);
        is_enough = is_enough && !is_marked[i];
    }
    return is_enough;
}

static bool is_passing(const struct gg_err *err)
{
    return err->code == GG_ETHROTTLED || err->code == GG_EGRAPH || err->code == GG_ETIMEOUT;
}

/* When nothing came but failures, one of them is the answer: one that may pass, if there is one. */
static bool check_any(const struct wide *w, struct gg_err *err)
{
    const struct source *worst = NULL;

    for (size_t i = 0; i < w->count; i++) {
        const struct source *s = &w->sources[i];
        if (s->err.code == GG_OK || s->count > 0)
            return true;
        if (worst == NULL || (is_passing(&s->err) && !is_passing(&worst->err)))
            worst = s;
    }
    if (worst == NULL)
        return true;
    *err = worst->err;
    return false;
}

static int compare(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int by_start = gg_time_compare(&a->start, &b->start);

    if (by_start != 0)
        return by_start;
    if (a->calendar != b->calendar)
        return a->calendar < b->calendar ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void give_events(struct wide *w, struct gg_events *out)
{
    struct event *all;
    size_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += w->sources[i].taken;
    all = gg_arena_alloc(w->c->arena, n * sizeof *all);
    out->items = gg_arena_alloc(w->c->arena, n * sizeof *out->items);
    out->count = n;
    n = 0;
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->sources[i].taken; k++)
            all[n++] = w->sources[i].events[k];
    qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        out->items[i] = all[i].json;
}

static void give_failures(struct wide *w, struct gg_events *out)
{
    const struct gg_err *first = NULL;
    size_t n = 0;

    out->incomplete =
        gg_arena_alloc(w->c->arena, (w->count + w->left_out_count) * sizeof *out->incomplete);
    for (size_t i = 0; i < w->count; i++) {
        const struct source *s = &w->sources[i];
        if (s->err.code == GG_OK)
            continue;
        first = first == NULL ? &s->err : first;
        out->incomplete[n++] = (struct gg_incomplete){.calendar_id = s->id,
                                                      .code = gg_err_row(s->err.code)->code,
                                                      .microsoft_code = s->err.microsoft_code,
                                                      .retry_after_s = s->err.retry_after_s};
    }
    if (first != NULL)
        gg_log(GG_WARNING, "events.incomplete",
               "realm=%s subject=%.*s calendars=%zu failed=%zu code=%s microsoft_code=%s "
               "reason=\"%s\"",
               w->key.realm->name, GG_STR_ARG(w->key.subject), w->count, n,
               gg_err_row(first->code)->code, first->microsoft_code, first->log);
    for (size_t i = 0; i < w->left_out_count; i++)
        out->incomplete[n++] = (struct gg_incomplete){
            .calendar_id = w->left_out[i], .code = "too_many_calendars", .microsoft_code = ""};
    out->incomplete_count = n;
}

/* Whether there is more of it to ask for, as far as is known. */
static bool has_more(const struct source *s)
{
    if (s->taken < s->count)
        return true;
    return s->err.code == GG_OK ? s->url != NULL : is_passing(&s->err);
}

static bool give_cursor(struct wide *w, struct gg_events *out, struct gg_err *err)
{
    struct gg_cursor_wide next = {.list = *w->list};

    next.list.calendars = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct source *s = &w->sources[i];
        if (!has_more(s))
            continue;
        next.list.calendar_ids[next.list.calendars] = s->id;
        next.given[next.list.calendars++] = s->given + (int64_t)s->taken;
    }
    return next.list.calendars == 0 ||
           gg_cursor_format_wide(w->c, w->key, &next, &out->next_cursor, err);
}

static bool run(struct wide *w, struct gg_events *out, struct gg_err *err)
{
    bool is_marked[GG_LISTING_CALENDARS_MAX];

    *out = (struct gg_events){.is_wide = true};
    for (size_t i = 0; i < w->count; i++) {
        struct source *s = &w->sources[i];
        s->last.seconds = INT64_MIN;
        s->url = gg_calendar_url(w->c, w->list, s->id, s->given);
    }
    while (!take_events(w, is_marked))
        if (!read_marked(w, is_marked, err))
            return false;
    if (!check_any(w, err))
        return false;
    give_events(w, out);
    give_failures(w, out);
    return give_cursor(w, out, err);
}

/* All of the user's calendars, in Graph's order; those above the most are named, and not read. */
static bool find_all(struct wide *w, struct gg_err *err)
{
    struct gg_graph_list list = {.request = {.key = w->key,
                                             .operation = GG_M_LIST_CALENDARS,
                                             .method = "GET",
                                             .url = gg_graph_url(w->c, CALENDARS_URL)}};

    if (!gg_graph_list(w->c, &list, err))
        return false;
    w->access = list.access;
    w->left_out = gg_arena_alloc(w->c->arena, list.count * sizeof *w->left_out);
    for (size_t i = 0; i < list.count; i++) {
        struct gg_json *v;
        if (!gg_json_parse(w->c->arena, list.items[i], &v, err) ||
            !gg_event_is_id(gg_json_text(v, "id")))
            return gg_fail(err, GG_EGRAPH, "a calendar of Graph's is broken");
        if (w->count < GG_LISTING_CALENDARS_MAX)
            w->sources[w->count++].id = gg_json_text(v, "id");
        else
            w->left_out[w->left_out_count++] = gg_json_text(v, "id");
    }
    return true;
}

static struct wide start(struct gg_call *c, struct gg_token_key key, const struct gg_listing *list)
{
    struct wide w = {.c = c, .key = key, .list = list};

    w.sources = gg_arena_alloc(c->arena, GG_LISTING_CALENDARS_MAX * sizeof *w.sources);
    for (; w.count < list->calendars; w.count++)
        w.sources[w.count].id = list->calendar_ids[w.count];
    return w;
}

bool gg_wide_list(struct gg_call *c, struct gg_token_key key, const struct gg_listing *list,
                  struct gg_events *out, struct gg_err *err)
{
    struct wide w = start(c, key, list);

    return (!list->is_all || find_all(&w, err)) && run(&w, out, err);
}

bool gg_wide_list_on(struct gg_call *c, struct gg_token_key key, const struct gg_json *cursor,
                     struct gg_events *out, struct gg_err *err)
{
    struct gg_cursor_wide from;

    if (!gg_cursor_parse_wide(cursor, &from, err))
        return false;
    struct wide w = start(c, key, &from.list);
    for (size_t i = 0; i < w.count; i++)
        w.sources[i].given = from.given[i];
    return run(&w, out, err);
}
