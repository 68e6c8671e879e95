/* SPDX-License-Identifier: MIT */
#include "records.h"
#include "unit.h"

#include "gg/web/route.h"

#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;
static struct gg_fcgi *fcgi;
static struct gg_conf conf;
static struct gg_ctx ctx;
static int fd;

static void set_up(void)
{
    arena = gg_arena_open();
    fcgi = records_open(arena, &fd);
    conf = (struct gg_conf){.request_deadline_s = 5, .login_url = "https://l", .tenant = "t"};
    ctx = (struct gg_ctx){.conf = &conf, .is_configured = true, .jwt_key = {GG_SHA256, {"k", 1}}};
}

static void tear_down(void)
{
    (void)close(fd);
    gg_arena_close(arena);
}

/* The whole answer; extra is one more parameter and its value. */
static const char *serve(const char *method, const char *uri, const char *extra, const char *value)
{
    const char *const params[] = {"REQUEST_METHOD", method, "REQUEST_URI", uri, "REMOTE_ADDR",
                                  "192.0.2.1",      extra,  value,         NULL};

    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")));
    gg_route_serve(&ctx, arena, fcgi);
    struct gg_str answer = records_read(arena, fd);
    ck_assert_ptr_nonnull(answer.p);
    ck_assert_ptr_nonnull(strstr(answer.p, "\r\nX-Request-ID: "));
    ck_assert_ptr_nonnull(strstr(answer.p, "\r\nCache-Control: no-store\r\n"));
    return answer.p;
}

static void check_status(const char *answer, int status, const char *code)
{
    ck_assert_msg(strstr(answer, gg_arena_printf(arena, "Status: %d\r\n", status)) == answer, "%s",
                  answer);
    ck_assert_msg(strstr(answer, gg_arena_printf(arena, "\"code\":\"%s\"", code)) != NULL, "%s",
                  answer);
}

START_TEST(the_table)
{
    size_t count;
    const struct gg_route *table = gg_route_table(&count);

    ck_assert_uint_gt(count, 10);
    for (size_t i = 0; i < count; i++) {
        const struct gg_route *a = &table[i];
        ck_assert(a->on != NULL);
        ck_assert_msg(a->path[0] != '/' && a->path[strlen(a->path) - 1] != '/', "%s", a->path);
        ck_assert(a->method < GG_METHODS);
        const char *id = strstr(a->path, "{id}");
        ck_assert_msg(id == NULL || (id[4] == '\0' && id[-1] == '/'), "%s", a->path);
        /* Whatever is a user's own is counted by the user; health alone is open and uncounted. */
        if (a->auth == GG_AUTH_CALLER)
            ck_assert_msg(a->is_limited && a->by == GG_BY_CALLER_OR_ADDRESS, "%s", a->path);
        if (strncmp(a->path, "integration/", 12) == 0)
            ck_assert_msg(a->auth == GG_AUTH_CALLER && a->limit == GG_LIMIT_CALENDAR, "%s",
                          a->path);
        if (a->works_unconfigured && !a->is_root)
            ck_assert_msg(strncmp(a->path, "health/", 7) == 0, "%s", a->path);
        if (a->auth == GG_AUTH_ADMIN || a->auth == GG_AUTH_ADMIN_OR || a->is_root)
            ck_assert_msg(a->is_main_only, "%s", a->path);
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(table[k].path, a->path) != 0 || table[k].method != a->method,
                          "twice: %s", a->path);
    }
}
END_TEST

START_TEST(paths_that_are_not_there)
{
    static const char *const paths[] = {"/",
                                        "",
                                        "/api",
                                        "/api/v1",
                                        "/api/v1/",
                                        "/api/v1x/auth/microsoft",
                                        "/api/v1/nothing",
                                        "/api/v1/auth",
                                        "/api/v1/auth/microsoftx",
                                        "/api/v1/auth/microsoft/user/x",
                                        "/api/v1/beta/health/microsoft",
                                        "/api/v1//auth/microsoft",
                                        "/api/v1/beta",
                                        "/API/V1/auth/microsoft",
                                        "/api/v1/integration/microsoft/calendar/events/a/b",
                                        "/x/../api/v1/health/microsoft"};

    set_up();
    for (size_t i = 0; i < COUNT(paths); i++)
        check_status(serve("GET", paths[i], "X", "y"), 404, "not_found");
    tear_down();
}
END_TEST

START_TEST(methods_that_are_not_there)
{
    static const struct {
        const char *method;
        const char *path;
        const char *allow;
    } cases[] = {
        {"POST", "/api/v1/health/microsoft", "GET, HEAD"},
        {"OPTIONS", "/api/v1/auth/microsoft/", "GET, HEAD"},
        {"GET", "/api/v1/beta/auth/refresh", "POST"},
        {"DELETE", "/api/v1/integration/microsoft/calendar/events", "GET, HEAD, POST"},
        {"POST", "/api/v1/beta/integration/microsoft/calendar/events/x",
         "GET, HEAD, PUT, PATCH, DELETE"},
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *answer = serve(cases[i].method, cases[i].path, "X", "y");
        check_status(answer, 405, "method_not_allowed");
        ck_assert_msg(strstr(answer, gg_arena_printf(arena, "\r\nAllow: %s\r\n", cases[i].allow)) !=
                          NULL,
                      "%s", answer);
    }
    tear_down();
}
END_TEST

/* Every route that needs a caller refuses one without, in both realms, before it does anything. */
/* promise: attack/isolation: Every endpoint of the route table with every wrong principal: refused,
 * nothing shown, nothing changed */
START_TEST(no_way_in_without_a_token)
{
    size_t count;
    const struct gg_route *table = gg_route_table(&count);

    set_up();
    for (size_t i = 0; i < count; i++)
        for (int realm = 0; realm < GG_REALMS; realm++) {
            if (table[i].auth != GG_AUTH_CALLER && table[i].auth != GG_AUTH_ADMIN)
                continue;
            if (table[i].is_main_only && realm != GG_REALM_MAIN)
                continue;
            const char *uri = gg_arena_printf(
                arena, "%s/%s", gg_realm((enum gg_realm_id)realm)->prefix, table[i].path);
            const char *answer = serve(gg_method_name(table[i].method), uri, "X", "y");
            check_status(answer, 401, "invalid_token");
            ck_assert_ptr_nonnull(strstr(answer, "WWW-Authenticate: Bearer\r\n"));
            check_status(
                serve(gg_method_name(table[i].method), uri, "HTTP_AUTHORIZATION", "Bearer x"), 401,
                "invalid_token");
        }
    tear_down();
}
END_TEST

START_TEST(not_configured)
{
    set_up();
    ctx.is_configured = false;
    check_status(serve("GET", "/api/v1/auth/microsoft/user", "X", "y"), 503, "not_configured");
    check_status(serve("GET", "/api/v1/auth/microsoft", "X", "y"), 503, "not_configured");
    const char *health = serve("GET", "/api/v1/health/microsoft", "X", "y");
    ck_assert_ptr_nonnull(strstr(health, "\"status\":\"unhealthy\""));
    ck_assert_ptr_nonnull(strstr(health, "\"configured\":false"));
    tear_down();
}
END_TEST

/* The scraper's token opens /metrics and nothing else; whoever has none sees that it is guarded. */
/* mutant: src/web/guard.c: gg_secret_is_set(expected) && => true && */
START_TEST(metrics_are_for_the_scraper)
{
    static const char uri[] = "/metrics";
    static const char good[] = "Bearer scraper";

    set_up();
    check_status(serve("GET", uri, "X", "y"), 401, "invalid_token");
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", "Bearer "), 401, "invalid_token");
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", good), 401, "invalid_token");
    conf.metrics_token = gg_secret_of(GG_STR("scraper"));
    /* No page is open here: that it is said shows who was let in. */
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", good), 503, "not_configured");
    check_status(serve("GET", "/metrics/", "HTTP_AUTHORIZATION", good), 503, "not_configured");
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", "Bearer scrape"), 401, "invalid_token");
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", "Basic scraper"), 401, "invalid_token");
    check_status(serve("GET", "/api/v1/health/microsoft/tokens", "HTTP_AUTHORIZATION", good), 401,
                 "invalid_token");
    check_status(serve("POST", uri, "HTTP_AUTHORIZATION", good), 405, "method_not_allowed");
    check_status(serve("GET", "/api/v1/metrics", "HTTP_AUTHORIZATION", good), 404, "not_found");
    conf.metrics_file = "off";
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", good), 404, "not_found");
    ctx.is_configured = false;
    check_status(serve("GET", uri, "HTTP_AUTHORIZATION", good), 404, "not_found");
    check_status(serve("GET", uri, "X", "y"), 503, "not_configured");
    tear_down();
}
END_TEST

START_TEST(head_has_no_body)
{
    set_up();
    const char *answer = serve("HEAD", "/api/v1/nothing", "HTTP_X_REQUEST_ID", "mine-1");
    ck_assert_ptr_eq(strstr(answer, "Status: 404\r\n"), answer);
    ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, "\r\nX-Request-ID: mine-1\r\n"));
    tear_down();
}
END_TEST

GG_UNIT_MAIN("web/route", the_table, paths_that_are_not_there, methods_that_are_not_there,
             no_way_in_without_a_token, not_configured, metrics_are_for_the_scraper,
             head_has_no_body)
