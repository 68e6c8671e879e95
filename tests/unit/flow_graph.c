/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/flow/graph.h"

#include <string.h>

static struct stand_in s;
static struct gg_token_key key;

static enum gg_code call(struct gg_str *body)
{
    struct gg_access access = {0};
    const struct gg_graph_request request = {
        .key = key, .method = "GET", .url = gg_graph_url(&s.call, "/me")};

    s.err = (struct gg_err){.code = GG_OK};
    return gg_graph_call(&s.call, &request, &access, body, &s.err) ? GG_OK : s.err.code;
}

START_TEST(statuses)
{
    static const struct {
        int status;
        const char *body;
        enum gg_code code;
        const char *microsoft_code;
    } cases[] = {
        {200, "{\"a\":1}", GG_OK, ""},
        {201, "{}", GG_OK, ""},
        {400, "{\"error\":{\"code\":\"ErrorX\",\"message\":\"SECRET\"}}", GG_EREJECTED, "ErrorX"},
        {403, "{\"error\":{\"code\":\"<b>\"}}", GG_EFORBIDDEN, ""},
        {404, "", GG_ENOTFOUND, ""},
        {405, "{}", GG_EREJECTED, ""},
        {409, "{}", GG_ECONFLICT, ""},
        {412, "{}", GG_EPRECONDITION, ""},
        {429, "{}", GG_ETHROTTLED, ""},
        {500, "{}", GG_EGRAPH, ""},
        {503, "{}", GG_EGRAPH, ""},
        {302, "", GG_EGRAPH, ""},
    };
    struct gg_str body;

    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct loopback_answer rows[] = {
            {.status = cases[i].status,
             .headers = "Content-Type: application/json; odata=x\r\nRetry-After: 17\r\n",
             .body = cases[i].body}};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(call(&body) == cases[i].code, "%d", cases[i].status);
        if (cases[i].code == GG_OK)
            ck_assert_gg_str(body, cases[i].body);
        ck_assert_str_eq(s.err.microsoft_code, cases[i].microsoft_code);
        ck_assert_int_eq(s.err.retry_after_s,
                         cases[i].status == 429 || cases[i].status == 503 ? 17 : 0);
        ck_assert_ptr_null(strstr(s.err.log, "SECRET"));
        ck_assert_int_eq(loopback_requests(s.microsoft), 1);
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(a_401_costs_one_refresh)
{
    static const struct loopback_answer well[] = {
        {.match = "/oauth2/v2.0/token", .body = "{\"access_token\":\"new\",\"expires_in\":3600}"},
        {.match = "Bearer new", .body = "{}"},
        {.status = 401,
         .headers =
             "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\""
             "\r\n"},
    };
    static const struct loopback_answer never[] = {
        {.match = "/oauth2/v2.0/token", .body = "{\"access_token\":\"new\",\"expires_in\":3600}"},
        {.status = 401, .headers = "WWW-Authenticate: Bearer claims=\"eyJhIjoxfQ==\"\r\n"},
    };
    struct gg_str body;

    stand_in_open(&s);
    key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, well);
    ck_assert_int_eq(call(&body), GG_OK);
    ck_assert_int_eq(loopback_requests(s.microsoft), 3);
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 1), "claims=%7B%22a%22%3A1%7D"));
    key = stand_in_connect(&s, "old", 3000);
    LOOPBACK_SERVE(s.microsoft, never);
    ck_assert_int_eq(call(&body), GG_EAUTHREQUIRED);
    ck_assert_str_eq(s.err.claims, "{\"a\":1}");
    ck_assert_int_eq(loopback_requests(s.microsoft), 3);
    stand_in_close(&s);
}
END_TEST

START_TEST(no_answer)
{
    static const struct loopback_answer slow[] = {{.body = "{}", .wait_ms = 3000}};
    static const struct loopback_answer html[] = {
        {.headers = "Content-Type: text/html\r\n", .body = "<html>"}};
    struct gg_str body;

    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
    s.conf.graph_timeout_s = 1;
    LOOPBACK_SERVE(s.microsoft, slow);
    ck_assert_int_eq(call(&body), GG_ETIMEOUT);
    LOOPBACK_SERVE(s.microsoft, html);
    ck_assert_int_eq(call(&body), GG_EGRAPH);
    loopback_stop(s.microsoft);
    ck_assert_int_eq(call(&body), GG_EGRAPH);
    stand_in_close(&s);
}
END_TEST

/* %s is the stand-in's own address. */
START_TEST(pages_that_lead_astray)
{
    static const char *const links[] = {"%s/v1.0/me",
                                        "https://evil.example/v1.0/me",
                                        "http://127.0.0.1:1/v1.0/me",
                                        "/v1.0/me?page=2",
                                        "%s@evil.example/",
                                        "javascript:x"};

    stand_in_open(&s);
    key = stand_in_connect(&s, "token", 3000);
    for (size_t i = 0; i < COUNT(links); i++) {
        struct gg_buf url;
        gg_buf_init(&url, s.arena, 1000);
        bool is_own = links[i][0] == '%';
        gg_buf_add_text(&url, is_own ? loopback_url(s.microsoft) : "");
        gg_buf_add_text(&url, links[i] + (is_own ? 2 : 0));
        const struct loopback_answer rows[] = {
            {.body = gg_arena_printf(s.arena, "{\"value\":[{}],\"@odata.nextLink\":\"%s\"}",
                                     gg_buf_str(&url).p)}};
        LOOPBACK_SERVE(s.microsoft, rows);
        struct gg_graph_list list = {
            .request = {.key = key, .method = "GET", .url = gg_graph_url(&s.call, "/me")}};
        ck_assert_msg(!gg_graph_list(&s.call, &list, &s.err), "%s", links[i]);
        ck_assert_int_eq(s.err.code, GG_EGRAPH);
        ck_assert_int_le(loopback_requests(s.microsoft), 2);
    }
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/graph", statuses, a_401_costs_one_refresh, no_answer, pages_that_lead_astray)
