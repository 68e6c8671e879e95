/* SPDX-License-Identifier: MIT */
/*
 * The lines of an answer's head as libcurl hands them over, its body in pieces, and a link in it: a
 * host that we take for Graph's is Graph's to libcurl as well.
 */
#include "../../src/ext/http.c"
#include "fuzz.h"

#include "gg/proto/urlenc.h"

#define BASE     "https://graph.microsoft.com/v1.0/me/events"
#define BODY_MAX ((size_t)256)

static void check_value(struct gg_str value)
{
    REQUIRE(value.n == 0 || (value.p != NULL && value.p[value.n] == '\0'));
    REQUIRE(value.n <= 2 * HEADER_BYTES_MAX);
}

static void check_head(struct gg_arena *a, struct gg_str in)
{
    struct gg_http_response response = {0};
    struct exchange x = {.arena = a, .response = &response};
    struct gg_str line;

    while (gg_str_take(&in, '\n', &line)) {
        size_t n = line.n + (in.p != NULL);
        char *p = gg_arena_copy(a, line.p, n);
        size_t took = take_header(p, 1, n, &x);
        REQUIRE(took == n || (took == 0 && x.header_bytes > HEADER_BYTES_MAX));
    }
    check_value(response.content_type);
    check_value(response.retry_after);
    check_value(response.www_authenticate);
}

static void check_pieces(struct gg_arena *a, struct gg_str in)
{
    struct exchange x = {.arena = a};
    size_t taken = 0;
    struct gg_str whole = in;

    gg_buf_init(&x.body, a, BODY_MAX);
    while (in.n > 0) {
        size_t n = 1 + (unsigned char)in.p[0] % 64;
        n = n < in.n ? n : in.n;
        char *p = gg_arena_copy(a, in.p, n);
        if (take_body(p, 1, n, &x) != n)
            break;
        taken += n;
        in = gg_str_skip(in, n);
    }
    REQUIRE(x.body.n <= BODY_MAX && (in.n == 0) == (whole.n <= BODY_MAX));
    REQUIRE(in.n > 0 || (taken == whole.n && gg_str_is_equal(gg_buf_str(&x.body), whole)));
}

/* Two readers of one URL may differ in what the host is: then a token goes astray. */
static void check_link(struct gg_arena *a, struct gg_str in)
{
    struct gg_url own;
    struct gg_url ours;
    struct gg_url theirs;

    if (memchr(in.p, '\0', in.n) != NULL)
        return;
    const char *resolved = gg_http_resolve(a, BASE, in);
    REQUIRE(gg_urlenc_parse_url(GG_STR(BASE), &own));
    if (gg_urlenc_parse_url(in, &ours) && gg_url_is_same_origin(&own, &ours)) {
        REQUIRE(resolved != NULL && gg_urlenc_parse_url(gg_str_of(resolved), &theirs));
        REQUIRE(gg_url_is_same_origin(&own, &theirs));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};

    check_head(a, in);
    check_pieces(a, in);
    if (size > 0)
        check_link(a, in);
    gg_arena_close(a);
    return 0;
}
