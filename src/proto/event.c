/* SPDX-License-Identifier: MIT */
#include "gg/proto/event.h"

#include "gg/base/jsonw.h"

#include <string.h>

#define ATTENDEES_MAX  100
#define REMINDER_MAX   20160
#define BODY_BYTES_MAX ((size_t)1024 * 1024)

void gg_faults_init(struct gg_faults *f, struct gg_arena *arena)
{
    *f = (struct gg_faults){.arena = arena};
    f->last = &f->first;
}

void gg_faults_add(struct gg_faults *f, const char *field, const char *detail)
{
    struct gg_fault *fault = gg_arena_alloc(f->arena, sizeof *fault);

    *fault = (struct gg_fault){.field = field, .detail = detail};
    *f->last = fault;
    f->last = &fault->next;
}

bool gg_faults_check(const struct gg_faults *f, struct gg_err *err)
{
    if (f->first == NULL)
        return true;
    (void)gg_fail(err, GG_EINVALID, "field=%s", f->first->field);
    err->faults = f->first;
    return false;
}

bool gg_event_is_timezone(struct gg_str s)
{
    return gg_str_is_word(s, 64, "_+-/.() ");
}

/* What Graph takes for a function or a count of the collection, not for one of its events. */
static bool is_reserved(struct gg_str s)
{
    static const char type[] = "microsoft.graph.";
    struct gg_str head = {s.p, s.n < sizeof type - 1 ? s.n : sizeof type - 1};

    return s.p[0] == '$' || gg_str_is_equal_nocase(s, GG_STR("delta")) ||
           gg_str_is_equal_nocase(head, gg_str_of(type));
}

bool gg_event_is_id(struct gg_str s)
{
    return s.n > 0 && s.n <= GG_EVENT_ID_BYTES_MAX && gg_str_is_printable(s) &&
           gg_str_count_utf8(s) > 0 && !gg_str_is(s, ".") && !gg_str_is(s, "..") && !is_reserved(s);
}

/* What is known of the body while its fields are read one after another. */
struct reading {
    struct gg_faults faults;
    struct gg_jsonw w;
    enum gg_event_use use;
    const struct gg_json *body;
    struct gg_str timezone; /* for times without offset */
    bool is_all_day;
    bool is_not_all_day; /* is_all_day is there, and false */
    bool has_start;
    bool has_end;
    struct gg_time start;
    struct gg_time end;
    size_t written; /* how many of Graph's properties there are */
};

static void add_fault(struct reading *r, const char *field, const char *detail)
{
    gg_faults_add(&r->faults, field, detail);
}

/* A string of least…most characters; false, with the fault, when it is another. */
static bool read_text(struct reading *r, const char *name, long least, long most,
                      struct gg_str *out)
{
    struct gg_json *v = gg_json_get(r->body, name);

    if (!gg_json_str(v, out)) {
        add_fault(r, name, "must be a string");
        return false;
    }
    long n = gg_str_count_utf8(*out);
    if (n >= least && n <= most)
        return true;
    add_fault(
        r, name,
        least == 0
            ? gg_arena_printf(r->faults.arena, "must have at most %ld characters", most)
            : gg_arena_printf(r->faults.arena, "must have %ld to %ld characters", least, most));
    return false;
}

static void put_key(struct reading *r, const char *name)
{
    gg_jsonw_key(&r->w, name);
    r->written++;
}

static void read_subject(struct reading *r)
{
    struct gg_str s;

    if (!read_text(r, "subject", 1, 255, &s))
        return;
    put_key(r, "subject");
    gg_jsonw_str(&r->w, s);
}

/* Graph's dateTimeTimeZone. */
static void put_time(struct reading *r, const char *name, const struct gg_time *t)
{
    struct gg_str zone = t->kind == GG_TIME_INSTANT ? GG_STR("UTC") : r->timezone;

    put_key(r, name);
    gg_jsonw_open(&r->w, '{');
    gg_jsonw_put(&r->w, "dateTime", gg_time_format_graph(r->faults.arena, t));
    gg_jsonw_put(&r->w, "timeZone", zone);
    gg_jsonw_close(&r->w, '}');
}

static bool read_time(struct reading *r, const char *name, struct gg_time *t)
{
    struct gg_str s;

    if (!gg_json_str(gg_json_get(r->body, name), &s) || !gg_time_parse(s, t)) {
        add_fault(r, name, "must be an RFC 3339 time, such as 2026-03-02T13:00:00Z");
        return false;
    }
    /* In an update the event may be an all-day one already: only a plain "no" is a fault. */
    bool may_be_date = r->is_all_day || (r->use == GG_EVENT_UPDATE && !r->is_not_all_day);
    if (t->kind == GG_TIME_DATE && !may_be_date) {
        add_fault(r, name, "must have a time of day, unless is_all_day is true");
        return false;
    }
    put_time(r, name, t);
    return true;
}

static void read_start(struct reading *r)
{
    r->has_start = read_time(r, "start", &r->start);
}

/* Wall clocks of an unknown zone and instants cannot be compared here; Graph does it. */
static bool is_one_clock(const struct reading *r)
{
    bool start_is_utc = r->start.kind == GG_TIME_INSTANT || gg_str_is(r->timezone, "UTC");
    bool end_is_utc = r->end.kind == GG_TIME_INSTANT || gg_str_is(r->timezone, "UTC");

    return start_is_utc == end_is_utc;
}

static void read_end(struct reading *r)
{
    r->has_end = read_time(r, "end", &r->end);
    if (r->has_start && r->has_end && is_one_clock(r) && gg_time_compare(&r->start, &r->end) >= 0)
        add_fault(r, "end", "must be after start");
}

static void read_body(struct reading *r)
{
    struct gg_str s;
    struct gg_str type = gg_json_text(r->body, "body_type");

    if (!read_text(r, "body", 0, 10000, &s))
        return;
    put_key(r, "body");
    gg_jsonw_open(&r->w, '{');
    gg_jsonw_put(&r->w, "contentType", gg_str_is(type, "text") ? type : GG_STR("html"));
    gg_jsonw_put(&r->w, "content", s);
    gg_jsonw_close(&r->w, '}');
}

static void read_body_type(struct reading *r)
{
    struct gg_str s;

    if (!gg_json_str(gg_json_get(r->body, "body_type"), &s) ||
        (!gg_str_is(s, "html") && !gg_str_is(s, "text")))
        add_fault(r, "body_type", "must be html or text");
}

static void read_location(struct reading *r)
{
    struct gg_str s;

    if (!read_text(r, "location", 0, 255, &s))
        return;
    put_key(r, "location");
    gg_jsonw_open(&r->w, '{');
    gg_jsonw_put(&r->w, "displayName", s);
    gg_jsonw_close(&r->w, '}');
}

/* Roughly RFC 5321's mailbox: what is certainly none is refused, the rest is Graph's to judge. */
static bool is_email(struct gg_str s)
{
    struct gg_str domain = s;
    struct gg_str local;

    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f ||
            strchr("<>()[],;:\\\"", s.p[i]) != NULL)
            return false;
    if (s.n > 254 || !gg_str_take(&domain, '@', &local) || local.n == 0 || local.n > 64)
        return false;
    if (domain.n == 0 || memchr(domain.p, '@', domain.n) != NULL)
        return false;
    return domain.p[0] != '.' && domain.p[domain.n - 1] != '.' &&
           memchr(domain.p, '.', domain.n) != NULL && gg_str_count_utf8(s) > 0;
}

static void read_attendees(struct reading *r)
{
    struct gg_json *v = gg_json_get(r->body, "attendees");
    size_t n = gg_json_length(v);

    if (gg_json_type(v) != GG_JSON_ARRAY || n > ATTENDEES_MAX) {
        add_fault(r, "attendees", "must be a list of at most 100 e-mail addresses");
        return;
    }
    put_key(r, "attendees");
    gg_jsonw_open(&r->w, '[');
    for (size_t i = 0; i < n; i++) {
        struct gg_str s = {NULL, 0};
        if (!gg_json_str(gg_json_at(v, i), &s) || !is_email(s))
            add_fault(r, "attendees",
                      gg_arena_printf(r->faults.arena, "item %zu is not an e-mail address", i + 1));
        gg_jsonw_open(&r->w, '{');
        gg_jsonw_put_text(&r->w, "type", "required");
        gg_jsonw_key(&r->w, "emailAddress");
        gg_jsonw_open(&r->w, '{');
        gg_jsonw_put(&r->w, "address", s);
        gg_jsonw_close(&r->w, '}');
        gg_jsonw_close(&r->w, '}');
    }
    gg_jsonw_close(&r->w, ']');
}

static void read_is_all_day(struct reading *r)
{
    if (!gg_json_bool(gg_json_get(r->body, "is_all_day"), &r->is_all_day)) {
        add_fault(r, "is_all_day", "must be true or false");
        return;
    }
    r->is_not_all_day = !r->is_all_day;
    put_key(r, "isAllDay");
    gg_jsonw_bool(&r->w, r->is_all_day);
}

static void read_reminder(struct reading *r)
{
    int64_t minutes;

    if (!gg_json_int(gg_json_get(r->body, "reminder_minutes"), &minutes) || minutes < 0 ||
        minutes > REMINDER_MAX) {
        add_fault(r, "reminder_minutes", "must be a whole number from 0 to 20160");
        return;
    }
    put_key(r, "reminderMinutesBeforeStart");
    gg_jsonw_int(&r->w, minutes);
    gg_jsonw_put_bool(&r->w, "isReminderOn", true);
}

static void read_timezone(struct reading *r)
{
    struct gg_str s;

    if (!gg_json_str(gg_json_get(r->body, "timezone"), &s) || !gg_event_is_timezone(s)) {
        add_fault(r, "timezone", "must be the name of a time zone, such as Europe/Berlin");
        return;
    }
    r->timezone = s;
}

/* In the order in which they are read: what others depend on comes first. */
static const struct field {
    const char *name;
    void (*read)(struct reading *r);
    bool is_required; /* for a creation */
} fields[] = {
    {"subject", read_subject, true},
    {"timezone", read_timezone, false},
    {"is_all_day", read_is_all_day, false},
    {"start", read_start, true},
    {"end", read_end, true},
    {"body_type", read_body_type, false},
    {"body", read_body, false},
    {"location", read_location, false},
    {"attendees", read_attendees, false},
    {"reminder_minutes", read_reminder, false},
};

#define FIELDS (sizeof fields / sizeof fields[0])

static void refuse_unknown(struct reading *r)
{
    struct gg_str name;
    int left = 100; /* of a body of nothing else the answer would be six times as long */

    for (size_t i = 0; (name = gg_json_name(r->body, i)).p != NULL; i++) {
        size_t f = 0;
        while (f < FIELDS && !gg_str_is(name, fields[f].name))
            f++;
        if (f == FIELDS && left-- > 0)
            add_fault(r, gg_arena_copy(r->faults.arena, name.p, name.n), "is not a known field");
    }
}

static void read_fields(struct reading *r, struct gg_str transaction_id)
{
    gg_jsonw_open(&r->w, '{');
    for (size_t i = 0; i < FIELDS; i++) {
        if (gg_json_get(r->body, fields[i].name) != NULL)
            fields[i].read(r);
        else if (fields[i].is_required && r->use == GG_EVENT_CREATE)
            add_fault(r, fields[i].name, "is required");
    }
    if (transaction_id.p != NULL)
        gg_jsonw_put(&r->w, "transactionId", transaction_id);
    gg_jsonw_close(&r->w, '}');
    refuse_unknown(r);
    if (r->written > 0 || r->faults.first != NULL)
        return;
    /* What is there only says how to read something else. */
    const char *alone = gg_json_get(r->body, "timezone") != NULL    ? "timezone"
                        : gg_json_get(r->body, "body_type") != NULL ? "body_type"
                                                                    : NULL;
    if (alone != NULL)
        add_fault(r, alone, "changes nothing alone");
    else
        add_fault(r, "", "at least one field is needed");
}

bool gg_event_format(struct gg_arena *a, const struct gg_event_input *input, struct gg_str *out,
                     struct gg_err *err)
{
    struct gg_buf text;
    struct reading r = {.use = input->use, .body = input->body, .timezone = GG_STR("UTC")};

    gg_faults_init(&r.faults, a);
    gg_buf_init(&text, a, BODY_BYTES_MAX);
    gg_jsonw_init(&r.w, &text);
    if (gg_json_type(input->body) != GG_JSON_OBJECT)
        gg_faults_add(&r.faults, "", "must be an object");
    else
        read_fields(&r, input->transaction_id);
    *out = gg_buf_str(&text);
    return gg_faults_check(&r.faults, err);
}
