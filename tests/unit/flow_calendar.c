/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/calendar.h"

#include <string.h>

static struct stand_in s;
static struct gg_token_key key;
static struct gg_events events;

static void set_up(void)
{
    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
}

/* The request line that a list leads to. */
START_TEST(urls_of_lists)
{
    static const struct loopback_answer rows[] = {{.body = "{\"value\":[]}"}};
    const struct {
        struct gg_listing list;
        const char *target;
    } cases[] = {
        {{.limit = 7}, "/me/events?$orderby=start/dateTime&$top=7"},
        {{.limit = 1000}, "/me/events?$orderby=start/dateTime&$top=100"},
        {{.start_time = GG_STR("2026-03-02T13:00:00"),
          .end_time = GG_STR("2026-03-03T13:00:00"),
          .limit = 5},
         "/me/calendarView?startDateTime=2026-03-02T13%3A00%3A00Z&endDateTime=2026-03-03T13%3A00"
         "%3A00Z&$orderby=start/dateTime&$top=5"},
        {{.start_time = GG_STR("2026-03-02T13:00:00"), .limit = 5},
         "/me/events?$filter=start%2FdateTime%20ge%20%272026-03-02T13%3A00%3A00.0000000%27"
         "&$orderby=start/dateTime&$top=5"},
        {{.end_time = GG_STR("2026-03-02T13:00:00.5000000"), .limit = 5},
         "/me/events?$filter=end%2FdateTime%20le%20%272026-03-02T13%3A00%3A00.5000000%27"
         "&$orderby=start/dateTime&$top=5"},
        {{.calendars = 1, .calendar_ids = {GG_STR("a/../b?c")}, .limit = 5},
         "/me/calendars/a%2F..%2Fb%3Fc/events?$orderby=start/dateTime&$top=5"},
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(gg_calendar_list(&s.call, key, &cases[i].list, &events, &s.err), "%s",
                      s.err.log);
        ck_assert(events.count == 0 && events.next_cursor.p == NULL);
        const char *line = gg_arena_printf(s.arena, "GET /v1.0%s HTTP/1.1\r\n", cases[i].target);
        const char *text = loopback_request(s.microsoft, 0);
        ck_assert_msg(strstr(text, line) == text, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, "\r\nAuthorization: Bearer token\r\n"));
    }
    stand_in_close(&s);
}
END_TEST

/* Two pages of three and two; the second follows by its nextLink. */
static void serve_pages(void)
{
    static struct loopback_answer rows[2];

    rows[0] = (struct loopback_answer){.match = "page=2",
                                       .body = "{\"value\":[{\"id\":\"4\"},{\"id\":\"5\"}]}"};
    rows[1] = (struct loopback_answer){
        .body = gg_arena_printf(s.arena,
                                "{\"value\":[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}],"
                                "\"@odata.nextLink\":\"%s/v1.0/x?page=2\"}",
                                loopback_url(s.microsoft))};
    LOOPBACK_SERVE(s.microsoft, rows);
}

START_TEST(cursors_go_on)
{
    const struct gg_listing list = {.limit = 2, .timezone = GG_STR("Europe/Berlin")};
    const char *seen = "";

    set_up();
    serve_pages();
    ck_assert(gg_calendar_list(&s.call, key, &list, &events, &s.err));
    for (int turn = 0; turn < 5; turn++) {
        ck_assert_uint_le(events.count, 2);
        for (size_t i = 0; i < events.count; i++)
            seen = gg_arena_printf(s.arena, "%s%.*s", seen, GG_STR_ARG(events.items[i]));
        if (events.next_cursor.p == NULL)
            break;
        ck_assert_msg(gg_calendar_list_on(&s.call, key, events.next_cursor, &events, &s.err), "%s",
                      s.err.log);
    }
    /* Each once, none left out; the time zone goes with the cursor. */
    ck_assert_str_eq(seen,
                     "{\"id\":\"1\"}{\"id\":\"2\"}{\"id\":\"3\"}{\"id\":\"4\"}{\"id\":\"5\"}");
    for (int i = 0; i < loopback_requests(s.microsoft); i++)
        ck_assert_ptr_nonnull(
            strstr(loopback_request(s.microsoft, i), "Prefer: outlook.timezone=\"Europe/Berlin\""));
    stand_in_close(&s);
}
END_TEST

static enum gg_code list_on(struct gg_token_key of, struct gg_str cursor)
{
    s.err = (struct gg_err){.code = GG_OK};
    return gg_calendar_list_on(&s.call, of, cursor, &events, &s.err) ? GG_OK : s.err.code;
}

START_TEST(cursors_are_one_users)
{
    const struct gg_listing list = {.limit = 2};
    struct gg_token_key other = {gg_realm(GG_REALM_MAIN), GG_STR("8")};
    struct gg_token_key beta = {gg_realm(GG_REALM_BETA), GG_STR("7")};

    set_up();
    serve_pages();
    ck_assert(gg_calendar_list(&s.call, key, &list, &events, &s.err));
    struct gg_str cursor = events.next_cursor;
    int before = loopback_requests(s.microsoft);
    ck_assert_int_eq(list_on(other, cursor), GG_ECURSOR);
    ck_assert_int_eq(list_on(beta, cursor), GG_ECURSOR);
    ck_assert_int_eq(list_on(key, GG_STR("")), GG_ECURSOR);
    ck_assert_int_eq(list_on(key, GG_STR("abc")), GG_ECURSOR);
    char *changed = gg_arena_copy(s.arena, cursor.p, cursor.n);
    changed[cursor.n / 2] = changed[cursor.n / 2] == 'A' ? 'B' : 'A';
    ck_assert_int_eq(list_on(key, (struct gg_str){changed, cursor.n}), GG_ECURSOR);
    /* A stored token is sealed with the same key, and is no cursor. */
    struct gg_token row;
    ck_assert(gg_token_find(gg_ctx_tokens(&s.ctx), s.arena, key, &row, &s.err));
    ck_assert_int_eq(list_on(key, row.ciphers.access_token), GG_ECURSOR);
    ck_assert_int_eq(loopback_requests(s.microsoft), before);
    ck_assert_int_eq(list_on(key, cursor), GG_OK);
    stand_in_close(&s);
}
END_TEST

START_TEST(all_calendars)
{
    static const struct loopback_answer rows[] = {
        {.body = "{\"value\":[{\"id\":\"a\",\"isDefaultCalendar\":false},"
                 "{\"id\":\"b\",\"isDefaultCalendar\":true},{\"id\":\"c\"}]}"}};
    struct gg_calendars calendars;

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert(gg_calendar_find_all(&s.call, key, &calendars, &s.err));
    ck_assert_uint_eq(calendars.count, 3);
    ck_assert_gg_str(calendars.default_calendar, "{\"id\":\"b\",\"isDefaultCalendar\":true}");
    stand_in_close(&s);
}
END_TEST

START_TEST(one_event)
{
    static const struct loopback_answer rows[] = {
        {.match = "DELETE ", .status = 204, .headers = ""}, {.body = "{\"id\":\"e\"}"}};
    static const struct {
        enum gg_event_verb verb;
        const char *line;
    } cases[] = {
        {GG_EVENT_GET, "GET /v1.0/me/events/a%2F..%2Fb HTTP"},
        {GG_EVENT_PATCH, "PATCH /v1.0/me/events/a%2F..%2Fb HTTP"},
        {GG_EVENT_DELETE, "DELETE /v1.0/me/events/a%2F..%2Fb HTTP"},
        {GG_EVENT_POST, "POST /v1.0/me/calendars/c%3F/events HTTP"},
    };
    struct gg_str event;

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_event_call call = {
            .key = key, .verb = cases[i].verb, .id = GG_STR("a/../b"), .calendar_id = GG_STR("c?")};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(gg_calendar_call(&s.call, &call, &event, &s.err), "%s", s.err.log);
        const char *text = loopback_request(s.microsoft, 0);
        ck_assert_msg(strstr(text, cases[i].line) == text, "%s", text);
        ck_assert((event.p == NULL) == (cases[i].verb == GG_EVENT_DELETE));
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(transactions)
{
    struct gg_token_key other = {gg_realm(GG_REALM_MAIN), GG_STR("8")};
    struct gg_str ids[6];

    set_up();
    ck_assert(gg_calendar_transaction(&s.call, key, GG_STR("k"), &ids[0], &s.err));
    ck_assert(gg_calendar_transaction(&s.call, key, GG_STR("k"), &ids[1], &s.err));
    ck_assert(gg_calendar_transaction(&s.call, key, GG_STR("K"), &ids[2], &s.err));
    ck_assert(gg_calendar_transaction(&s.call, other, GG_STR("k"), &ids[3], &s.err));
    ck_assert(gg_str_is_uuid(ids[0]) && gg_str_is_equal(ids[0], ids[1]));
    ck_assert(!gg_str_is_equal(ids[0], ids[2]) && !gg_str_is_equal(ids[0], ids[3]));
    ck_assert(gg_calendar_transaction(&s.call, key, gg_str_of(NULL), &ids[4], &s.err));
    ck_assert(gg_calendar_transaction(&s.call, key, gg_str_of(NULL), &ids[5], &s.err));
    ck_assert(gg_str_is_uuid(ids[4]) && !gg_str_is_equal(ids[4], ids[5]));
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/calendar", urls_of_lists, cursors_go_on, cursors_are_one_users, all_calendars,
             one_event, transactions)
