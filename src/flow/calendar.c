/* SPDX-License-Identifier: MIT */
#include "gg/flow/calendar.h"

#include "gg/ext/crypto.h"
#include "gg/flow/audit.h"
#include "gg/flow/wide.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define URL_BYTES_MAX    16384
#define CURSOR_BYTES_MAX 16384
/* Graph's pages have 10 elements unless asked for more. */
#define PAGE_MAX 100

/* One use of the user's token, however many calls to Graph it was; none where it was not sent. */
static bool note_use(struct gg_call *c, struct gg_token_key key, const char *operation, bool ok,
                     const struct gg_err *err)
{
    if (c->token_uses > 0)
        gg_audit_note(c, (struct gg_audit_event){.event = GG_AUDIT_USE,
                                                 .realm = key.realm,
                                                 .subject = key.subject,
                                                 .result = gg_audit_result(ok, err),
                                                 .detail = operation});
    return ok;
}

static bool find_all(struct gg_call *c, struct gg_token_key key, struct gg_calendars *out,
                     struct gg_err *err)
{
    struct gg_graph_list list = {.request = {.key = key,
                                             .operation = GG_M_LIST_CALENDARS,
                                             .method = "GET",
                                             .url = gg_graph_url(c, "/me/calendars?$top=100")}};

    if (!gg_graph_list(c, &list, err))
        return false;
    *out = (struct gg_calendars){.items = list.items, .count = list.count};
    for (size_t i = 0; i < list.count; i++) {
        struct gg_json *v;
        bool is_default = false;
        if (!gg_json_parse(c->arena, list.items[i], &v, err))
            return gg_fail(err, GG_EGRAPH, "a calendar of Graph's is broken");
        if (gg_json_bool(gg_json_get(v, "isDefaultCalendar"), &is_default) && is_default)
            out->default_calendar = list.items[i];
    }
    return true;
}

bool gg_calendar_find_all(struct gg_call *c, struct gg_token_key key, struct gg_calendars *out,
                          struct gg_err *err)
{
    return note_use(c, key, "calendars.list", find_all(c, key, out, err), err);
}

/* GRAPH_URL/me[/calendars/{id}] */
static void add_base(const struct gg_call *c, struct gg_buf *url, struct gg_str calendar_id)
{
    gg_buf_init(url, c->arena, URL_BYTES_MAX);
    gg_buf_add_text(url, gg_graph_url(c, "/me"));
    if (calendar_id.p != NULL) {
        gg_buf_add_text(url, "/calendars/");
        gg_urlenc_add(url, calendar_id);
    }
}

/* With all of Graph's digits: whether it compares times or texts, both come out right. */
static const char *filter_time(const struct gg_call *c, struct gg_str time)
{
    return gg_arena_printf(c->arena, "%.*s%s", GG_STR_ARG(time),
                           memchr(time.p, '.', time.n) == NULL ? ".0000000" : "");
}

const char *gg_calendar_url(const struct gg_call *c, const struct gg_listing *list,
                            struct gg_str calendar_id, int64_t given)
{
    struct gg_buf url;
    struct gg_str start = list->start_time;
    struct gg_str end = list->end_time;
    bool is_view = start.p != NULL && end.p != NULL;
    int64_t top = list->limit < PAGE_MAX ? list->limit : PAGE_MAX;

    add_base(c, &url, calendar_id);
    gg_buf_add_text(&url, is_view ? "/calendarView?" : "/events?");
    if (is_view) {
        gg_urlenc_add_pair(&url, "startDateTime",
                           gg_str_of(gg_arena_printf(c->arena, "%.*sZ", GG_STR_ARG(start))));
        gg_urlenc_add_pair(&url, "endDateTime",
                           gg_str_of(gg_arena_printf(c->arena, "%.*sZ", GG_STR_ARG(end))));
    } else if (start.p != NULL || end.p != NULL) {
        const char *filter =
            start.p != NULL
                ? gg_arena_printf(c->arena, "start/dateTime ge '%s'", filter_time(c, start))
                : gg_arena_printf(c->arena, "end/dateTime le '%s'", filter_time(c, end));
        gg_buf_add_text(&url, "$filter=");
        gg_urlenc_add(&url, gg_str_of(filter));
    }
    gg_buf_add_fmt(&url, "%s$orderby=start/dateTime&$top=%lld", url.p[url.n - 1] == '?' ? "" : "&",
                   (long long)top);
    if (given > 0)
        gg_buf_add_fmt(&url, "&$skip=%lld", (long long)given);
    return gg_buf_str(&url).p;
}

/* A cursor: the page where to go on, and what was asked for. */
static bool seal_cursor(struct gg_call *c, const struct gg_graph_list *list, int64_t limit,
                        struct gg_str *out, struct gg_err *err)
{
    struct gg_cursor made;

    gg_cursor_begin(c, list->request.key, &made);
    gg_jsonw_put_text(&made.w, "url", list->next_url);
    gg_jsonw_put_int(&made.w, "skip", (int64_t)list->next_skip);
    gg_jsonw_put_int(&made.w, "limit", limit);
    gg_jsonw_put(&made.w, "timezone", list->request.timezone);
    if (made.text.n >= CURSOR_BYTES_MAX)
        return gg_fail(err, GG_EGRAPH, "a nextLink is too long");
    return gg_cursor_seal(c, &made, out, err);
}

static bool read_cursor(struct gg_call *c, const struct gg_json *cursor, struct gg_graph_list *list,
                        struct gg_err *err)
{
    struct gg_str url = gg_json_text(cursor, "url");
    int64_t skip = 0;
    int64_t limit = 0;

    if (!gg_graph_is_own(c, url) || !gg_json_int(gg_json_get(cursor, "skip"), &skip) ||
        !gg_json_int(gg_json_get(cursor, "limit"), &limit) || skip < 0 || limit < 1)
        return gg_fail(err, GG_ECURSOR, "it leads elsewhere");
    list->request.url = url.p;
    list->request.timezone = gg_json_text(cursor, "timezone");
    list->skip = (size_t)skip;
    list->want = (size_t)limit;
    return true;
}

static bool run_list(struct gg_call *c, struct gg_graph_list *list, struct gg_events *out,
                     struct gg_err *err)
{
    int64_t limit = (int64_t)list->want;

    if (!note_use(c, list->request.key, "events.list", gg_graph_list(c, list, err), err))
        return false;
    *out = (struct gg_events){.items = list->items, .count = list->count};
    return list->next_url == NULL || seal_cursor(c, list, limit, &out->next_cursor, err);
}

bool gg_calendar_list(struct gg_call *c, struct gg_token_key key, const struct gg_listing *list,
                      struct gg_events *out, struct gg_err *err)
{
    struct gg_str id = list->calendars > 0 ? list->calendar_ids[0] : gg_str_of(NULL);
    struct gg_graph_list pages = {
        .request = {.key = key, .operation = GG_M_LIST_EVENTS, .method = "GET"},
        .want = (size_t)list->limit,
    };

    if (list->is_wide)
        return note_use(c, key, "events.list", gg_wide_list(c, key, list, out, err), err);
    pages.request.url = gg_calendar_url(c, list, id, 0);
    pages.request.timezone = list->timezone;
    return run_list(c, &pages, out, err);
}

bool gg_calendar_list_on(struct gg_call *c, struct gg_token_key key, struct gg_str cursor,
                         struct gg_events *out, struct gg_err *err)
{
    struct gg_graph_list pages = {
        .request = {.key = key, .operation = GG_M_LIST_EVENTS, .method = "GET"}};
    struct gg_json *opened;

    if (!gg_cursor_open(c, key, cursor, &opened, err))
        return false;
    if (gg_cursor_is_wide(opened))
        return note_use(c, key, "events.list", gg_wide_list_on(c, key, opened, out, err), err);
    return read_cursor(c, opened, &pages, err) && run_list(c, &pages, out, err);
}

static bool call_event(struct gg_call *c, struct gg_event_call *call, struct gg_str *event,
                       struct gg_err *err)
{
    static const struct {
        const char *method;
        enum gg_metric_word_OPERATION operation;
    } verbs[] = {
        {"GET", GG_M_GET_EVENT},
        {"POST", GG_M_CREATE_EVENT},
        {"PATCH", GG_M_UPDATE_EVENT},
        {"DELETE", GG_M_DELETE_EVENT},
    };
    struct gg_access access = {0};
    struct gg_jsontext_part read;
    struct gg_buf url;

    add_base(c, &url, call->verb == GG_EVENT_POST ? call->calendar_id : gg_str_of(NULL));
    gg_buf_add_text(&url, "/events");
    if (call->verb != GG_EVENT_POST) {
        gg_buf_add_char(&url, '/');
        gg_urlenc_add(&url, call->id);
    }
    struct gg_graph_request request = {
        .key = call->key,
        .operation = verbs[call->verb].operation,
        .method = verbs[call->verb].method,
        .url = gg_buf_str(&url).p,
        .timezone = call->timezone,
        .if_match = call->if_match,
        .body = call->body,
    };
    *event = (struct gg_str){NULL, 0};
    if (!gg_graph_call(c, &request, &access, event, err))
        return false;
    if (call->verb == GG_EVENT_DELETE)
        return true;
    if (event->p == NULL || !gg_json_split(c->arena, *event, 1, &read, err) ||
        read.text.p[0] != '{')
        return gg_fail(err, GG_EGRAPH, "an event of Graph's is broken");
    if (call->verb != GG_EVENT_POST)
        return true;
    call->new_id = gg_json_part_text(c->arena, &read, "id");
    return call->new_id.n > 0 || gg_fail(err, GG_EGRAPH, "a new event of Graph's has no id");
}

bool gg_calendar_call(struct gg_call *c, struct gg_event_call *call, struct gg_str *event,
                      struct gg_err *err)
{
    static const char *const operations[] = {"events.get", "events.create", "events.update",
                                             "events.delete"};

    return note_use(c, call->key, operations[call->verb], call_event(c, call, event, err), err);
}

bool gg_calendar_transaction(struct gg_call *c, struct gg_token_key key,
                             struct gg_str idempotency_key, struct gg_str *out, struct gg_err *err)
{
    unsigned char hash[GG_SHA256_BYTES];

    if (idempotency_key.p == NULL)
        return gg_crypto_random_uuid(c->arena, out, err);
    struct gg_str text =
        gg_str_of(gg_arena_printf(c->arena, "%s\n%.*s\n%.*s", key.realm->name,
                                  GG_STR_ARG(key.subject), GG_STR_ARG(idempotency_key)));

    if (!gg_crypto_sha256(text, hash, err))
        return false;
    *out = gg_crypto_format_uuid(c->arena, hash, 4);
    return true;
}
