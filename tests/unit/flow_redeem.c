/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/redeem.h"

#include <string.h>

static struct stand_in s;
static struct gg_tokens tokens;
static struct gg_oauth_refusal refusal;
static int64_t patience_ms = 5000; /* of all calls together */

static bool redeem(void)
{
    const struct gg_grant grant = {
        .refresh_token = {"r&t", 3}, .timeout_s = 1, .deadline = gg_deadline_in(patience_ms)};

    s.err = (struct gg_err){.code = GG_OK};
    return gg_redeem(&s.call, &grant, &tokens, &refusal, &s.err);
}

START_TEST(answers)
{
    static const struct loopback_answer well[] = {
        {.body = "{\"access_token\":\"AT\",\"expires_in\":60}"}};
    static const struct loopback_answer refused[] = {
        {.status = 400,
         .headers = "Retry-After: 4\r\n",
         .body = "{\"error\":\"invalid_grant\",\"error_codes\":[70008],"
                 "\"error_description\":\"TELLTALE\"}"}};
    static const struct loopback_answer slow[] = {{.body = "{}", .wait_ms = 2500}};

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, well);
    ck_assert(redeem());
    ck_assert_gg_str(gg_secret_reveal(tokens.access_token), "AT");
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 0), "&refresh_token=r%26t&"));
    LOOPBACK_SERVE(s.microsoft, refused);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PERMANENT);
    ck_assert_str_eq(s.err.microsoft_code, "invalid_grant");
    ck_assert_int_eq(refusal.retry_after_s, 4);
    ck_assert_ptr_nonnull(strstr(s.err.log, "70008"));
    ck_assert_str_eq(s.err.why, "code or refresh token too old or not used for too long");
    ck_assert_ptr_null(strstr(s.err.log, "TELLTALE"));
    LOOPBACK_SERVE(s.microsoft, slow);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    loopback_stop(s.microsoft);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    stand_in_close(&s);
}
END_TEST

#define ONCE(code, text) \
    { \
        .times = 1, .status = (code), .body = (text) \
    }
#define WELL    ONCE(200, "{\"access_token\":\"AT\",\"expires_in\":60}")
#define REFUSED ONCE(401, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}")
#define SPENT   ONCE(400, "{\"error\":\"invalid_grant\"}")
#define BUSY    ONCE(503, "{\"error\":\"invalid_client\"}")

/* How often Microsoft was asked, and with which secret the last time. */
static void check_calls(int count, const char *secret)
{
    ck_assert_int_eq(loopback_requests(s.microsoft), count);
    const char *form = loopback_request(s.microsoft, count - 1);
    ck_assert_msg(strstr(form, gg_arena_printf(s.arena, "&client_secret=%s&", secret)) != NULL,
                  "%s", form);
}

/* mutant: src/flow/redeem.c: gg_secret_is_set(conf->client_secret_next) && => false && */
START_TEST(a_second_secret)
{
    stand_in_open(&s);
    s.conf.client_secret_next = (struct gg_secret){"next-secret", 11};
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){REFUSED, WELL, WELL}));
    ck_assert(redeem());
    check_calls(2, "next-secret");
    /* The worker has learnt it. */
    ck_assert(redeem());
    check_calls(3, "next-secret");
    /* Until that one is refused. */
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){REFUSED, SPENT, WELL}));
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PERMANENT);
    check_calls(2, "client-secret");
    ck_assert(redeem());
    check_calls(3, "client-secret");
    stand_in_close(&s);
}
END_TEST

/* Nothing is learnt of two refusals, nor of a server that is busy; two calls are the most. */
START_TEST(a_second_secret_that_does_not_help)
{
    stand_in_open(&s);
    s.conf.client_secret_next = (struct gg_secret){"next-secret", 11};
    LOOPBACK_SERVE(s.microsoft,
                   ((struct loopback_answer[]){REFUSED, REFUSED, REFUSED, BUSY, WELL}));
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_OPERATOR);
    ck_assert_str_eq(s.err.microsoft_code, "invalid_client");
    check_calls(2, "next-secret");
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    check_calls(4, "next-secret");
    ck_assert(redeem());
    check_calls(5, "client-secret");
    stand_in_close(&s);
}
END_TEST

/* Other refusals, and the same secret twice, cost one call. */
START_TEST(no_second_call)
{
    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){REFUSED, BUSY, SPENT, REFUSED}));
    ck_assert(!redeem());
    check_calls(1, "client-secret");
    s.conf.client_secret_next = (struct gg_secret){"next-secret", 11};
    ck_assert(!redeem());
    check_calls(2, "client-secret");
    ck_assert(!redeem());
    check_calls(3, "client-secret");
    s.conf.client_secret_next = s.conf.client_secret;
    ck_assert(!redeem());
    check_calls(4, "client-secret");
    stand_in_close(&s);
}
END_TEST

/* Both calls end by one deadline; a second one that cannot come to anything is not made. */
START_TEST(one_deadline_for_both)
{
    static const struct loopback_answer slow[] = {
        {.times = 1, .status = 401, .body = "{\"error\":\"invalid_client\"}", .wait_ms = 600},
        {.body = "{\"access_token\":\"AT\",\"expires_in\":60}", .wait_ms = 8000}};

    stand_in_open(&s);
    s.conf.client_secret_next = (struct gg_secret){"next-secret", 11};
    LOOPBACK_SERVE(s.microsoft, slow);
    patience_ms = 1400;
    int64_t from_ms = gg_clock_mono_ms();
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    ck_assert_int_lt(gg_clock_mono_ms() - from_ms, 6000);
    check_calls(2, "next-secret");
    LOOPBACK_SERVE(s.microsoft, slow);
    patience_ms = 900;
    ck_assert(!redeem());
    check_calls(1, "client-secret");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/redeem", one_deadline_for_both, answers, a_second_secret,
             a_second_secret_that_does_not_help, no_second_call)
