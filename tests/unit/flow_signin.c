/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/signin.h"

#include <string.h>

static struct stand_in s;

static enum gg_code start(struct gg_signin *in)
{
    in->realm = gg_realm(GG_REALM_MAIN);
    s.err = (struct gg_err){.code = GG_OK};
    return gg_signin_start(&s.call, in, &s.err) ? GG_OK : s.err.code;
}

START_TEST(requests)
{
    struct gg_signin in = {.subject = GG_STR("7"), .return_to = GG_STR("https://a.example/x")};

    stand_in_open(&s);
    ck_assert_int_eq(start(&in), GG_OK);
    const char *head = gg_arena_printf(s.arena, "%s/%s/oauth2/v2.0/authorize?client_id=client&",
                                       s.conf.login_url, s.conf.tenant);
    ck_assert_ptr_eq(strstr(in.auth_url, head), in.auth_url);
    ck_assert_ptr_nonnull(strstr(in.auth_url, "&code_challenge_method=S256"));
    ck_assert_uint_eq(in.cookie.n, 43);
    ck_assert_ptr_null(strstr(in.auth_url, gg_secret_reveal(in.cookie).p));
    ck_assert_str_eq(database_cell(s.ctx.db, s.arena,
                                   "SELECT CONCAT(realm, subject, return_to) FROM login_states"),
                     "main7https://a.example/x");
    stand_in_close(&s);
}
END_TEST

/* A second tab goes on with the first one's cookie; what is no cookie of ours is not taken up. */
START_TEST(cookies)
{
    struct gg_signin first = {0};

    stand_in_open(&s);
    ck_assert_int_eq(start(&first), GG_OK);
    struct gg_signin second = {.browser = first.cookie};
    ck_assert_int_eq(start(&second), GG_OK);
    ck_assert(gg_secret_is_equal(first.cookie, second.cookie));
    ck_assert_str_ne(first.auth_url, second.auth_url);
    static const char *const bad[] = {"", "x", "<script>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < 4; i++) {
        struct gg_signin in = {.browser = gg_secret_of(gg_str_of(bad[i]))};
        ck_assert_int_eq(start(&in), GG_OK);
        ck_assert(!gg_secret_is_equal(in.cookie, in.browser) && in.cookie.n == 43);
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(rules)
{
    struct gg_signin sign_in = {0};
    struct gg_signin connect = {.subject = GG_STR("7")};
    struct gg_signin astray = {.return_to = GG_STR("https://evil.example/")};

    stand_in_open(&s);
    s.conf.sign_in = GG_SIGN_IN_OFF;
    ck_assert_int_eq(start(&sign_in), GG_EINVALIDTOKEN);
    ck_assert_int_eq(start(&connect), GG_OK);
    s.conf.sign_in = GG_SIGN_IN_EXISTING;
    ck_assert_int_eq(start(&sign_in), GG_OK);
    ck_assert_int_eq(start(&astray), GG_EINVALID);
    ck_assert_str_eq(s.err.faults->field, "return_to");
    s.conf.allowed_return_urls = NULL;
    astray.return_to = GG_STR("https://a.example/");
    ck_assert_int_eq(start(&astray), GG_EINVALID);
    ck_assert_str_eq(database_cell(s.ctx.db, s.arena, "SELECT COUNT(*) FROM login_states"), "2");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/signin", requests, cookies, rules)
