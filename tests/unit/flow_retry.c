/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/flow/retry.h"

static struct gg_ctx ctx;
static struct gg_call call;

/* A request that has just begun, in a worker that has made no retry yet. */
static void begin(int64_t left_ms)
{
    ctx = (struct gg_ctx){.retry_debt = 0};
    call = (struct gg_call){.ctx = &ctx, .deadline = gg_deadline_in(left_ms)};
}

static struct gg_http_response answer(int status, const char *retry_after)
{
    return (struct gg_http_response){
        .end = GG_HTTP_WHOLE, .status = status, .retry_after = gg_str_of(retry_after)};
}

/* promise: faults/microsoft: Only what may pass, and cannot be done twice, is asked again */
START_TEST(what_is_worth_it)
{
    static const struct {
        enum gg_http_end end;
        int status;
        bool again[3]; /* by kind: read, repeatable, once */
    } cases[] = {
        {GG_HTTP_UNSENT, 0, {true, true, true}},     {GG_HTTP_LOST, 0, {true, true, false}},
        {GG_HTTP_LATE, 0, {false, false, false}},    {GG_HTTP_BAD, 0, {false, false, false}},
        {GG_HTTP_WHOLE, 429, {true, true, true}},    {GG_HTTP_WHOLE, 503, {true, true, true}},
        {GG_HTTP_WHOLE, 502, {true, true, false}},   {GG_HTTP_WHOLE, 504, {true, true, false}},
        {GG_HTTP_WHOLE, 500, {true, false, false}},  {GG_HTTP_WHOLE, 200, {false, false, false}},
        {GG_HTTP_WHOLE, 302, {false, false, false}}, {GG_HTTP_WHOLE, 400, {false, false, false}},
        {GG_HTTP_WHOLE, 401, {false, false, false}}, {GG_HTTP_WHOLE, 403, {false, false, false}},
        {GG_HTTP_WHOLE, 404, {false, false, false}}, {GG_HTTP_WHOLE, 409, {false, false, false}},
        {GG_HTTP_WHOLE, 412, {false, false, false}}, {GG_HTTP_WHOLE, 501, {false, false, false}},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        for (int kind = 0; kind < 3; kind++) {
            struct gg_http_response r = {.end = cases[i].end, .status = cases[i].status};
            begin(60000);
            bool again = gg_retry_wait(&call, (enum gg_retry_kind)kind, &r);
            ck_assert_msg(again == cases[i].again[kind], "%zu %d", i, kind);
            ck_assert_int_eq(call.retries, again);
        }
}
END_TEST

/* promise: faults/microsoft: Retries: at most two a request, and a tenth of a worker's calls */
/* mutant: src/flow/retry.c: #define RETRIES_MAX  2 => #define RETRIES_MAX  3 */
START_TEST(two_in_a_request)
{
    struct gg_http_response r = answer(503, NULL);

    begin(60000);
    ck_assert(gg_retry_wait(&call, GG_RETRY_READ, &r));
    ck_assert(gg_retry_wait(&call, GG_RETRY_READ, &r));
    ck_assert(!gg_retry_wait(&call, GG_RETRY_READ, &r));
}
END_TEST

/* promise: faults/microsoft: Retries: at most two a request, and a tenth of a worker's calls */
/* mutant: src/flow/retry.c: c->ctx->retry_debt += COST; => c->ctx->retry_debt += 0; */
START_TEST(a_tenth_of_a_workers_calls)
{
    struct gg_http_response r = answer(503, "0");
    int retries = 0;

    begin(60000);
    for (int i = 0; i < 100; i++) {
        call.retries = 0;
        call.paused_ms = 0;
        gg_retry_earn(&call);
        retries += gg_retry_wait(&call, GG_RETRY_READ, &r);
    }
    /* Ten at once, then one for each ten calls. */
    ck_assert_int_ge(retries, 19);
    ck_assert_int_le(retries, 20);
}
END_TEST

/* promise: faults/microsoft: No retry comes before the Retry-After that Microsoft gave */
/* mutant: src/flow/retry.c: asked_s * 1000 => asked_s * 1 */
START_TEST(retry_after_is_a_least_wait)
{
    struct gg_http_response dated = answer(429, "Mon, 02 Mar 2026 13:00:01 GMT");
    struct gg_http_response r = answer(429, "1");

    for (int i = 0; i < 2; i++) {
        begin(60000);
        int64_t start_ms = gg_clock_mono_ms();
        ck_assert(gg_retry_wait(&call, GG_RETRY_ONCE, i == 0 ? &r : &dated));
        ck_assert_int_ge(gg_clock_mono_ms() - start_ms, 1000);
        ck_assert_int_ge(call.paused_ms, 1000);
        ck_assert_int_le(call.paused_ms, 1200);
        /* Counted from the answer's own clock, whatever ours shows. */
        dated.date = GG_STR("Mon, 02 Mar 2026 13:00:00 GMT");
        ck_assert_int_eq(gg_retry_asked_s(&dated), 1);
    }
}
END_TEST

/* promise: faults/microsoft: A wait of over 2 s, or past the deadline, is left to the client */
/* mutant: src/flow/retry.c: pause_ms + REST_MS_MIN => 0 */
START_TEST(long_waits_are_the_clients)
{
    static const char *const long_ones[] = {"2147483648", "120", "3",
                                            "Fri, 31 Dec 9999 23:59:59 GMT"};
    struct gg_http_response r = answer(503, NULL);

    for (size_t i = 0; i < COUNT(long_ones); i++) {
        r = answer(429, long_ones[i]);
        begin(60000);
        ck_assert(!gg_retry_wait(&call, GG_RETRY_READ, &r));
        ck_assert_int_eq(ctx.retry_debt, 0);
    }
    /* Together they are at most two seconds as well. */
    r = answer(503, "1");
    begin(60000);
    ck_assert(gg_retry_wait(&call, GG_RETRY_READ, &r));
    call.paused_ms = 1500;
    ck_assert(!gg_retry_wait(&call, GG_RETRY_READ, &r));
    r = answer(503, NULL);
    begin(900);
    ck_assert(!gg_retry_wait(&call, GG_RETRY_READ, &r));
    r = answer(503, "1");
    begin(1900);
    ck_assert(!gg_retry_wait(&call, GG_RETRY_READ, &r));
}
END_TEST

/* promise: faults/microsoft: The pauses before retries are random: workers spread out */
/* mutant: src/flow/retry.c: (STEP_MS << c->retries) + 1 => 1 */
START_TEST(jitter_differs)
{
    struct gg_http_response r = answer(503, NULL);
    int64_t least_ms = INT64_MAX;
    int64_t most_ms = -1;

    for (int i = 0; i < 12; i++) {
        begin(60000);
        ck_assert(gg_retry_wait(&call, GG_RETRY_READ, &r));
        least_ms = call.paused_ms < least_ms ? call.paused_ms : least_ms;
        most_ms = call.paused_ms > most_ms ? call.paused_ms : most_ms;
    }
    ck_assert_int_ge(least_ms, 0);
    ck_assert_int_le(most_ms, 200);
    /* Twelve of 201 values within five of each other: once in 10^16 runs. */
    ck_assert_int_gt(most_ms, least_ms + 5);
}
END_TEST

/* What is waited for anyhow counts once; a plan does not wait. */
START_TEST(pauses_beside_one_another)
{
    struct gg_http_response r = answer(429, "1");
    int64_t pause_ms = 0;
    int64_t start_ms = gg_clock_mono_ms();

    begin(60000);
    ck_assert(gg_retry_plan(&call, GG_RETRY_READ, &r, 0, &pause_ms));
    ck_assert(pause_ms >= 1000 && call.paused_ms == pause_ms);
    ck_assert(gg_retry_plan(&call, GG_RETRY_READ, &r, pause_ms, &pause_ms));
    ck_assert_int_lt(call.paused_ms, 2000);
    ck_assert(!gg_retry_plan(&call, GG_RETRY_READ, &r, 2000, &pause_ms));
    ck_assert_int_lt(gg_clock_mono_ms() - start_ms, 900);
    begin(60000);
    ck_assert(gg_retry_bear(&call, 1500, 0) && gg_retry_bear(&call, 1900, 1500));
    ck_assert_int_eq(call.paused_ms, 1900);
    ck_assert(gg_retry_bear(&call, 100, 400) && !gg_retry_bear(&call, 500, 0));
    ck_assert_int_eq(call.paused_ms, 1900);
    begin(900);
    ck_assert(!gg_retry_bear(&call, 0, 0));
}
END_TEST

GG_UNIT_MAIN("flow/retry", what_is_worth_it, two_in_a_request, a_tenth_of_a_workers_calls,
             retry_after_is_a_least_wait, long_waits_are_the_clients, jitter_differs,
             pauses_beside_one_another)
