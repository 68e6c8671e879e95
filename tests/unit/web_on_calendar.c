/* SPDX-License-Identifier: MIT */
#include "serving.h"

#define EVENTS "/api/v1/integration/microsoft/calendar/events"
#define GOOD \
    "{\"subject\":\"s\",\"start\":\"2026-03-02T13:00:00Z\",\"end\":\"2026-03-02T14:00:00Z\"}"

static struct stand_in s;

static const char *ask(const char *method, const char *uri, const char *body)
{
    return serving_ask(&s, (struct serving_request){
                               .method = method, .uri = uri, .claims = SERVING_USER, .body = body});
}

START_TEST(events)
{
    static const struct loopback_answer rows[] = {
        {.match = "DELETE ", .status = 204, .headers = ""},
        {.match = "GET /v1.0/me/events?", .body = "{\"value\":[{\"id\":\"1\"}]}"},
        {.match = "POST ", .status = 201, .body = "{\"id\":\"a/b=\"}"},
        {.body = "{\"id\":\"e\"}"},
    };

    stand_in_open(&s);
    (void)stand_in_connect(&s, "token", 3000);
    LOOPBACK_SERVE(s.microsoft, rows);
    SERVING_CHECK(ask("GET", EVENTS, NULL), 200, "Retrieved 1 calendar events",
                  "\"events\":[{\"id\":\"1\"}]", "\"next_cursor\":null");
    SERVING_CHECK(ask("POST", EVENTS, GOOD), 201, "\r\nLocation: " EVENTS "/a%2Fb%3D\r\n",
                  "\"event\":{\"id\":\"a/b=\"}");
    SERVING_CHECK(ask("GET", EVENTS "/e%2Ff", NULL), 200, "\"event\":{\"id\":\"e\"}");
    SERVING_CHECK(ask("PUT", EVENTS "/e", "{\"subject\":\"x\"}"), 200, "\"event\":{\"id\":\"e\"}");
    SERVING_CHECK(ask("DELETE", EVENTS "/e", NULL), 200, "\"success\":true");
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 2), "GET /v1.0/me/events/e%2Ff "));
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 3), "PATCH /v1.0/me/events/e "));
    stand_in_close(&s);
}
END_TEST

START_TEST(refusals_cost_no_call)
{
    static const struct loopback_answer rows[] = {{.body = "{}"}};

    stand_in_open(&s);
    (void)stand_in_connect(&s, "token", 3000);
    LOOPBACK_SERVE(s.microsoft, rows);
    SERVING_CHECK(ask("POST", EVENTS, "{}"), 422, "\"field\":\"subject\"", "\"field\":\"start\"",
                  "\"field\":\"end\"");
    SERVING_CHECK(ask("POST", EVENTS, "{"), 400, "\"invalid_json\"");
    SERVING_CHECK(ask("PATCH", EVENTS "/e", "{}"), 422, "\"validation_failed\"");
    SERVING_CHECK(ask("GET", EVENTS "/%2e%2e", NULL), 404, "\"not_found\"");
    SERVING_CHECK(ask("GET", EVENTS "?limit=0", NULL), 422, "\"field\":\"limit\"");
    SERVING_CHECK(ask("GET", EVENTS "?limit=1&limit=2", NULL), 422, "\"field\":\"limit\"");
    SERVING_CHECK(ask("GET", EVENTS "?cursor=x", NULL), 400, "\"cursor_invalid\"");
    ck_assert_int_eq(loopback_requests(s.microsoft), 0);
    stand_in_close(&s);
}
END_TEST

START_TEST(without_tokens)
{
    stand_in_open(&s);
    SERVING_CHECK(ask("GET", "/api/v1/integration/microsoft/calendar/", NULL), 401,
                  "\"microsoft_auth_required\"", "\"auth_url\":\"/api/v1/auth/microsoft/\"");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("web/on_calendar", events, refusals_cost_no_call, without_tokens)
