/* SPDX-License-Identifier: MIT */
#include "serving.h"

static struct stand_in s;

START_TEST(starts)
{
    stand_in_open(&s);
    const char *answer = serving_ask(
        &s, (struct serving_request){.method = "GET", .uri = "/api/v1/auth/microsoft/"});
    SERVING_CHECK(answer, 302, "\r\nLocation: http://127.0.0.1:",
                  "\r\nSet-Cookie: __Host-graphgate=", "; HttpOnly; SameSite=Lax; Secure\r\n",
                  "; Path=/; ");
    s.conf.redirect_uri = "http://localhost/cb";
    answer = serving_ask(&s, (struct serving_request){.method = "GET",
                                                      .uri = "/api/v1/beta/auth/microsoft",
                                                      .name = "HTTP_ACCEPT",
                                                      .value = "application/json"});
    SERVING_CHECK(answer, 200, "\"auth_url\":\"http:", "\r\nSet-Cookie: graphgate=");
    ck_assert_ptr_null(strstr(answer, "Secure"));
    SERVING_CHECK(
        serving_ask(&s,
                    (struct serving_request){.method = "GET",
                                             .uri = "/api/v1/auth/microsoft?return_to=https://e"}),
        422, "\"field\":\"return_to\"");
    s.conf.sign_in = GG_SIGN_IN_OFF;
    SERVING_CHECK(
        serving_ask(&s, (struct serving_request){.method = "GET", .uri = "/api/v1/auth/microsoft"}),
        401, "\"invalid_token\"");
    stand_in_close(&s);
}
END_TEST

START_TEST(callbacks_without_a_start)
{
    static const char *const uris[] = {"/api/v1/auth/microsoft/callback",
                                       "/api/v1/auth/microsoft/callback?state=a&code=b",
                                       "/api/v1/auth/microsoft/callback?error=access_denied",
                                       "/api/v1/auth/microsoft/callback?state=a&state=b&code=c",
                                       "/api/v1/beta/auth/microsoft/callback?state=%"};

    stand_in_open(&s);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++)
        SERVING_CHECK(serving_ask(&s, (struct serving_request){.method = "GET",
                                                               .uri = uris[i],
                                                               .name = "HTTP_COOKIE",
                                                               .value = "__Host-graphgate=x"}),
                      400, "\"state_invalid\"");
    stand_in_close(&s);
}
END_TEST

START_TEST(bodies_of_the_exchanges)
{
    static const struct {
        const char *uri;
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {"/api/v1/auth/microsoft/exchange", "{\"session_code\":\"x\"}", 400,
         "session_code_invalid"},
        {"/api/v1/auth/microsoft/exchange", "{}", 422, "validation_failed"},
        {"/api/v1/auth/microsoft/exchange", "{\"session_code\":1}", 422, "validation_failed"},
        {"/api/v1/auth/microsoft/exchange", "[]", 422, "validation_failed"},
        {"/api/v1/auth/microsoft/exchange", "", 400, "invalid_json"},
        {"/api/v1/auth/microsoft/exchange", NULL, 415, "unsupported_media_type"},
        {"/api/v1/auth/refresh", "{\"refresh_token\":\"x\"}", 401, "invalid_token"},
        {"/api/v1/auth/refresh", "{\"refresh_token\":null}", 422, "validation_failed"},
    };

    stand_in_open(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        SERVING_CHECK(serving_ask(&s, (struct serving_request){.method = "POST",
                                                               .uri = cases[i].uri,
                                                               .body = cases[i].body}),
                      cases[i].status, cases[i].code);
    stand_in_close(&s);
}
END_TEST

START_TEST(who_is_connected)
{
    const struct serving_request user = {
        .method = "GET", .uri = "/api/v1/auth/microsoft/user", .claims = SERVING_USER};
    const struct serving_request drop = {
        .method = "DELETE", .uri = "/api/v1/auth/microsoft/token", .claims = SERVING_USER};

    stand_in_open(&s);
    SERVING_CHECK(serving_ask(&s, user), 200, "\"user\":{\"id\":\"7\"",
                  "\"connected\":false,\"id\":null", "\"scopes\":[],\"expires_at\":null");
    (void)stand_in_connect(&s, "token", 3000);
    SERVING_CHECK(serving_ask(&s, user), 200,
                  "\"connected\":true,\"id\":\"oid\",\"email\":\"a@b\"");
    for (int i = 0; i < 2; i++)
        SERVING_CHECK(serving_ask(&s, drop), 200, "\"success\":true");
    SERVING_CHECK(serving_ask(&s, user), 200, "\"connected\":false");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("web/on_auth", starts, callbacks_without_a_start, bodies_of_the_exchanges,
             who_is_connected)
