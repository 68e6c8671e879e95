/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/proto/event.h"

#include <string.h>

static struct gg_arena *arena;

/* Graph's body, or the fields at fault with commas. */
static const char *format_input(enum gg_event_use use, struct gg_str text, struct gg_str id)
{
    struct gg_event_input input = {.use = use, .transaction_id = id};
    struct gg_json *body;
    struct gg_str out;
    struct gg_err err;
    const char *fields = "";

    ck_assert_msg(gg_json_parse(arena, text, &body, &err), "%s", text.p);
    input.body = body;
    if (gg_event_format(arena, &input, &out, &err))
        return out.p;
    ck_assert_int_eq(err.code, GG_EINVALID);
    for (const struct gg_fault *f = err.faults; f != NULL; f = f->next) {
        ck_assert(strlen(f->detail) > 0);
        fields = gg_arena_printf(arena, "%s%s%s", fields, f == err.faults ? "" : ",", f->field);
    }
    return fields;
}

static const char *format(enum gg_event_use use, const char *text)
{
    return format_input(use, gg_str_of(text), (struct gg_str){NULL, 0});
}

#define NEEDED \
    "\"subject\":\"s\",\"start\":\"2026-03-02T13:00:00Z\",\"end\":\"2026-03-02T14:00:00Z\""
#define SENT \
    "\"subject\":\"s\",\"start\":{\"dateTime\":\"2026-03-02T13:00:00\",\"timeZone\":\"UTC\"}," \
    "\"end\":{\"dateTime\":\"2026-03-02T14:00:00\",\"timeZone\":\"UTC\"}"

START_TEST(creations)
{
    static const struct {
        const char *in;
        const char *out; /* or the faults */
    } cases[] = {
        {"{" NEEDED "}", "{" SENT "}"},
        {"{" NEEDED ",\"location\":null,\"attendees\":null}", "{" SENT "}"},
        {"{" NEEDED ",\"body\":\"<p>\"}",
         "{" SENT ",\"body\":{\"contentType\":\"html\",\"content\":\"<p>\"}}"},
        {"{" NEEDED ",\"body\":\"\",\"body_type\":\"text\"}",
         "{" SENT ",\"body\":{\"contentType\":\"text\",\"content\":\"\"}}"},
        {"{" NEEDED ",\"location\":\"\"}", "{" SENT ",\"location\":{\"displayName\":\"\"}}"},
        {"{" NEEDED ",\"reminder_minutes\":0}",
         "{" SENT ",\"reminderMinutesBeforeStart\":0,\"isReminderOn\":true}"},
        {"{" NEEDED ",\"reminder_minutes\":20160}",
         "{" SENT ",\"reminderMinutesBeforeStart\":20160,\"isReminderOn\":true}"},
        {"{" NEEDED ",\"attendees\":[]}", "{" SENT ",\"attendees\":[]}"},
        {"{" NEEDED ",\"attendees\":[\"a@b.c\"]}",
         "{" SENT ",\"attendees\":[{\"type\":\"required\",\"emailAddress\":{\"address\":\"a@b.c\"}}"
         "]}"},
        {"{\"subject\":\"s\",\"is_all_day\":true,\"start\":\"2026-03-02\",\"end\":\"2026-03-03\"}",
         "{\"subject\":\"s\",\"isAllDay\":true,\"start\":{\"dateTime\":\"2026-03-02T00:00:00\","
         "\"timeZone\":\"UTC\"},\"end\":{\"dateTime\":\"2026-03-03T00:00:00\",\"timeZone\":"
         "\"UTC\"}}"},
        /* With an offset it is UTC, without it is in the time zone. */
        {"{\"end\":\"2026-03-02T15:30:00+02:00\",\"start\":\"2026-03-02T13:00:00\",\"subject\":"
         "\"s\",\"timezone\":\"Europe/Berlin\"}",
         "{\"subject\":\"s\",\"start\":{\"dateTime\":\"2026-03-02T13:00:00\",\"timeZone\":"
         "\"Europe/Berlin\"},\"end\":{\"dateTime\":\"2026-03-02T13:30:00\",\"timeZone\":\"UTC\"}}"},
        {"{}", "subject,start,end"},
        {"[]", ""},
        {"null", ""},
        {"{\"subject\":\"s\"}", "start,end"},
        {"{\"subject\":null,\"start\":null,\"end\":null}", "subject,start,end"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_str_eq(format(GG_EVENT_CREATE, cases[i].in), cases[i].out);
    ck_assert_str_eq(format_input(GG_EVENT_CREATE, GG_STR("{" NEEDED "}"), GG_STR("id-1")),
                     "{" SENT ",\"transactionId\":\"id-1\"}");
    gg_arena_close(arena);
}
END_TEST

/* One member added to a good creation, or in the place of one of its own. */
START_TEST(faults)
{
    static const struct {
        const char *in;
        const char *fields;
    } cases[] = {
        {"{" NEEDED ",\"colour\":\"red\"}", "colour"},
        {"{" NEEDED ",\"colour\":null}", "colour"},
        {"{" NEEDED ",\"Subject\":\"s\"}", "Subject"},
        {"{" NEEDED ",\"body\":1}", "body"},
        {"{" NEEDED ",\"body\":\"x\",\"body_type\":\"rtf\"}", "body_type"},
        {"{" NEEDED ",\"body_type\":1}", "body_type"},
        {"{" NEEDED ",\"location\":[]}", "location"},
        {"{" NEEDED ",\"attendees\":\"a@b.c\"}", "attendees"},
        {"{" NEEDED ",\"attendees\":[1]}", "attendees"},
        {"{" NEEDED ",\"attendees\":[\"a@b.c\",\"x\",\"y\"]}", "attendees,attendees"},
        {"{" NEEDED ",\"is_all_day\":\"yes\"}", "is_all_day"},
        {"{" NEEDED ",\"is_all_day\":0}", "is_all_day"},
        {"{" NEEDED ",\"reminder_minutes\":-1}", "reminder_minutes"},
        {"{" NEEDED ",\"reminder_minutes\":20161}", "reminder_minutes"},
        {"{" NEEDED ",\"reminder_minutes\":1.5}", "reminder_minutes"},
        {"{" NEEDED ",\"reminder_minutes\":\"5\"}", "reminder_minutes"},
        {"{" NEEDED ",\"timezone\":\"\"}", "timezone"},
        {"{" NEEDED ",\"timezone\":\"a\\\"b\"}", "timezone"},
        {"{" NEEDED ",\"timezone\":\"Europe/K\\u00f6ln\"}", "timezone"},
        {"{\"subject\":\"\",\"start\":\"2026-03-02T13:00:00Z\",\"end\":\"2026-03-02T14:00:00Z\"}",
         "subject"},
        {"{\"subject\":\"s\",\"start\":\"tomorrow\",\"end\":\"2026-03-02T14:00:00Z\"}", "start"},
        {"{\"subject\":\"s\",\"start\":\"2026-03-02T14:00:00Z\",\"end\":\"2026-03-02T14:00:00Z\"}",
         "end"},
        {"{\"subject\":\"s\",\"start\":\"2026-03-02T14:00:00Z\",\"end\":\"2026-03-02T15:00:00+02:00"
         "\"}",
         "end"},
        {"{\"subject\":\"s\",\"start\":\"2026-03-02\",\"end\":\"2026-03-03\"}", "start,end"},
        {"{\"subject\":\"s\",\"start\":\"2026-03-03\",\"end\":\"2026-03-02\",\"is_all_day\":true}",
         "end"},
        {"{\"subject\":1,\"start\":2,\"end\":3,\"x\":4}", "subject,start,end,x"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_str_eq(format(GG_EVENT_CREATE, cases[i].in), cases[i].fields);
    gg_arena_close(arena);
}
END_TEST

START_TEST(updates)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"{\"subject\":\"s\"}", "{\"subject\":\"s\"}"},
        {"{\"is_all_day\":false}", "{\"isAllDay\":false}"},
        {"{\"start\":\"2026-03-02T13:00:00.5Z\"}",
         "{\"start\":{\"dateTime\":\"2026-03-02T13:00:00.5000000\",\"timeZone\":\"UTC\"}}"},
        {"{\"end\":\"2026-03-02\"}",
         "{\"end\":{\"dateTime\":\"2026-03-02T00:00:00\",\"timeZone\":\"UTC\"}}"},
        {"{\"end\":\"2026-03-02\",\"is_all_day\":false}", "end"},
        {"{\"start\":\"2026-03-02T13:00:00\",\"timezone\":\"Pacific Standard Time\"}",
         "{\"start\":{\"dateTime\":\"2026-03-02T13:00:00\",\"timeZone\":\"Pacific Standard "
         "Time\"}}"},
        {"{\"location\":\"\"}", "{\"location\":{\"displayName\":\"\"}}"},
        {"{}", ""},
        {"{\"subject\":null}", ""},
        {"{\"timezone\":\"UTC\"}", "timezone"},
        {"{\"body_type\":\"text\"}", "body_type"},
        {"{\"id\":\"x\"}", "id"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_str_eq(format(GG_EVENT_UPDATE, cases[i].in), cases[i].out);
    gg_arena_close(arena);
}
END_TEST

/* A creation with a member of n characters "ä". */
static const char *with_text(const char *name, size_t n)
{
    struct gg_buf b;

    gg_buf_init(&b, arena, 100000);
    gg_buf_add_fmt(&b, "{\"%s\":\"", name);
    for (size_t i = 0; i < n; i++)
        gg_buf_add_text(&b, "\xc3\xa4");
    gg_buf_add_text(&b, "\"}");
    return gg_buf_str(&b).p;
}

START_TEST(lengths_are_in_characters)
{
    static const struct {
        const char *name;
        size_t most;
    } cases[] = {{"subject", 255}, {"body", 10000}, {"location", 255}};

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *fits = format(GG_EVENT_UPDATE, with_text(cases[i].name, cases[i].most));
        const char *over = format(GG_EVENT_UPDATE, with_text(cases[i].name, cases[i].most + 1));
        ck_assert_msg(fits[0] == '{', "%s", cases[i].name);
        ck_assert_str_eq(over, cases[i].name);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(attendees)
{
    static const struct {
        const char *address;
        bool good;
    } cases[] = {
        {"a@b.c", true},
        {"a.b+c@x-y.example", true},
        {"o'neil@a.example", true},
        {"\xc3\xa4@b.example", true},
        {"", false},
        {"a", false},
        {"@b.c", false},
        {"a@", false},
        {"a@b", false},
        {"a@b@c.d", false},
        {"a b@c.d", false},
        {"a@.c", false},
        {"a@b.", false},
        {"A <a@b.c>", false},
        {"a@b.c,d@e.f", false},
        {"a@b.c\\n", false},
    };
    struct gg_buf b;

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *in = gg_arena_printf(arena, "{\"attendees\":[\"%s\"]}", cases[i].address);
        const char *out = format(GG_EVENT_UPDATE, in);
        ck_assert_msg((out[0] == '{') == cases[i].good, "%s", cases[i].address);
    }
    gg_buf_init(&b, arena, 10000);
    gg_buf_add_text(&b, "{\"attendees\":[\"a@b.c\"");
    for (int i = 1; i < 100; i++)
        gg_buf_add_text(&b, ",\"a@b.c\"");
    ck_assert(format(GG_EVENT_UPDATE, gg_arena_printf(arena, "%s]}", gg_buf_str(&b).p))[0] == '{');
    ck_assert_str_eq(
        format(GG_EVENT_UPDATE, gg_arena_printf(arena, "%s,\"a@b.c\"]}", gg_buf_str(&b).p)),
        "attendees");
    gg_arena_close(arena);
}
END_TEST

START_TEST(ids)
{
    static const struct {
        const char *id;
        bool good;
    } cases[] = {
        {"AAMkAGI1AAAoZCfHAAA=", true},
        {"a/b", true},
        {"...", true},
        {"\xc3\xa4", true},
        {"", false},
        {".", false},
        {"..", false},
        {"a\nb", false},
        {"a\x7f", false},
        {"\xff", false},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(gg_event_is_id(gg_str_of(cases[i].id)) == cases[i].good, "%s", cases[i].id);
    ck_assert(gg_event_is_id(gg_str_of(gg_arena_printf(arena, "%01024d", 0))));
    ck_assert(!gg_event_is_id(gg_str_of(gg_arena_printf(arena, "%01025d", 0))));
    ck_assert(gg_event_is_timezone(gg_str_of(gg_arena_printf(arena, "%064d", 0))));
    ck_assert(!gg_event_is_timezone(gg_str_of(gg_arena_printf(arena, "%065d", 0))));
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/event", creations, faults, updates, lengths_are_in_characters, attendees, ids)
