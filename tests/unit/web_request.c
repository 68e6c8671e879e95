/* SPDX-License-Identifier: MIT */
#include "records.h"
#include "unit.h"

#include "gg/web/request.h"

#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;
static struct gg_fcgi *fcgi;
static struct gg_request r;
static int fd;

static void set_up(void)
{
    arena = gg_arena_open();
    fcgi = records_open(arena, &fd);
}

static void tear_down(void)
{
    (void)close(fd);
    gg_arena_close(arena);
}

/* The request of these parameters and this body, read; the one before is ended. */
static void receive(const char *const *params, const char *body)
{
    if (r.fcgi == fcgi) {
        gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
        ck_assert_gg_str(records_read(arena, fd), "x");
    }
    ck_assert(records_accept(fcgi, arena, fd, params, gg_str_of(body)));
    gg_request_read(&r, arena, fcgi);
}

/* With one parameter beside the method and the path. */
static void receive_one(const char *name, const char *value)
{
    const char *const params[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/a", name, value, NULL};

    receive(params, "");
}

START_TEST(methods_and_paths)
{
    static const struct {
        const char *method;
        const char *uri;
        enum gg_method want;
        bool is_head;
        const char *path;
    } cases[] = {
        {"GET", "/api/v1/x?a=b", GG_GET, false, "/api/v1/x"},
        {"HEAD", "/x/", GG_GET, true, "/x"},
        {"POST", "/x%2Fy/?/", GG_POST, false, "/x%2Fy"}, /* still encoded */
        {"PATCH", "//x//", GG_PATCH, false, "//x/"},
        {"DELETE", "/", GG_DELETE, false, "/"},
        {"PUT", "", GG_PUT, false, ""},
        {"get", "?x", GG_METHOD_OTHER, false, ""},
        {"OPTIONS", "*", GG_METHOD_OTHER, false, "*"},
        {"GET", "https://a.example/x?y", GG_GET, false, "/x"},
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const params[] = {"REQUEST_METHOD", cases[i].method, "REQUEST_URI",
                                      cases[i].uri, NULL};
        receive(params, "");
        ck_assert_msg(r.method == cases[i].want && r.is_head == cases[i].is_head, "%s",
                      cases[i].method);
        ck_assert_gg_str(r.path, cases[i].path);
    }
    const char *const none[] = {"X", "y", NULL};
    receive(none, "");
    ck_assert_int_eq(r.method, GG_METHOD_OTHER);
    tear_down();
}
END_TEST

START_TEST(queries)
{
    const char *const params[] = {"REQUEST_URI", "/x?a=1&b=%C3%A4+&c=&a=2", NULL};
    const char *const bad[] = {"REQUEST_URI", "/x?a=%", NULL};

    set_up();
    receive(params, "");
    ck_assert(!r.query_is_bad);
    ck_assert_gg_str(gg_request_query(&r, "b"), "\xc3\xa4 ");
    ck_assert_ptr_null(gg_request_query(&r, "c").p);
    ck_assert(gg_request_is_repeated(&r, "a") && !gg_request_is_repeated(&r, "b"));
    receive(bad, "");
    ck_assert(r.query_is_bad);
    tear_down();
}
END_TEST

START_TEST(request_ids)
{
    static const char *const bad[] = {
        "",    "a b", "a\nb",
        "<x>", "a\"", "12345678901234567890123456789012345678901234567890123456789012345"};

    set_up();
    receive_one("HTTP_X_REQUEST_ID", "a.B_c-1");
    ck_assert_gg_str(r.request_id, "a.B_c-1");
    for (size_t i = 0; i < COUNT(bad); i++) {
        receive_one("HTTP_X_REQUEST_ID", bad[i]);
        ck_assert_msg(gg_str_is_uuid(r.request_id), "%s", bad[i]);
    }
    tear_down();
}
END_TEST

START_TEST(headers)
{
    static const struct {
        const char *header;
        const char *token; /* NULL: absent */
    } bearers[] = {
        {"Bearer abc", "abc"}, {"bearer  abc ", "abc"}, {"Basic abc", ""},
        {"Bearer", ""},        {"Bearerabc", ""},       {"", NULL},
    };
    static const struct {
        const char *cookie;
        const char *value;
    } cookies[] = {
        {"n=v", "v"},     {"a=b; n=v; c=d", "v"}, {"a=b;n = v ", "v"},
        {"n=a=b", "a=b"}, {"xn=v", NULL},         {"n", NULL},
        {"N=v", NULL},    {"a=n=v", NULL},        {"n=first; n=second", "first"},
    };
    static const struct {
        const char *accept;
        bool takes;
    } accepts[] = {
        {"application/json", true},
        {"text/html, application/JSON;q=0.5", true},
        {"*/*", false},
        {"application/*", false},
        {"application/json+x", false},
        {"", false},
    };

    set_up();
    for (size_t i = 0; i < COUNT(bearers); i++) {
        receive_one("HTTP_AUTHORIZATION", bearers[i].header);
        struct gg_str token = gg_request_bearer(&r);
        ck_assert_msg((token.p == NULL) == (bearers[i].token == NULL), "%s", bearers[i].header);
        if (token.p != NULL)
            ck_assert_gg_str(token, bearers[i].token);
    }
    for (size_t i = 0; i < COUNT(cookies); i++) {
        receive_one("HTTP_COOKIE", cookies[i].cookie);
        struct gg_str value = gg_request_cookie(&r, "n");
        ck_assert_msg((value.p == NULL) == (cookies[i].value == NULL), "%s", cookies[i].cookie);
        if (value.p != NULL)
            ck_assert_gg_str(value, cookies[i].value);
    }
    for (size_t i = 0; i < COUNT(accepts); i++) {
        receive_one("HTTP_ACCEPT", accepts[i].accept);
        ck_assert_msg(gg_request_accepts(&r, "application/json") == accepts[i].takes, "%s",
                      accepts[i].accept);
    }
    tear_down();
}
END_TEST

START_TEST(bodies)
{
    static const struct {
        const char *type;
        const char *length;
        const char *body;
        enum gg_code code;
    } cases[] = {
        {"application/json", "7", "{\"a\":1}", GG_OK},
        {"Application/JSON; charset=utf-8", "7", "{\"a\":1}", GG_OK},
        {"application/json", "6", "{\"a\":1}", GG_EINVALIDJSON},
        {"application/json", "8", "{\"a\":1}", GG_EINVALIDJSON},
        {"application/json", "0", "", GG_EINVALIDJSON},
        {"application/json", "-1", "", GG_EINVALIDJSON},
        {"application/json", "7x", "{\"a\":1}", GG_EINVALIDJSON},
        {"application/json", "1048577", "", GG_ETOOLARGE},
        {"application/json", "9223372036854775807", "", GG_ETOOLARGE},
        {"text/plain", "7", "{\"a\":1}", GG_EMEDIATYPE},
        {"application/jsonx", "7", "{\"a\":1}", GG_EMEDIATYPE},
        {"", "7", "{\"a\":1}", GG_EMEDIATYPE},
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const params[] = {
            "REQUEST_METHOD", "POST", "CONTENT_TYPE", cases[i].type, "CONTENT_LENGTH",
            cases[i].length,  NULL};
        struct gg_json *body;
        struct gg_err err = {.code = GG_OK};
        receive(params, cases[i].body);
        bool ok = gg_request_body(&r, &body, &err);
        ck_assert_msg((ok ? GG_OK : err.code) == cases[i].code, "%s %s: %d", cases[i].type,
                      cases[i].length, err.code);
    }
    tear_down();
}
END_TEST

START_TEST(addresses)
{
    static const struct {
        const char *remote;
        const char *forwarded;
        const char *trusted;
        const char *want;
    } cases[] = {
        {"192.0.2.1", "203.0.113.9", NULL, "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9", "10.0.0.0/8", "192.0.2.1"}, /* no proxy of ours */
        {"10.0.0.1", "203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
        {"10.0.0.1", "1.1.1.1, 203.0.113.9", "10.0.0.0/8", "203.0.113.9"}, /* not the forged one */
        {"10.0.0.1", "203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"},
        {"10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.0/8", "10.0.0.3"},
        {"10.0.0.1", "203.0.113.9, unknown", "10.0.0.0/8", "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"},
        {"10.0.0.1", "2001:db8::7", "10.0.0.0/8", "2001:db8::/64"},
        {"::ffff:10.0.0.1", "203.0.113.9:1234", "10.0.0.0/8", "203.0.113.9"},
        {"", "203.0.113.9", "10.0.0.0/8", "unknown"},
    };

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const params[] = {"REMOTE_ADDR", cases[i].remote, "HTTP_X_FORWARDED_FOR",
                                      cases[i].forwarded, NULL};
        receive(params, "");
        ck_assert_gg_str(gg_request_address(&r, cases[i].trusted), cases[i].want);
        struct gg_str whole = gg_request_whole_address(&r, cases[i].trusted);
        bool is_unknown = strcmp(cases[i].want, "unknown") == 0;
        ck_assert((whole.p == NULL) == is_unknown);
        ck_assert(is_unknown || memchr(whole.p, '/', whole.n) == NULL);
    }
    tear_down();
}
END_TEST

GG_UNIT_MAIN("web/request", methods_and_paths, queries, request_ids, headers, bodies, addresses)
