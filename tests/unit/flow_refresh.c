/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/refresh.h"

#include <string.h>

#define TOKENS(at) \
    "{\"access_token\":\"" at "\",\"expires_in\":3600,\"refresh_token\":\"refresh-2\"}"

static struct stand_in s;
static struct gg_access access_;

static bool get(struct gg_token_key key)
{
    access_ = (struct gg_access){0};
    s.err = (struct gg_err){.code = GG_OK};
    return gg_refresh_get(&s.call, key, &access_, &s.err);
}

static void check_token(const char *want)
{
    ck_assert_gg_str(gg_secret_reveal(access_.token), want);
}

static const char *state(void)
{
    return database_cell(s.ctx.db, s.arena,
                         "SELECT CONCAT(is_active, ' ', COALESCE(refresh_failure, '-'), ' ',"
                         " refresh_lease IS NULL) FROM microsoft_oauth_tokens");
}

START_TEST(fresh_ones_cost_no_call)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", GG_REFRESH_BEFORE_S + 20);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){{.body = TOKENS("new")}}));
    ck_assert(get(key));
    check_token("old");
    ck_assert_int_eq(loopback_requests(s.microsoft), 0);
    key.subject = GG_STR("8");
    ck_assert(!get(key));
    ck_assert_int_eq(s.err.code, GG_EAUTHREQUIRED);
    stand_in_close(&s);
}
END_TEST

START_TEST(ending_ones_are_refreshed)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", GG_REFRESH_BEFORE_S - 20);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){{.body = TOKENS("new")}}));
    ck_assert_msg(get(key), "%s", s.err.log);
    check_token("new");
    const char *text = loopback_request(s.microsoft, 0);
    ck_assert_ptr_eq(strstr(text, "POST /"
                                  "11111111-2222-3333-4444-555555555555"
                                  "/oauth2/v2.0/token "),
                     text);
    ck_assert_ptr_nonnull(strstr(text,
                                 "client_id=client&client_secret=client-secret&"
                                 "grant_type=refresh_token&refresh_token=refresh-1&scope=openid"));
    ck_assert(get(key));
    check_token("new");
    ck_assert_int_eq(loopback_requests(s.microsoft), 1);
    ck_assert_str_eq(state(), "1 - 1");
    stand_in_close(&s);
}
END_TEST

/* What each kind of refusal does to the row, to a token that still is valid, and to one that is
 * not. */
START_TEST(refusals)
{
    static const struct {
        int status;
        const char *body;
        bool serves_valid;
        enum gg_code code;
        const char *state;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\"}", false, GG_EAUTHREQUIRED, "0 - 1"},
        {400, "{\"error\":\"interaction_required\"}", false, GG_EAUTHREQUIRED, "0 - 1"},
        {401, "{\"error\":\"invalid_client\"}", true, GG_ECLIENT, "1 microsoft_client_rejected 1"},
        {400, "{\"error\":\"invalid_scope\"}", true, GG_ECLIENT, "1 microsoft_client_rejected 1"},
        {503, "{\"error\":\"invalid_grant\"}", true, GG_ELOGIN, "1 microsoft_unavailable 1"},
        {429, "", true, GG_ELOGIN, "1 microsoft_unavailable 1"},
        {200, "<html>", true, GG_ELOGIN, "1 microsoft_unavailable 1"},
        {400, "{\"error\":\"temporarily_unavailable\"}", true, GG_ELOGIN,
         "1 microsoft_unavailable 1"},
    };

    stand_in_open(&s);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int64_t left_s = -10; left_s <= 100; left_s += 110) {
            struct gg_token_key key = stand_in_connect(&s, "old", left_s);
            const struct loopback_answer rows[] = {
                {.status = cases[i].status, .body = cases[i].body}};
            LOOPBACK_SERVE(s.microsoft, rows);
            bool serves = cases[i].serves_valid && left_s > 0;
            for (int again = 0; again < 2; again++) {
                ck_assert_msg(get(key) == serves, "%d %s", cases[i].status, cases[i].body);
                if (serves)
                    check_token("old");
                else
                    ck_assert_msg(s.err.code == cases[i].code, "%s: %d", cases[i].body, s.err.code);
                ck_assert(serves || cases[i].code == GG_EAUTHREQUIRED ||
                          (s.err.retry_after_s >= 1 && s.err.retry_after_s <= 5));
            }
            /* Microsoft is left alone for a while. */
            ck_assert_int_eq(loopback_requests(s.microsoft), 1);
            ck_assert_str_eq(state(), cases[i].state);
        }
    stand_in_close(&s);
}
END_TEST

START_TEST(a_refused_token_is_replaced)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){{.body = TOKENS("new")}}));
    ck_assert(get(key));
    struct gg_access late = access_;
    ck_assert(gg_refresh_replace(&s.call, key, "{\"a\":1}", &access_, &s.err));
    check_token("new");
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 0), "&claims=%7B%22a%22%3A1%7D"));
    /* Whoever had the old one refused as well takes what is there now. */
    ck_assert(gg_refresh_replace(&s.call, key, NULL, &late, &s.err));
    ck_assert_gg_str(gg_secret_reveal(late.token), "new");
    ck_assert_int_eq(loopback_requests(s.microsoft), 1);
    /* It is not served again, even though its time is not over. */
    key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){{.status = 503}}));
    ck_assert(get(key));
    ck_assert(!gg_refresh_replace(&s.call, key, NULL, &access_, &s.err));
    ck_assert_int_eq(s.err.code, GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

/* A rotation of keys in between makes no other token of the one that was refused. */
/* mutant: src/flow/refresh.c: gg_secret_is_equal(w->refused, token); => false && token.n > 0; */
START_TEST(a_refused_token_under_another_key_is_the_same)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){{.body = TOKENS("new")}}));
    ck_assert(get(key));
    (void)stand_in_connect(&s, "old", 3000);
    ck_assert(gg_refresh_replace(&s.call, key, NULL, &access_, &s.err));
    check_token("new");
    stand_in_close(&s);
}
END_TEST

START_TEST(a_row_that_does_not_open)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", 3000);
    s.ctx.fernet.keys[0][0] = 77;
    ck_assert(!get(key));
    ck_assert_int_eq(s.err.code, GG_EAUTHREQUIRED);
    ck_assert_str_eq(state(), "1 - 1");
    stand_in_close(&s);
}
END_TEST

static int ask(void *arg, int n)
{
    (void)n;
    s.ctx.db = gg_db_open(database_address());
    s.ctx.http = gg_http_open((struct gg_http_options){.connect_timeout_s = 2});
    s.call.deadline = gg_deadline_in(8000);
    const struct gg_token_key *key = arg;
    bool ok = get(*key) && gg_str_is(gg_secret_reveal(access_.token), "new");
    gg_db_close(s.ctx.db);
    gg_http_close(s.ctx.http);
    return ok ? 1 : 0;
}

START_TEST(crowds_cost_one_call)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", -10);
    const struct loopback_answer rows[] = {{.body = TOKENS("new"), .wait_ms = 300}};
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert_int_eq(database_run_processes(8, ask, &key), 8);
    ck_assert_int_eq(loopback_requests(s.microsoft), 1);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/refresh", fresh_ones_cost_no_call, ending_ones_are_refreshed, refusals,
             a_refused_token_is_replaced, a_refused_token_under_another_key_is_the_same,
             a_row_that_does_not_open, crowds_cost_one_call)
