/* SPDX-License-Identifier: MIT */
#include "serving.h"

static struct stand_in s;

START_TEST(health)
{
    const char *path = "/api/v1/health/microsoft";

    stand_in_open(&s);
    const char *answer = serving_ask(&s, (struct serving_request){.method = "GET", .uri = path});
    SERVING_CHECK(answer, 200, "\"status\":\"healthy\"", "\"service\":\"microsoft_graph\"",
                  "\"configured\":true", "\"last_check\":\"20");
    ck_assert_ptr_null(strstr(answer, "details"));
    answer = serving_ask(
        &s, (struct serving_request){.method = "GET", .uri = path, .claims = SERVING_ADMIN});
    SERVING_CHECK(answer, 200, "\"details\"");
    s.ctx.fernet.count = 0;
    s.ctx.ready_until_ms = 0;
    answer = serving_ask(&s, (struct serving_request){.method = "GET", .uri = path});
    SERVING_CHECK(answer, 503, "\"status\":\"unhealthy\"");
    stand_in_close(&s);
}
END_TEST

START_TEST(for_load_balancers)
{
    const struct serving_request live = {.method = "GET", .uri = "/api/v1/health/live"};
    const struct serving_request ready = {.method = "GET", .uri = "/api/v1/health/ready"};

    stand_in_open(&s);
    SERVING_CHECK(serving_ask(&s, live), 200, "{\"status\":\"alive\"}");
    SERVING_CHECK(serving_ask(&s, ready), 200, "{\"status\":\"ready\"}");
    s.ctx.is_configured = false;
    s.ctx.ready_until_ms = 0;
    SERVING_CHECK(serving_ask(&s, live), 200, "{\"status\":\"alive\"}");
    SERVING_CHECK(serving_ask(&s, ready), 503, "{\"status\":\"not_ready\"}");
    stand_in_close(&s);
}
END_TEST

/* mutant: src/web/on_health.c: if (!is_admin) { => if (false) { */
START_TEST(deep_is_the_admins)
{
    static const struct loopback_answer away[] = {{.status = 403}};
    struct serving_request r = {.method = "GET", .uri = "/api/v1/health/microsoft?deep=1"};

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, away);
    ck_assert_ptr_null(strstr(serving_ask(&s, r), "details"));
    r.claims = SERVING_USER;
    ck_assert_ptr_null(strstr(serving_ask(&s, r), "details"));
    r.uri = "/api/v1/health/microsoft?deep=yes";
    SERVING_CHECK(serving_ask(&s, r), 200, "\"healthy\"");
    ck_assert_int_eq(loopback_connections(s.microsoft), 0);
    r.uri = "/api/v1/health/microsoft?deep=1";
    r.claims = SERVING_ADMIN;
    SERVING_CHECK(serving_ask(&s, r), 200,
                  "\"schema_version\":", "\"discovery\":{\"ok\":false,\"fault\":\"answered 403\"",
                  "\"count\":\"unknown\"", "\"expires\":\"unknown\"");
    r.uri = "/api/v1/health/microsoft?deep=0";
    ck_assert_ptr_null(strstr(serving_ask(&s, r), "discovery"));
    r.uri = "/api/v1/health/microsoft?deep=yes";
    SERVING_CHECK(serving_ask(&s, r), 422, "\"deep\"");
    stand_in_close(&s);
}
END_TEST

START_TEST(statistics)
{
    const char *path = "/api/v1/health/microsoft/tokens";

    stand_in_open(&s);
    (void)stand_in_connect(&s, "token", 100);
    SERVING_CHECK(
        serving_ask(&s,
                    (struct serving_request){.method = "GET", .uri = path, .claims = SERVING_USER}),
        403, "\"admin_required\"");
    SERVING_CHECK(
        serving_ask(
            &s, (struct serving_request){.method = "GET", .uri = path, .claims = SERVING_ADMIN}),
        200, "\"main_system\":{\"total\":1,\"active\":1,\"expired\":0,\"expiring_soon\":1",
        "\"beta_system\":{\"total\":0", "\"total_tokens\":1", "\"last_updated\":\"20");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("web/on_health", health, for_load_balancers, deep_is_the_admins, statistics)
