/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/wide.h"

#include <string.h>

#define AT(id, time) \
    "{\"id\":\"" id "\",\"start\":{\"dateTime\":\"2026-03-02T" time \
    ".0000000\",\"timeZone\":\"UTC\"}}"
#define DAY(id) \
    "{\"start\":{\"dateTime\":\"2026-03-02T00:00:00.0000000\"},\"isAllDay\":true,\"id\":\"" id "\"}"

static struct stand_in s;
static struct gg_token_key key;
static struct gg_events events;

static void set_up(void)
{
    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
}

static void begin(void)
{
    s.call = (struct gg_call){.ctx = &s.ctx, .arena = s.arena, .deadline = gg_deadline_in(10000)};
    s.err = (struct gg_err){.code = GG_OK};
}

/* The ids in their order, then "!" and the calendars that are incomplete. */
static const char *told(void)
{
    const char *out = "";
    struct gg_json *v;

    for (size_t i = 0; i < events.count; i++) {
        ck_assert(gg_json_parse(s.arena, events.items[i], &v, &s.err));
        out = gg_arena_printf(s.arena, "%s%.*s ", out, GG_STR_ARG(gg_json_text(v, "id")));
    }
    for (size_t i = 0; i < events.incomplete_count; i++)
        out = gg_arena_printf(s.arena, "%s!%.*s=%s ", out,
                              GG_STR_ARG(events.incomplete[i].calendar_id),
                              events.incomplete[i].code);
    return out;
}

static const char *list(int64_t limit)
{
    const struct gg_listing abc = {.is_wide = true,
                                   .limit = limit,
                                   .calendars = 3,
                                   .calendar_ids = {GG_STR("a"), GG_STR("b"), GG_STR("c")}};

    begin();
    if (!gg_calendar_list(&s.call, key, &abc, &events, &s.err))
        return gg_err_row(s.err.code)->code;
    return told();
}

/* What follows, to the end. */
static const char *rest(void)
{
    const char *out = "";

    for (int turn = 0; events.next_cursor.p != NULL; turn++) {
        ck_assert_int_lt(turn, 20);
        begin();
        ck_assert_msg(gg_calendar_list_on(&s.call, key, events.next_cursor, &events, &s.err), "%s",
                      s.err.log);
        out = gg_arena_printf(s.arena, "%s%s", out, told());
    }
    return out;
}

static const char *page(const char *one, const char *two, int next)
{
    return gg_arena_printf(
        s.arena, "{\"value\":[%s,%s],\"@odata.nextLink\":\"%s/v1.0/me/calendars/a/x?page=%d\"}",
        one, two, loopback_url(s.microsoft), next);
}

/* Calendar a by pages of two, where each page says itself which is the next. */
static void serve_pages(const char *b, int b_status)
{
    static struct loopback_answer rows[6];

    rows[0] = (struct loopback_answer){.match = "/a/x?page=2",
                                       .body = page(AT("a3", "03:00:00"), AT("a4", "04:00:00"), 3)};
    rows[1] = (struct loopback_answer){.match = "/a/x?page=3",
                                       .body = "{\"value\":[" AT("a5", "05:00:00") "]}"};
    rows[2] = (struct loopback_answer){
        .match = "/a/events?$orderby=start/dateTime&$top=3&$skip=3 ",
        .body = "{\"value\":[" AT("a4", "04:00:00") "," AT("a5", "05:00:00") "]}"};
    rows[3] = (struct loopback_answer){.match = "/a/events?$orderby=start/dateTime&$top=",
                                       .body = page(AT("a1", "01:00:00"), AT("a2", "02:00:00"), 2)};
    rows[4] = (struct loopback_answer){.match = "/b/events?", .body = b, .status = b_status};
    rows[5] = (struct loopback_answer){.body = "{\"value\":[]}"};
    LOOPBACK_SERVE(s.microsoft, rows);
}

START_TEST(merged_to_the_end)
{
    static const char b[] = "{\"value\":[" AT("b1", "01:30:00") "," AT("b2", "09:00:00") "]}";

    set_up();
    serve_pages(b, 200);
    ck_assert_str_eq(list(100), "a1 b1 a2 a3 a4 a5 b2 ");
    ck_assert(events.is_wide && events.next_cursor.p == NULL);
    /* Three first pages, and those two more of a that were needed. */
    ck_assert_int_eq(loopback_requests(s.microsoft), 5);
    serve_pages(b, 200);
    ck_assert_str_eq(list(2), "a1 b1 ");
    ck_assert_int_eq(loopback_requests(s.microsoft), 3);
    stand_in_close(&s);
}
END_TEST

/* An answer takes a run from the front of each calendar; a cursor is how long those were. */
START_TEST(cursors_go_on)
{
    static const struct loopback_answer rows[] = {
        {.match = "/a/events?$orderby=start/dateTime&$top=3&$skip=2 ",
         .body = "{\"value\":[" AT("a3", "03:00:00") "]}"},
        {.match = "/a/events?$orderby=start/dateTime&$top=3 ",
         .body = "{\"value\":[" AT("a1", "01:00:00") "," AT("a2", "02:00:00") "," AT(
             "a3", "03:00:00") "]}"},
        {.match = "/b/events?$orderby=start/dateTime&$top=3&$skip=1 ",
         .body = "{\"value\":[" AT("b2", "02:30:00") "," AT("b3", "04:00:00") "]}"},
        {.match = "/b/events?$orderby=start/dateTime&$top=3&$skip=2 ",
         .body = "{\"value\":[" AT("b3", "04:00:00") "]}"},
        {.match = "/b/events?$orderby=start/dateTime&$top=3 ",
         .body = "{\"value\":[" AT("b1", "01:30:00") "," AT("b2", "02:30:00") "," AT(
             "b3", "04:00:00") "]}"},
        {.match = "/c/events?$orderby=start/dateTime&$top=3 ", .body = "{\"value\":[]}"},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_str_eq(list(3), "a1 b1 a2 ");
    ck_assert_str_eq(rest(), "b2 a3 b3 ");
    /* c was empty: nobody asks it again. */
    ck_assert_int_eq(loopback_given(s.microsoft, 5), 1);
    ck_assert_int_eq(loopback_requests(s.microsoft), 5);
    stand_in_close(&s);
}
END_TEST

/* By what is shown; equal ones in the order of the calendars; whole days at their date. */
START_TEST(order)
{
    static const struct loopback_answer rows[] = {
        {.match = "/a/events?",
         .body = "{\"value\":[" AT("late", "20:00:00") "," DAY("day") ",{\"id\":\"odd\"}]}"},
        {.match = "/b/events?",
         .body = "{\"value\":[" AT("b1", "00:00:00") "," AT("b2", "20:00:00") "]}"},
        {.match = "/c/events?",
         .body = "{\"value\":[" AT("c1", "00:00:00") "," AT("first", "02:50:00") "," AT(
             "again", "02:10:00") "," AT("after", "02:30:00") "]}"},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_str_eq(list(100), "day b1 c1 first again after late odd b2 ");
    stand_in_close(&s);
}
END_TEST

START_TEST(failures_have_names)
{
    set_up();
    serve_pages("{\"error\":{\"code\":\"ErrorItemNotFound\"}}", 404);
    ck_assert_str_eq(list(3), "a1 a2 a3 !b=not_found ");
    ck_assert_str_eq(events.incomplete[0].microsoft_code, "ErrorItemNotFound");
    /* Graph's last word: b is not asked for again. */
    ck_assert_str_eq(rest(), "a4 a5 ");
    serve_pages("{\"value\":[{}]", 200);
    ck_assert_str_eq(list(3), "a1 a2 a3 !b=microsoft_unavailable ");
    serve_pages("{\"value\":[" AT("b1", "01:30:00") "]}", 200);
    /* What may pass is: from where it was. */
    ck_assert_str_eq(rest(), "b1 a4 a5 ");
    stand_in_close(&s);
}
END_TEST

START_TEST(nothing_but_failures)
{
    static const struct loopback_answer rows[] = {
        {.match = "/a/events?", .status = 404, .body = "{}"},
        {.match = "/b/events?", .status = 429, .headers = "Retry-After: 99\r\n"},
        {.match = "/c/events?", .status = 403, .body = "{}"},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_str_eq(list(3), "microsoft_throttled");
    ck_assert_int_eq(s.err.retry_after_s, 99);
    stand_in_close(&s);
}
END_TEST

/* %s is the stand-in's own address. What came of the page is given all the same. */
START_TEST(pages_that_lead_astray)
{
    static const char *const links[] = {"https://evil.example/v1.0/me",
                                        "http://127.0.0.1:1/v1.0/me",
                                        "?$orderby=start/dateTime&$top=5"};

    set_up();
    for (size_t i = 0; i < COUNT(links); i++) {
        const struct loopback_answer rows[] = {
            {.match = "/a/events?",
             .body = gg_arena_printf(
                 s.arena, "{\"value\":[" AT("a1", "01:00:00") "],\"@odata.nextLink\":\"%s\"}",
                 links[i])},
            {.body = "{\"value\":[]}"}};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_str_eq(list(5), "a1 !a=microsoft_unavailable ");
        ck_assert_int_eq(loopback_requests(s.microsoft), 3);
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(all_of_them)
{
    const struct gg_listing all = {.is_wide = true, .is_all = true, .limit = 50};
    const char *calendars = "";

    set_up();
    for (int i = 0; i < GG_LISTING_CALENDARS_MAX + 2; i++)
        calendars =
            gg_arena_printf(s.arena, "%s%s{\"id\":\"k%d\"}", calendars, i == 0 ? "" : ",", i);
    const struct loopback_answer rows[] = {
        {.match = "/me/calendars?$top=100 ",
         .body = gg_arena_printf(s.arena, "{\"value\":[%s]}", calendars)},
        {.match = "/k19/events?", .body = "{\"value\":[" AT("x", "01:00:00") "]}"},
        {.body = "{\"value\":[]}"}};
    LOOPBACK_SERVE(s.microsoft, rows);
    begin();
    ck_assert_msg(gg_calendar_list(&s.call, key, &all, &events, &s.err), "%s", s.err.log);
    ck_assert_str_eq(told(), "x !k20=too_many_calendars !k21=too_many_calendars ");
    ck_assert_int_eq(loopback_requests(s.microsoft), 1 + GG_LISTING_CALENDARS_MAX);
    ck_assert_ptr_null(events.next_cursor.p);
    const struct loopback_answer broken[] = {{.body = "{\"value\":[{\"id\":7}]}"}};
    LOOPBACK_SERVE(s.microsoft, broken);
    begin();
    ck_assert(!gg_calendar_list(&s.call, key, &all, &events, &s.err));
    ck_assert_int_eq(s.err.code, GG_EGRAPH);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/wide", merged_to_the_end, cursors_go_on, order, failures_have_names,
             nothing_but_failures, pages_that_lead_astray, all_of_them)
