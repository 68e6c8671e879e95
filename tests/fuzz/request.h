/* SPDX-License-Identifier: MIT */
/* What holds of every request, however it came. */
#ifndef GG_TESTS_FUZZ_REQUEST_H
#define GG_TESTS_FUZZ_REQUEST_H

#include "fuzz.h"

#include "gg/proto/address.h"
#include "gg/web/request.h"

#include <string.h>

static inline void check_head(const struct gg_request *r)
{
    REQUIRE(r->method <= GG_METHOD_OTHER && r->method != GG_METHODS);
    REQUIRE(!r->is_head || r->method == GG_GET);
    REQUIRE(gg_str_is_word(r->request_id, 64, "._-"));
    REQUIRE(r->path.p != NULL && memchr(r->path.p, '?', r->path.n) == NULL);
    REQUIRE(r->query.count <= GG_QUERY_PAIRS_MAX);
    if (r->query_is_bad)
        return;
    for (size_t i = 0; i < r->query.count; i++) {
        struct gg_str name = r->query.pairs[i].name;
        struct gg_str value = gg_request_query(r, name.p);
        REQUIRE(value.n <= 65536);
        REQUIRE(value.n == 0 || value.p != NULL);
    }
}

static inline void check_headers(const struct gg_request *r)
{
    struct gg_str cookies = gg_request_header(r, "HTTP_COOKIE");
    struct gg_str cookie = gg_request_cookie(r, "a");
    struct gg_str bearer = gg_request_bearer(r);
    struct gg_address address;

    REQUIRE(cookies.p == NULL || cookies.n > 0);
    if (cookie.p != NULL) {
        REQUIRE(cookie.p >= cookies.p && cookie.p + cookie.n <= cookies.p + cookies.n);
        REQUIRE(memchr(cookie.p, ';', cookie.n) == NULL);
    }
    REQUIRE(bearer.n == 0 || (bearer.p[0] != ' ' && bearer.p[bearer.n - 1] != ' '));
    if (gg_request_accepts(r, "application/json"))
        REQUIRE(gg_request_header(r, "HTTP_ACCEPT").n >= strlen("application/json"));
    struct gg_str far = gg_request_address(r, "127.0.0.0/8,10.0.0.0/8,::1");
    REQUIRE(far.n > 0 && far.n < 50 && gg_str_is_printable(far));
    struct gg_str near = gg_request_address(r, NULL);
    if (gg_address_parse(gg_fcgi_param(r->fcgi, "REMOTE_ADDR"), &address))
        REQUIRE(gg_str_is_equal(near, gg_address_format(r->arena, &address)));
    else
        REQUIRE(gg_str_is(near, "unknown") && gg_str_is(far, "unknown"));
}

static inline void check_body(struct gg_request *r)
{
    struct gg_json *body;
    struct gg_err err;
    int64_t length = 0;

    if (gg_request_body(r, &body, &err)) {
        REQUIRE(gg_str_parse_int(gg_request_header(r, "CONTENT_LENGTH"), 1,
                                 (int64_t)GG_REQUEST_BODY_MAX, &length));
        REQUIRE(gg_str_is_media_type(gg_request_header(r, "CONTENT_TYPE"), "application/json"));
        REQUIRE(gg_json_print(r->arena, body).n > 0);
    } else {
        REQUIRE(err.code == GG_EINVALIDJSON || err.code == GG_ETOOLARGE ||
                err.code == GG_EMEDIATYPE);
    }
}

static inline void check_request(struct gg_request *r)
{
    check_head(r);
    check_headers(r);
    check_body(r);
}

#endif
