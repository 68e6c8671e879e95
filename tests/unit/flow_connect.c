/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "id_token.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/connect.h"
#include "gg/store/login.h"

#include <string.h>

#define TOKENS "{\"access_token\":\"AT\",\"refresh_token\":\"RT\",\"expires_in\":3600"

static struct stand_in s;

/* A flow that began, its answer from Microsoft, and an identity platform that takes the code. */
static struct gg_connect begin(struct gg_str subject, const char *token_body)
{
    static struct loopback_answer rows[3];
    const struct gg_login_key key = {{"state", 5}, {"browser", 7}};
    const struct gg_login login = {.realm = gg_realm(GG_REALM_MAIN),
                                   .subject = subject,
                                   .nonce = {"the-nonce", 9},
                                   .code_verifier = {"verifier", 8},
                                   .return_to = GG_STR("https://a.example/x")};

    database_run(s.ctx.db, "DELETE FROM login_states");
    ck_assert(gg_login_put((struct gg_login_store){s.ctx.db, &s.ctx.fernet}, s.arena, key, &login,
                           &s.err));
    rows[0] = (struct loopback_answer){.match = "openid-configuration",
                                       .body = gg_arena_printf(s.arena,
                                                               "{\"issuer\":\"" ID_TOKEN_ISSUER
                                                               "\",\"jwks_uri\":\"%s/keys\"}",
                                                               loopback_url(s.microsoft))};
    rows[1] = (struct loopback_answer){.match = "GET /keys ",
                                       .body = "{\"keys\":[" ID_TOKEN_JWK("key-1") "]}"};
    rows[2] = (struct loopback_answer){.match = "oauth2/v2.0/token", .body = token_body};
    LOOPBACK_SERVE(s.microsoft, rows);
    return (struct gg_connect){.state = key.state, .code = {"code", 4}, .browser = key.browser};
}

static enum gg_code finish(struct gg_connect *connect)
{
    s.err = (struct gg_err){.code = GG_OK};
    return gg_connect_finish(&s.call, connect, &s.err) ? GG_OK : s.err.code;
}

static const char *count_all(void)
{
    return database_cell(s.ctx.db, s.arena,
                         "SELECT (SELECT COUNT(*) FROM users) + 10 *"
                         " (SELECT COUNT(*) FROM microsoft_oauth_tokens)");
}

#define NOBODY ((struct gg_str){NULL, 0})
#define GOOD   TOKENS ",\"id_token\":\"" ID_TOKEN_GOOD "\"}"

START_TEST(a_sign_in_makes_an_account)
{
    stand_in_open(&s);
    struct gg_connect connect = begin(NOBODY, GOOD);
    ck_assert_msg(finish(&connect) == GG_OK, "%s", s.err.log);
    ck_assert(connect.is_sign_in);
    ck_assert_gg_str(connect.return_to, "https://a.example/x");
    ck_assert_gg_str(connect.account.identity.email, "ann@a.example");
    ck_assert_str_eq(count_all(), "11");
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 0),
                                 "grant_type=authorization_code&code=code&code_verifier=verifier&"
                                 "redirect_uri=https%3A%2F%2Fa.example%2Fcb"));
    /* The state was used up. */
    ck_assert_int_eq(finish(&connect), GG_ESTATE);
    stand_in_close(&s);
}
END_TEST

START_TEST(a_connect_makes_none)
{
    stand_in_open(&s);
    struct gg_connect connect = begin(GG_STR("7"), GOOD);
    ck_assert_int_eq(finish(&connect), GG_OK);
    ck_assert(!connect.is_sign_in);
    ck_assert_gg_str(connect.account.id, "7");
    ck_assert_str_eq(count_all(), "10");
    struct gg_token_key key = {gg_realm(GG_REALM_MAIN), GG_STR("7")};
    ck_assert(gg_connect_drop(&s.call, key, &s.err) && gg_connect_drop(&s.call, key, &s.err));
    ck_assert_str_eq(count_all(), "0");
    stand_in_close(&s);
}
END_TEST

/* Nothing is stored, whatever is wrong. */
START_TEST(failures_store_nothing)
{
    static const struct {
        const char *body;
        enum gg_code code;
    } cases[] = {
        {TOKENS "}", GG_EIDTOKEN},
        {TOKENS ",\"id_token\":\"" ID_TOKEN_OLD "\"}", GG_EIDTOKEN},
        {TOKENS ",\"id_token\":\"x\"}", GG_EIDTOKEN},
        {"{}", GG_ELOGIN},
        {"", GG_ELOGIN},
    };

    stand_in_open(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gg_connect connect = begin(NOBODY, cases[i].body);
        ck_assert_msg(finish(&connect) == cases[i].code, "%s", cases[i].body);
        ck_assert_gg_str(connect.return_to, "https://a.example/x");
        ck_assert_str_eq(count_all(), "0");
    }
    s.conf.sign_in = GG_SIGN_IN_EXISTING;
    struct gg_connect connect = begin(NOBODY, GOOD);
    ck_assert_int_eq(finish(&connect), GG_EACCOUNT);
    ck_assert_str_eq(count_all(), "0");
    stand_in_close(&s);
}
END_TEST

START_TEST(state_comes_first)
{
    stand_in_open(&s);
    for (int i = 0; i < 4; i++) {
        struct gg_connect connect = begin(NOBODY, GOOD);
        struct gg_secret *changed = i % 2 == 0 ? &connect.state : &connect.browser;
        *changed = i < 2 ? (struct gg_secret){NULL, 0} : (struct gg_secret){"other", 5};
        connect.error = GG_STR("access_denied"); /* not even looked at */
        ck_assert_int_eq(finish(&connect), GG_ESTATE);
        ck_assert(connect.realm == NULL && connect.return_to.p == NULL);
        ck_assert_int_eq(loopback_requests(s.microsoft), 0);
    }
    struct gg_connect declined = begin(NOBODY, GOOD);
    declined.error = GG_STR("access_denied");
    ck_assert_int_eq(finish(&declined), GG_EDECLINED);
    struct gg_connect empty = begin(NOBODY, GOOD);
    empty.code = (struct gg_secret){NULL, 0};
    ck_assert_int_eq(finish(&empty), GG_EAUTHFAILED);
    ck_assert_int_eq(loopback_requests(s.microsoft), 0);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/connect", a_sign_in_makes_an_account, a_connect_makes_none,
             failures_store_nothing, state_comes_first)
