/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/exposition.h"
#include "gg/base/metric.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const routes[] = {"plain", "odd\\\"\n"};

/* All of the text, on a page of its own that is gone again. */
static const char *format(const struct gg_exposition *more, void (*count)(void))
{
    struct gg_arena *a = gg_arena_open();
    char path[] = "/tmp/gg-exposition-XXXXXX";
    static char text[200000];
    struct gg_metric_site site = {.path = path, .routes = routes, .route_count = 2};
    struct gg_buf out;
    struct gg_err err;

    ck_assert_ptr_nonnull(mkdtemp(path));
    char file[64];
    (void)snprintf(file, sizeof file, "%s/p", path);
    site.path = file;
    ck_assert(gg_metric_open(&site, &err));
    count();
    gg_buf_init(&out, a, sizeof text);
    gg_exposition_format(&out, more);
    ck_assert(!gg_buf_is_full(&out));
    (void)snprintf(text, sizeof text, "%.*s", GG_STR_ARG(gg_buf_str(&out)));
    gg_metric_close();
    ck_assert_int_eq(system(gg_arena_printf(a, "rm -r %s", path)), 0);
    gg_arena_close(a);
    return text;
}

static const struct gg_exposition plain = {.version = "1.2"};

static void count_nothing(void)
{
}

static void check_line(const char *text, const char *line)
{
    char whole[512];

    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    ck_assert_msg(strstr(text, whole) != NULL, "%s is not in\n%s", line, text);
}

/* What may alarm somebody is there from the start: its first event is an increase. */
START_TEST(an_empty_page)
{
    const char *text = format(&plain, count_nothing);

    check_line(text, "graphgate_token_refreshes_total{result=\"failed\",class=\"operator\"} 0");
    check_line(text, "graphgate_audit_failures_total 0");
    check_line(text, "graphgate_authentications_total{flow=\"sign_in\",result=\"ok\"} 0");
    check_line(text, "graphgate_workers{state=\"busy\"} 0");
    check_line(text, "graphgate_build_info{version=\"1.2\"} 1");
    check_line(text, "# TYPE graphgate_http_request_duration_seconds histogram");
    check_line(text, "# TYPE graphgate_bad_jwts_total counter");
    ck_assert_ptr_null(strstr(text, "graphgate_http_requests_total{"));
    ck_assert_ptr_null(strstr(text, "_bucket"));
    ck_assert_ptr_null(strstr(text, "expires"));
    ck_assert_ptr_eq(strstr(text, "# HELP "), text);
    ck_assert_str_eq(text + strlen(text) - 4, "} 1\n");
}
END_TEST

static void count_some(void)
{
    gg_metric_count(GG_METRIC_HTTP_REQUESTS, 1, GG_M_HEAD, gg_metric_status(404));
    gg_metric_count(GG_METRIC_HTTP_REQUESTS, 2, GG_M_METHOD_OTHER, gg_metric_status(299));
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, 700);
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, 30000000);
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, 2500);
    gg_metric_join();
}

START_TEST(what_was_counted)
{
    const char *text = format(&plain, count_some);

    check_line(text,
               "graphgate_http_requests_total{route=\"plain\",method=\"HEAD\",status=\"404\"} "
               "1");
    check_line(text, "graphgate_http_requests_total{route=\"odd\\\\\\\"\\n\",method=\"other\","
                     "status=\"other\"} 1");
    check_line(text, "graphgate_db_call_duration_seconds_bucket{le=\"0.0005\"} 0");
    check_line(text, "graphgate_db_call_duration_seconds_bucket{le=\"0.001\"} 1");
    check_line(text, "graphgate_db_call_duration_seconds_bucket{le=\"0.0025\"} 2");
    check_line(text, "graphgate_db_call_duration_seconds_bucket{le=\"25\"} 2");
    check_line(text, "graphgate_db_call_duration_seconds_bucket{le=\"+Inf\"} 3");
    check_line(text, "graphgate_db_call_duration_seconds_sum 30.003200");
    check_line(text, "graphgate_db_call_duration_seconds_count 3");
    check_line(text, "graphgate_workers{state=\"idle\"} 1");
}
END_TEST

START_TEST(the_secret_of_the_client_ends)
{
    const struct gg_exposition more = {.version = "1\"", .client_secret_expires_s = 1900000000};
    const char *text = format(&more, count_nothing);

    check_line(text, "graphgate_client_secret_expires_timestamp_seconds 1900000000");
    check_line(text, "graphgate_build_info{version=\"1\\\"\"} 1");
}
END_TEST

GG_UNIT_MAIN("base/exposition", an_empty_page, what_was_counted, the_secret_of_the_client_ends)
