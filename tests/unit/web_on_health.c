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
    answer = serving_ask(&s, (struct serving_request){.method = "GET", .uri = path});
    SERVING_CHECK(answer, 503, "\"status\":\"unhealthy\"");
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

GG_UNIT_MAIN("web/on_health", health, statistics)
