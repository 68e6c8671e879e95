/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/oauth.h"

#define TID "11111111-2222-3333-4444-555555555555"
#define OID "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

static struct gg_arena *arena;

static void set_up(void)
{
    arena = gg_arena_open();
}

static void tear_down(void)
{
    gg_arena_close(arena);
}

START_TEST(request)
{
    const struct gg_oauth_request r = {
        .endpoint = "https://login.example/t/oauth2/v2.0/authorize",
        .client_id = "id&1",
        .redirect_uri = "https://a.example/cb?x",
        .scopes = "openid User.Read",
        .state = GG_STR("s-1"),
        .nonce = GG_STR("n_1"),
        .code_challenge = GG_STR("c"),
    };

    set_up();
    ck_assert_gg_str(gg_oauth_format_request(arena, &r),
                     "https://login.example/t/oauth2/v2.0/authorize?client_id=id%261"
                     "&response_type=code&redirect_uri=https%3A%2F%2Fa.example%2Fcb%3Fx"
                     "&response_mode=query&scope=openid%20User.Read&state=s-1&nonce=n_1"
                     "&code_challenge=c&code_challenge_method=S256");
    tear_down();
}
END_TEST

/* RFC 7636, appendix B. */
START_TEST(challenge_of_rfc_7636)
{
    struct gg_str challenge;
    struct gg_err err;

    set_up();
    ck_assert(gg_oauth_challenge(
        arena, gg_secret_of(GG_STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")), &challenge,
        &err));
    ck_assert_gg_str(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    tear_down();
}
END_TEST

START_TEST(errors_of_authorization)
{
    static const struct {
        const char *error;
        const char *description;
        enum gg_code code;
        const char *word;
    } cases[] = {
        {"access_denied", NULL, GG_EDECLINED, "access_denied"},
        {"access_denied", "AADSTS65004: declined", GG_EDECLINED, "access_denied"},
        {"access_denied", "AADSTS90094: admin", GG_EADMINCONSENT, "access_denied"},
        {"invalid_client", "x AADSTS90095", GG_EADMINCONSENT, "invalid_client"},
        {"access_denied", "AADSTS900941: other", GG_EDECLINED, "access_denied"},
        {"temporarily_unavailable", "", GG_ELOGIN, "temporarily_unavailable"},
        {"server_error", "", GG_ELOGIN, "server_error"},
        {"login_required", "", GG_EAUTHFAILED, "login_required"},
        {"<script>", "", GG_EAUTHFAILED, ""}, /* never shown */
    };
    struct gg_err err;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert(!gg_oauth_fail_response(gg_str_of(cases[i].error),
                                          gg_str_of(cases[i].description), &err));
        ck_assert_msg(err.code == cases[i].code, "%s: %d", cases[i].error, err.code);
        ck_assert_str_eq(err.microsoft_code, cases[i].word);
    }
}
END_TEST

/* Who must act, by the status and the word. */
START_TEST(classes_of_refusals)
{
    static const struct {
        int status;
        const char *body;
        enum gg_oauth_class class;
        const char *word;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PERMANENT, "invalid_grant"},
        {401, "{\"error\":\"interaction_required\"}", GG_OAUTH_PERMANENT, "interaction_required"},
        {400, "{\"error\":\"consent_required\"}", GG_OAUTH_PERMANENT, "consent_required"},
        {400, "{\"error\":\"login_required\"}", GG_OAUTH_PERMANENT, "login_required"},
        {400, "{\"error\":\"invalid_client\"}", GG_OAUTH_OPERATOR, "invalid_client"},
        {401, "{\"error\":\"unauthorized_client\"}", GG_OAUTH_OPERATOR, "unauthorized_client"},
        {400, "{\"error\":\"invalid_request\"}", GG_OAUTH_OPERATOR, "invalid_request"},
        {400, "{\"error\":\"invalid_scope\"}", GG_OAUTH_OPERATOR, "invalid_scope"},
        {400, "{\"error\":\"never_heard_of\"}", GG_OAUTH_OPERATOR, "never_heard_of"},
        {400, "{\"error\":\"temporarily_unavailable\"}", GG_OAUTH_PASSING,
         "temporarily_unavailable"},
        {400, "{\"error\":\"server_error\"}", GG_OAUTH_PASSING, "server_error"},
        {400, "<html>", GG_OAUTH_PASSING, ""},
        {400, "", GG_OAUTH_PASSING, ""},
        {400, "{\"error\":{\"code\":\"invalid_grant\"}}", GG_OAUTH_PASSING, ""},
        {429, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PASSING, "invalid_grant"},
        {408, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PASSING, "invalid_grant"},
        {500, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PASSING, "invalid_grant"},
        {503, "{\"error\":\"invalid_client\"}", GG_OAUTH_PASSING, "invalid_client"},
        {302, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PASSING, "invalid_grant"},
        {200, "{\"error\":\"invalid_grant\"}", GG_OAUTH_PASSING, "invalid_grant"},
        {200, "[]", GG_OAUTH_PASSING, ""},
        {201, "{\"access_token\":\"a\",\"expires_in\":1}", GG_OAUTH_PASSING, ""},
    };
    struct gg_tokens tokens;
    struct gg_oauth_refusal refusal;

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(!gg_oauth_parse_tokens(arena, cases[i].status, gg_str_of(cases[i].body),
                                             &tokens, &refusal),
                      "%s", cases[i].body);
        ck_assert_msg(refusal.class == cases[i].class, "%d %s", cases[i].status, cases[i].body);
        ck_assert_str_eq(refusal.error, cases[i].word);
    }
    ck_assert(!gg_oauth_parse_tokens(
        arena, 400, GG_STR("{\"error\":\"invalid_grant\",\"error_codes\":[70008,50173,1,2,3]}"),
        &tokens, &refusal));
    ck_assert_str_eq(refusal.codes, "70008,50173,1,2");
    tear_down();
}
END_TEST

START_TEST(tokens)
{
    struct gg_tokens t;
    struct gg_oauth_refusal refusal;

    set_up();
    ck_assert(gg_oauth_parse_tokens(
        arena, 200,
        GG_STR("{\"token_type\":\"bearer\",\"scope\":\"a b\",\"expires_in\":3599,"
               "\"access_token\":\"AT\",\"refresh_token\":\"RT\",\"id_token\":\"a.b.c\",\"x\":1}"),
        &t, &refusal));
    ck_assert_gg_str(gg_secret_reveal(t.access_token), "AT");
    ck_assert_gg_str(gg_secret_reveal(t.refresh_token), "RT");
    ck_assert_gg_str(gg_secret_reveal(t.id_token), "a.b.c");
    ck_assert_gg_str(t.scope, "a b");
    ck_assert_int_eq(t.expires_in_s, 3599);
    /* The older endpoint's digits in a string; nothing that may be left out. */
    ck_assert(gg_oauth_parse_tokens(
        arena, 200, GG_STR("{\"expires_in\":\"60\",\"access_token\":\"AT\"}"), &t, &refusal));
    ck_assert_int_eq(t.expires_in_s, 60);
    ck_assert(!gg_secret_is_set(t.refresh_token) && !gg_secret_is_set(t.id_token));
    ck_assert_ptr_null(t.scope.p);
    tear_down();
}
END_TEST

START_TEST(broken_tokens)
{
    static const char *const bad[] = {
        "{\"expires_in\":1}",
        "{\"access_token\":1,\"expires_in\":1}",
        "{\"access_token\":null,\"expires_in\":1}",
        "{\"access_token\":\"a\"}",
        "{\"access_token\":\"a\",\"expires_in\":-1}",
        "{\"access_token\":\"a\",\"expires_in\":\"\"}",
        "{\"access_token\":\"a\",\"expires_in\":1e99}",
        "{\"access_token\":\"a\",\"expires_in\":99999999999}",
        "{\"access_token\":\"a b\",\"expires_in\":1}",
        "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":1}",
        "{\"access_token\":\"\\u00e4\",\"expires_in\":1}",
        "{\"access_token\":\"a\",\"refresh_token\":\"a\\u0000\",\"expires_in\":1}",
        "{\"access_token\":\"a\",\"token_type\":\"mac\",\"expires_in\":1}",
        "{\"access_token\":\"a\",\"access_token\":\"b\",\"expires_in\":1}",
        "{\"access_token\":\"a\",\"expires_in\":1",
    };
    struct gg_tokens t;
    struct gg_oauth_refusal refusal;
    struct gg_buf b;

    set_up();
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!gg_oauth_parse_tokens(arena, 200, gg_str_of(bad[i]), &t, &refusal), "%s",
                      bad[i]);
        ck_assert(refusal.class == GG_OAUTH_PASSING);
    }
    for (size_t extra = 0; extra < 2; extra++) {
        gg_buf_init(&b, arena, GG_OAUTH_TOKEN_BYTES_MAX + 100);
        gg_buf_add_text(&b, "{\"expires_in\":1,\"access_token\":\"");
        for (size_t i = 0; i < GG_OAUTH_TOKEN_BYTES_MAX + extra; i++)
            gg_buf_add_char(&b, 'x');
        gg_buf_add_text(&b, "\"}");
        ck_assert(gg_oauth_parse_tokens(arena, 200, gg_buf_str(&b), &t, &refusal) == (extra == 0));
    }
    tear_down();
}
END_TEST

START_TEST(discovery)
{
    /* clang-format off */
    static const char *const bad[] = {
        "", "[]", "{}", "<html>", "{\"issuer\":\"i\"}", "{\"jwks_uri\":\"j\"}",
        "{\"issuer\":1,\"jwks_uri\":\"j\"}"};
    /* clang-format on */
    struct gg_oauth_discovery d;
    struct gg_err err;

    set_up();
    ck_assert(gg_oauth_parse_discovery(
        arena, GG_STR("{\"issuer\":\"https://l/{tenantid}/v2.0\",\"jwks_uri\":\"https://l/k\"}"),
        &d, &err));
    ck_assert_gg_str(d.issuer, "https://l/{tenantid}/v2.0");
    ck_assert_gg_str(d.jwks_uri, "https://l/k");
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!gg_oauth_parse_discovery(arena, gg_str_of(bad[i]), &d, &err), "%s", bad[i]);
        ck_assert_int_eq(err.code, GG_ELOGIN);
    }
    tear_down();
}
END_TEST

/* The claims of a good ID token, with one changed: `put` is JSON members that come last. */
static bool check_id(const char *base, const struct gg_oauth_expect *expect, struct gg_oauth_id *id)
{
    struct gg_json *claims;
    struct gg_err err;

    ck_assert(gg_json_parse(arena, gg_str_of(base), &claims, &err));
    bool good = gg_oauth_check_id(arena, claims, expect, id, &err);
    ck_assert(good || err.code == GG_EIDTOKEN);
    return good;
}

static const struct gg_oauth_expect expected = {
    .issuer = {"https://l/{tenantid}/v2.0", 25},
    .client_id = "client",
    .tenant = TID,
    .nonce = {"nonce", 5},
};

#define CLAIMS(iss, tid, aud, nonce, oid) \
    "{\"iss\":\"" iss "\",\"tid\":\"" tid "\",\"aud\":\"" aud "\",\"nonce\":\"" nonce \
    "\",\"oid\":\"" oid "\""
#define GOOD CLAIMS("https://l/" TID "/v2.0", TID, "client", "nonce", OID)

START_TEST(id_tokens)
{
    struct gg_oauth_id id;

    set_up();
    ck_assert(
        check_id(GOOD ",\"email\":\"a@b\",\"name\":\"A B\",\"ver\":\"2.0\"}", &expected, &id));
    ck_assert_gg_str(id.tenant_id, TID);
    ck_assert_gg_str(id.microsoft_id, OID);
    ck_assert_gg_str(id.email, "a@b");
    ck_assert_gg_str(id.full_name, "A B");
    ck_assert(check_id(GOOD ",\"preferred_username\":\"p@q\",\"azp\":\"client\"}", &expected, &id));
    ck_assert_gg_str(id.email, "p@q");
    ck_assert_ptr_null(id.full_name.p);
    /* Nothing that could make a line of its own. */
    ck_assert(check_id(GOOD ",\"email\":\"a\\nb\",\"name\":\"\\u0000\"}", &expected, &id));
    ck_assert_ptr_null(id.email.p);
    ck_assert_ptr_null(id.full_name.p);
    tear_down();
}
END_TEST

START_TEST(bad_id_tokens)
{
#define ISS   "https://l/" TID "/v2.0"
#define OTHER "22222222-2222-3333-4444-555555555555"
    static const char *const bad[] = {
        "{}",
        "[]",
        CLAIMS("https://l/" OTHER "/v2.0", TID, "client", "nonce", OID) "}",
        CLAIMS("https://l/" OTHER "/v2.0", OTHER, "client", "nonce", OID) "}",
        CLAIMS("https://l/{tenantid}/v2.0", TID, "client", "nonce", OID) "}",
        CLAIMS("https://evil/" TID "/v2.0", TID, "client", "nonce", OID) "}",
        CLAIMS(ISS "x", TID, "client", "nonce", OID) "}",
        CLAIMS(ISS, "common", "client", "nonce", OID) "}",
        CLAIMS(ISS, "", "client", "nonce", OID) "}",
        CLAIMS(ISS, TID, "other", "nonce", OID) "}",
        CLAIMS(ISS, TID, "client", "other", OID) "}",
        CLAIMS(ISS, TID, "client", "", OID) "}",
        CLAIMS(ISS, TID, "client", "nonce", "") "}",
        CLAIMS(ISS, TID, "client", "nonce", "a/b") "}",
        CLAIMS(ISS, TID, "client", "nonce", OID) ",\"azp\":\"other\"}",
        CLAIMS(ISS, TID, "client", "nonce", OID) ",\"ver\":\"1.0\"}",
        "{\"iss\":\"" ISS "\",\"tid\":\"" TID "\",\"aud\":[\"client\",\"x\"],\"nonce\":\"nonce\","
        "\"oid\":\"" OID "\"}",
    };
    struct gg_oauth_id id;

    set_up();
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!check_id(bad[i], &expected, &id), "%s", bad[i]);
    struct gg_oauth_expect no_nonce = expected;
    no_nonce.nonce = (struct gg_secret){NULL, 0};
    ck_assert(!check_id(GOOD "}", &no_nonce, &id));
    struct gg_oauth_expect key = expected;
    key.key_issuer = GG_STR("https://l/" OTHER "/v2.0");
    ck_assert(!check_id(GOOD "}", &key, &id));
    key.key_issuer = GG_STR("https://l/{tenantid}/v2.0");
    ck_assert(check_id(GOOD "}", &key, &id));
    tear_down();
}
END_TEST

START_TEST(classes_of_tenants)
{
#define MSA GG_OAUTH_CONSUMERS
    static const struct {
        const char *tenant;
        bool takes_work, takes_personal;
    } cases[] = {
        /* clang-format off */
        {"common", true, true}, {"organizations", true, false}, {"consumers", false, true},
        {"a.onmicrosoft.com", false, false}, /* a template's issuer does not say whose it is */
        {TID, true, false}, {MSA, false, true},
        /* clang-format on */
    };
    struct gg_oauth_id id;

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_oauth_expect e = expected;
        e.tenant = cases[i].tenant;
        ck_assert_msg(check_id(GOOD "}", &e, &id) == cases[i].takes_work, "%s", e.tenant);
        ck_assert_msg(check_id(CLAIMS("https://l/" MSA "/v2.0", MSA, "client", "nonce", OID) "}",
                               &e, &id) == cases[i].takes_personal,
                      "%s", e.tenant);
    }
    tear_down();
}
END_TEST

START_TEST(challenges)
{
    static const struct {
        const char *header;
        const char *claims; /* NULL: none */
    } cases[] = {
        {"Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"", "{\"a\":1}"},
        {"Bearer claims=\"eyJhIjoxfQ\"", "{\"a\":1}"},
        {"Bearer claims=eyJhIjoxfQ, realm=\"x\"", "{\"a\":1}"},
        {"Bearer realm=\"x\",CLAIMS=\"eyJhIjoxfQ==\"", "{\"a\":1}"},
        {"Basic realm=\"x\", Bearer claims=\"eyJhIjoxfQ==\"", "{\"a\":1}"},
        /* clang-format off */
        {"Bearer xclaims=\"eyJhIjoxfQ==\"", NULL}, {"Bearer claims=\"\"", NULL},
        {"Bearer claims", NULL}, {"claims", NULL}, {"Bearer", NULL}, {"", NULL}, {NULL, NULL},
        {"Bearer claims=\"!!!!\"", NULL}, {"Bearer claims=\"WzFd\"", NULL}, /* [1] */
        {"Bearer claims=\"e30x\"", NULL},                                  /* {}1 */
        /* clang-format on */
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_str claims = gg_oauth_parse_challenge(arena, gg_str_of(cases[i].header));
        ck_assert_msg((claims.p != NULL) == (cases[i].claims != NULL), "%s", cases[i].header);
        if (claims.p != NULL)
            ck_assert_gg_str(claims, cases[i].claims);
    }
    tear_down();
}
END_TEST

START_TEST(retry_after)
{
    static const struct {
        const char *header;
        int64_t seconds;
    } cases[] = {
        /* clang-format off */
        {"0", 0}, {"1", 1}, {"120", 120}, {"86400", 86400}, {"2592001", 2592000},
        {"", -1}, {NULL, -1}, {"-1", -1}, {"soon", -1}, {"1.5", -1},
        /* clang-format on */
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37},
        {"Sun, 06 Nov 1994 08:48:59 GMT", 0},
        {"Sun, 06 Nov 1994 12:49:37 GMT", 14437},
    };
    const int64_t now_s = 784111740; /* 08:49:00 */

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = gg_oauth_parse_retry_after(gg_str_of(cases[i].header), now_s);
        ck_assert_msg(seconds == cases[i].seconds, "%s", cases[i].header);
    }
}
END_TEST

GG_UNIT_MAIN("proto/oauth", request, challenge_of_rfc_7636, errors_of_authorization,
             classes_of_refusals, tokens, broken_tokens, discovery, id_tokens, bad_id_tokens,
             classes_of_tenants, challenges, retry_after)
