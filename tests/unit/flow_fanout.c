/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/fanout.h"

#include <string.h>

#define JOBS 7

static struct stand_in s;
static struct gg_token_key key;
static struct gg_fanout_job jobs[JOBS];

static int taken;

/* Each once, with its answer. */
static void take(void *arg, struct gg_fanout_job *job)
{
    ck_assert_ptr_eq(arg, &taken);
    ck_assert(job->err.code != GG_OK || job->body.p != NULL);
    taken++;
}

/* Calls of /v1.0/0, /v1.0/1, … in a request that has just begun. */
static enum gg_code run(size_t n)
{
    struct gg_access access = {0};
    const struct gg_fanout fanout = {.jobs = jobs, .count = n, .take = take, .arg = &taken};

    s.call = (struct gg_call){.ctx = &s.ctx, .arena = s.arena, .deadline = gg_deadline_in(10000)};
    s.err = (struct gg_err){.code = GG_OK};
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct gg_fanout_job){
            .request = {.key = key,
                        .operation = GG_M_LIST_EVENTS,
                        .method = "GET",
                        .url = gg_graph_url(&s.call, gg_arena_printf(s.arena, "/%zu", i))}};
    taken = 0;
    return gg_fanout_run(&s.call, &fanout, &access, &s.err) ? GG_OK : s.err.code;
}

static void set_up(void)
{
    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
}

START_TEST(each_has_its_answer)
{
    static const struct loopback_answer rows[] = {
        {.match = "/v1.0/2 ",
         .status = 404,
         .body = "{\"error\":{\"code\":\"ErrorItemNotFound\"}}"},
        {.match = "/v1.0/4 ", .headers = "Content-Type: text/html\r\n", .body = "<html>"},
        {.match = "/v1.0/5 ", .body = "{\"five\":5}"},
        {.match = "Bearer token", .body = "{}"},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_int_eq(run(0), GG_OK);
    ck_assert_int_eq(loopback_requests(s.microsoft), 0);
    ck_assert_int_eq(run(JOBS), GG_OK);
    ck_assert_int_eq(taken, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        enum gg_code wanted = i == 2 ? GG_ENOTFOUND : i == 4 ? GG_EGRAPH : GG_OK;
        ck_assert_int_eq(jobs[i].err.code, wanted);
        ck_assert(wanted != GG_OK || jobs[i].body.n >= 2);
    }
    ck_assert_str_eq(jobs[2].err.microsoft_code, "ErrorItemNotFound");
    ck_assert_gg_str(jobs[5].body, "{\"five\":5}");
    ck_assert_int_eq(loopback_requests(s.microsoft), JOBS);
    ck_assert_int_eq(s.call.token_uses, JOBS);
    stand_in_close(&s);
}
END_TEST

START_TEST(one_refresh_for_all)
{
    static const struct loopback_answer well[] = {
        {.match = "/oauth2/v2.0/token", .body = "{\"access_token\":\"new\",\"expires_in\":3600}"},
        {.match = "Bearer new", .body = "{}"},
        {.status = 401, .headers = "WWW-Authenticate: Bearer claims=\"eyJhIjoxfQ==\"\r\n"},
    };
    static const struct loopback_answer never[] = {
        {.match = "/oauth2/v2.0/token", .body = "{\"access_token\":\"new\",\"expires_in\":3600}"},
        {.match = "/v1.0/3 ",
         .status = 401,
         .headers = "WWW-Authenticate: Bearer claims=\"eyJhIjoxfQ==\"\r\n"},
        {.body = "{}"},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, well);
    ck_assert_int_eq(run(JOBS), GG_OK);
    ck_assert_int_eq(loopback_given(s.microsoft, 0), 1);
    ck_assert_int_eq(loopback_given(s.microsoft, 1), JOBS);
    /* Nothing is sent with a token that has been refused. */
    ck_assert_int_le(loopback_given(s.microsoft, 2), GG_HTTP_AT_ONCE);
    key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, never);
    ck_assert_int_eq(run(JOBS), GG_EAUTHREQUIRED);
    ck_assert_str_eq(s.err.claims, "{\"a\":1}");
    ck_assert_int_eq(loopback_given(s.microsoft, 0), 1);
    ck_assert_int_eq(loopback_given(s.microsoft, 1), 2);
    /* Whatever was under way then is nobody's any more. */
    ck_assert_ptr_null(gg_http_next(s.ctx.http, 100));
    stand_in_close(&s);
}
END_TEST

START_TEST(throttling_is_the_mailboxes)
{
    static const struct loopback_answer brief[] = {
        {.match = "/v1.0/0 ", .times = 1, .status = 429, .headers = "Retry-After: 1\r\n"},
        {.body = "{}"},
    };
    static const struct loopback_answer long_one[] = {
        {.match = "/v1.0/0 ", .status = 429, .headers = "Retry-After: 77\r\n"},
        {.body = "{}", .wait_ms = 200},
    };

    set_up();
    LOOPBACK_SERVE(s.microsoft, brief);
    int64_t start_ms = gg_clock_mono_ms();
    ck_assert_int_eq(run(JOBS), GG_OK);
    ck_assert_int_ge(gg_clock_mono_ms() - start_ms, 1000);
    ck_assert_int_eq(loopback_requests(s.microsoft), JOBS + 1);
    for (size_t i = 0; i < JOBS; i++)
        ck_assert_int_eq(jobs[i].err.code, GG_OK);
    LOOPBACK_SERVE(s.microsoft, long_one);
    ck_assert_int_eq(run(JOBS), GG_OK);
    ck_assert_int_eq(loopback_requests(s.microsoft), GG_HTTP_AT_ONCE);
    for (size_t i = 0; i < JOBS; i++) {
        bool is_held = i == 0 || i >= GG_HTTP_AT_ONCE;
        ck_assert_int_eq(jobs[i].err.code, is_held ? GG_ETHROTTLED : GG_OK);
        ck_assert_int_eq(jobs[i].err.retry_after_s, is_held ? 77 : 0);
    }
    stand_in_close(&s);
}
END_TEST

/* What one request may try again, all of its calls may together. */
START_TEST(one_budget)
{
    static const struct loopback_answer rows[] = {{.status = 503, .body = "{}"}};
    static const struct loopback_answer passing[] = {{.times = 2, .status = 502, .body = "{}"},
                                                     {.body = "{}"}};

    set_up();
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_int_eq(run(JOBS), GG_OK);
    ck_assert_int_eq(loopback_requests(s.microsoft), JOBS + 2);
    for (size_t i = 0; i < JOBS; i++)
        ck_assert_int_eq(jobs[i].err.code, GG_EGRAPH);
    LOOPBACK_SERVE(s.microsoft, passing);
    ck_assert_int_eq(run(JOBS), GG_OK);
    for (size_t i = 0; i < JOBS; i++)
        ck_assert_int_eq(jobs[i].err.code, GG_OK);
    stand_in_close(&s);
}
END_TEST

START_TEST(time_runs_out)
{
    static const struct loopback_answer rows[] = {
        {.match = "/v1.0/1 ", .body = "{}", .wait_ms = 9000}, {.body = "{}"}};

    set_up();
    s.conf.graph_timeout_s = 1;
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_int_eq(run(3), GG_OK);
    ck_assert_int_eq(jobs[0].err.code, GG_OK);
    ck_assert_int_eq(jobs[1].err.code, GG_ETIMEOUT);
    ck_assert_int_eq(jobs[2].err.code, GG_OK);
    loopback_stop(s.microsoft);
    ck_assert_int_eq(run(2), GG_OK);
    ck_assert_int_eq(jobs[0].err.code, GG_EGRAPH);
    ck_assert_int_eq(jobs[1].err.code, GG_EGRAPH);
    stand_in_close(&s);
}
END_TEST

START_TEST(nobody_connected)
{
    set_up();
    key.subject = GG_STR("8");
    ck_assert_int_eq(run(2), GG_EAUTHREQUIRED);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/fanout", each_has_its_answer, one_refresh_for_all, throttling_is_the_mailboxes,
             one_budget, time_runs_out, nobody_connected)
