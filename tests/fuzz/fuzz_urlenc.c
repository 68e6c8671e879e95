/* SPDX-License-Identifier: MIT */
/* Decoded and encoded again is the same; a URL is the sum of its parts and holds no userinfo. */
#include "fuzz.h"

#include "gg/proto/urlenc.h"

#include <string.h>

static void check_text(struct gg_arena *a, enum gg_urlenc kind, struct gg_str in)
{
    struct gg_str raw;
    struct gg_str again;
    struct gg_buf b;

    if (!gg_urlenc_parse(a, kind, in, &raw))
        return;
    REQUIRE(raw.n <= in.n && (raw.n == 0 || memchr(raw.p, '\0', raw.n) == NULL));
    gg_buf_init(&b, a, 3 * raw.n);
    gg_urlenc_add(&b, raw);
    REQUIRE(!gg_buf_is_full(&b));
    REQUIRE(gg_urlenc_parse(a, kind, gg_buf_str(&b), &again) && gg_str_is_equal(raw, again));
}

static void check_query(struct gg_arena *a, struct gg_str in)
{
    struct gg_query q;
    struct gg_query again;
    struct gg_buf b;

    if (!gg_urlenc_parse_query(a, in, &q))
        return;
    gg_buf_init(&b, a, 4 * in.n + 2 * GG_QUERY_PAIRS_MAX);
    for (size_t i = 0; i < q.count; i++)
        gg_urlenc_add_pair(&b, q.pairs[i].name.p, q.pairs[i].value);
    REQUIRE(!gg_buf_is_full(&b));
    REQUIRE(gg_urlenc_parse_query(a, gg_buf_str(&b), &again) && again.count == q.count);
    for (size_t i = 0; i < q.count; i++) {
        bool repeated;
        REQUIRE(gg_str_is_equal(q.pairs[i].name, again.pairs[i].name));
        REQUIRE(gg_str_is_equal(q.pairs[i].value, again.pairs[i].value));
        if (q.pairs[i].value.n > 0)
            REQUIRE(gg_urlenc_find(&q, q.pairs[i].name.p, &repeated).n > 0);
    }
}

static void check_url(struct gg_str in)
{
    struct gg_url url;
    struct gg_url origin;

    if (!gg_urlenc_parse_url(in, &url))
        return;
    REQUIRE(url.origin.p == in.p && (url.rest.n == 0 || url.rest.p == in.p + url.origin.n));
    REQUIRE(url.origin.n + url.rest.n == in.n);
    REQUIRE(url.host.n > 0 && url.port >= 1 && url.port <= 65535);
    REQUIRE(memchr(url.origin.p, '@', url.origin.n) == NULL);
    REQUIRE(memchr(in.p, '\\', in.n) == NULL && gg_str_is_printable(in));
    REQUIRE(gg_urlenc_parse_url(url.origin, &origin));
    REQUIRE(gg_url_is_same_origin(&url, &origin) && origin.rest.n == 0);
    REQUIRE(gg_url_is_loopback(&url) == gg_url_is_loopback(&origin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};

    check_text(a, GG_URLENC_PATH, in);
    check_text(a, GG_URLENC_FORM, in);
    check_query(a, in);
    check_url(in);
    gg_arena_close(a);
    return 0;
}
