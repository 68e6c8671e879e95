/* SPDX-License-Identifier: MIT */
#include "gg/web/on_calendar.h"

#include "gg/flow/calendar.h"

#define HEADER_BYTES_MAX 255
/* Of an answer with a list: what stands behind it, mostly. */
#define AROUND_BYTES 256

static struct gg_token_key key_of(const struct gg_exchange *x)
{
    return (struct gg_token_key){x->realm, x->caller.subject};
}

static void put_items(struct gg_jsonw *w, const char *name, const struct gg_str *items,
                      size_t count)
{
    size_t bytes = AROUND_BYTES;

    for (size_t i = 0; i < count; i++)
        bytes += items[i].n + 1;
    gg_buf_reserve(w->buf, bytes);
    gg_jsonw_key(w, name);
    gg_jsonw_open(w, '[');
    for (size_t i = 0; i < count; i++)
        gg_jsonw_raw(w, items[i]);
    gg_jsonw_close(w, ']');
}

bool gg_on_calendar_find_all(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    struct gg_calendars found;

    if (!gg_calendar_find_all(&x->call, key_of(x), &found, err))
        return false;
    gg_response_begin_success(
        &x->response, 200, gg_arena_printf(x->call.arena, "Retrieved %zu calendars", found.count));
    gg_jsonw_key(w, "event");
    gg_jsonw_open(w, '{');
    put_items(w, "calendars", found.items, found.count);
    gg_jsonw_key(w, "default_calendar");
    gg_jsonw_raw(w, found.default_calendar.p == NULL ? GG_STR("null") : found.default_calendar);
    gg_jsonw_close(w, '}');
    gg_response_end(&x->response);
    return true;
}

static bool find_events(struct gg_exchange *x, struct gg_events *out, struct gg_err *err)
{
    struct gg_request *r = &x->request;
    struct gg_str cursor = gg_request_query(r, "cursor");
    struct gg_str *ids;
    struct gg_listing_query query = {
        .start_time = gg_request_query(r, "start_time"),
        .end_time = gg_request_query(r, "end_time"),
        .timezone = gg_request_query(r, "timezone"),
        .limit = gg_request_query(r, "limit"),
        .calendars = gg_request_query_all(r, "calendar_id", &ids),
    };
    struct gg_listing list;

    if (cursor.p != NULL)
        return gg_calendar_list_on(&x->call, key_of(x), cursor, out, err);
    query.calendar_ids = ids;
    return gg_listing_parse(x->call.arena, &query, &list, err) &&
           gg_calendar_list(&x->call, key_of(x), &list, out, err);
}

static void put_incomplete(struct gg_jsonw *w, const struct gg_events *found)
{
    gg_jsonw_key(w, "incomplete");
    gg_jsonw_open(w, '[');
    for (size_t i = 0; i < found->incomplete_count; i++) {
        const struct gg_incomplete *one = &found->incomplete[i];
        gg_jsonw_open(w, '{');
        gg_jsonw_put(w, "calendar_id", one->calendar_id);
        gg_jsonw_put_text(w, "code", one->code);
        if (one->microsoft_code[0] != '\0')
            gg_jsonw_put_text(w, "microsoft_code", one->microsoft_code);
        if (one->retry_after_s > 0)
            gg_jsonw_put_int(w, "retry_after", one->retry_after_s);
        gg_jsonw_close(w, '}');
    }
    gg_jsonw_close(w, ']');
}

bool gg_on_calendar_list(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    struct gg_events found;

    if (!find_events(x, &found, err))
        return false;
    gg_response_begin_success(
        &x->response, 200,
        gg_arena_printf(x->call.arena, "Retrieved %zu calendar events", found.count));
    put_items(w, "events", found.items, found.count);
    gg_jsonw_put(w, "next_cursor", found.next_cursor);
    if (found.is_wide)
        put_incomplete(w, &found);
    gg_response_end(&x->response);
    return true;
}

/* A header that is passed on: absent when there is none, a fault when it is not fit for one. */
static struct gg_str read_header(struct gg_exchange *x, const char *cgi_name, const char *name,
                                 struct gg_faults *faults)
{
    struct gg_str s = gg_request_header(&x->request, cgi_name);

    if (s.n > HEADER_BYTES_MAX || !gg_str_is_printable(s))
        gg_faults_add(faults, name, "must have at most 255 printable characters");
    return s;
}

static bool answer_event(struct gg_exchange *x, int status, const char *message,
                         struct gg_str event)
{
    gg_response_begin_success(&x->response, status, message);
    gg_jsonw_key(&x->response.json, "event");
    gg_jsonw_raw(&x->response.json, event);
    gg_response_end(&x->response);
    return true;
}

/* Where the new event is: its path here, with its id as one segment. */
static void put_location(struct gg_exchange *x, struct gg_str id)
{
    struct gg_buf path;

    gg_buf_init(&path, x->call.arena, 8192);
    gg_buf_add_text(&path, x->realm->prefix);
    gg_buf_add_text(&path, "/integration/microsoft/calendar/events/");
    gg_urlenc_add(&path, id);
    gg_response_header(&x->response, "Location", gg_buf_str(&path));
}

/* Graph's body for it; what is wrong with it is said together with the faults found before. */
static bool format_event(struct gg_exchange *x, const struct gg_event_input *input,
                         struct gg_faults *faults, struct gg_str *out, struct gg_err *err)
{
    bool ok = gg_event_format(x->call.arena, input, out, err);

    if (!ok && err->code != GG_EINVALID)
        return false;
    *faults->last = (struct gg_fault *)(ok ? NULL : err->faults);
    return gg_faults_check(faults, err);
}

/* The checked body of a creation, with what its query and headers say. All faults at once. */
static bool read_creation(struct gg_exchange *x, struct gg_event_call *call, struct gg_err *err)
{
    struct gg_event_input input = {.use = GG_EVENT_CREATE};
    struct gg_json *body;
    struct gg_faults faults;

    if (!gg_request_body(&x->request, &body, err))
        return false;
    gg_faults_init(&faults, x->call.arena);
    call->calendar_id = gg_request_query(&x->request, "calendar_id");
    if (call->calendar_id.p != NULL && !gg_event_is_id(call->calendar_id))
        gg_faults_add(&faults, "calendar_id", "is not an id");
    struct gg_str key = read_header(x, "HTTP_IDEMPOTENCY_KEY", "Idempotency-Key", &faults);
    if (!gg_calendar_transaction(&x->call, call->key, key, &input.transaction_id, err))
        return false;
    input.body = body;
    return format_event(x, &input, &faults, &call->body, err);
}

bool gg_on_calendar_create(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_event_call call = {.key = key_of(x), .verb = GG_EVENT_POST};
    struct gg_str event;

    if (!read_creation(x, &call, err) || !gg_calendar_call(&x->call, &call, &event, err))
        return false;
    put_location(x, call.new_id);
    return answer_event(x, 201, "Event created", event);
}

bool gg_on_calendar_get(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_event_call call = {.key = key_of(x), .verb = GG_EVENT_GET, .id = x->id};
    struct gg_str event;

    return gg_calendar_call(&x->call, &call, &event, err) &&
           answer_event(x, 200, "Event retrieved", event);
}

bool gg_on_calendar_update(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_event_call call = {.key = key_of(x), .verb = GG_EVENT_PATCH, .id = x->id};
    struct gg_event_input input = {.use = GG_EVENT_UPDATE};
    struct gg_json *body;
    struct gg_faults faults;
    struct gg_str event;

    gg_faults_init(&faults, x->call.arena);
    call.if_match = read_header(x, "HTTP_IF_MATCH", "If-Match", &faults);
    if (!gg_request_body(&x->request, &body, err))
        return false;
    input.body = body;
    return format_event(x, &input, &faults, &call.body, err) &&
           gg_calendar_call(&x->call, &call, &event, err) &&
           answer_event(x, 200, "Event updated", event);
}

bool gg_on_calendar_delete(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_event_call call = {.key = key_of(x), .verb = GG_EVENT_DELETE, .id = x->id};
    struct gg_str event;

    if (!gg_calendar_call(&x->call, &call, &event, err))
        return false;
    gg_response_begin_success(&x->response, 200, "Event deleted");
    gg_response_end(&x->response);
    return true;
}
