/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/urlenc.h"

static struct gg_arena *arena;

START_TEST(only_unreserved_bytes_stay)
{
    struct gg_buf b;
    struct gg_str out;

    arena = gg_arena_open();
    gg_buf_init(&b, arena, 1000);
    gg_urlenc_add(&b, GG_STR("AZaz09-._~"));
    ck_assert_gg_str(gg_buf_str(&b), "AZaz09-._~");
    gg_urlenc_add(&b, GG_STR(" +/?#%&=@:\"\x7f\xc3\xa4\0"));
    ck_assert_gg_str(gg_buf_str(&b), "AZaz09-._~%20%2B%2F%3F%23%25%26%3D%40%3A%22%7F%C3%A4%00");
    for (int c = 1; c < 256; c++) {
        char byte = (char)c;
        gg_buf_init(&b, arena, 10);
        gg_urlenc_add(&b, (struct gg_str){&byte, 1});
        ck_assert(gg_urlenc_parse(arena, GG_URLENC_FORM, gg_buf_str(&b), &out));
        ck_assert(gg_str_is_equal(out, (struct gg_str){&byte, 1}));
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(pairs_are_joined)
{
    struct gg_buf b;

    arena = gg_arena_open();
    gg_buf_init(&b, arena, 1000);
    gg_urlenc_add_pair(&b, "a", GG_STR("1 2"));
    gg_urlenc_add_pair(&b, "b&", GG_STR(""));
    ck_assert_gg_str(gg_buf_str(&b), "a=1%202&b%26=");
    gg_buf_init(&b, arena, 1000);
    gg_buf_add_text(&b, "https://x/y?");
    gg_urlenc_add_pair(&b, "$top", GG_STR("5"));
    gg_urlenc_add_pair(&b, "c", GG_STR("d"));
    ck_assert_gg_str(gg_buf_str(&b), "https://x/y?%24top=5&c=d");
    gg_arena_close(arena);
}
END_TEST

START_TEST(decoding)
{
    static const struct {
        const char *in;
        const char *path; /* NULL: refused */
        const char *form;
    } cases[] = {
        {"", "", ""},
        {"abc", "abc", "abc"},
        {"a+b", "a+b", "a b"},
        {"a%2Bb", "a+b", "a+b"},
        {"%2f%2F", "//", "//"},
        {"%252F", "%2F", "%2F"}, /* once, not twice */
        {"%c3%a4", "\xc3\xa4", "\xc3\xa4"},
        {"%ff", "\xff", "\xff"},
        {"\xc3\xa4", "\xc3\xa4", "\xc3\xa4"},
        {"%20", " ", " "},
        {"%", NULL, NULL},
        {"%4", NULL, NULL},
        {"a%", NULL, NULL},
        {"a%4", NULL, NULL},
        {"%g1", NULL, NULL},
        {"%1g", NULL, NULL},
        {"%%41", NULL, NULL},
        {"%-1", NULL, NULL},
        {"%+1", NULL, NULL},
        {"% 1", NULL, NULL},
        {"%00", NULL, NULL},
        {"a%00b", NULL, NULL},
        {"%u0041", NULL, NULL},
    };
    struct gg_str out;

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *want[] = {[GG_URLENC_PATH] = cases[i].path, [GG_URLENC_FORM] = cases[i].form};
        for (enum gg_urlenc kind = GG_URLENC_PATH; kind <= GG_URLENC_FORM; kind++) {
            bool good = gg_urlenc_parse(arena, kind, gg_str_of(cases[i].in), &out);
            ck_assert_msg(good == (want[kind] != NULL), "\"%s\"", cases[i].in);
            if (good)
                ck_assert_gg_str(out, want[kind]);
        }
    }
    ck_assert(!gg_urlenc_parse(arena, GG_URLENC_PATH, GG_STR("a\0b"), &out));
    /* The escape ends behind the text. */
    ck_assert(!gg_urlenc_parse(arena, GG_URLENC_PATH, (struct gg_str){"%41", 2}, &out));
    ck_assert(!gg_urlenc_parse(arena, GG_URLENC_PATH, (struct gg_str){"a%41", 2}, &out));
    gg_arena_close(arena);
}
END_TEST

/* The pairs as name=[value] one behind the other. */
START_TEST(queries)
{
    static const struct {
        const char *in;
        const char *pairs; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"&&", ""},
        {"a=1", "a=[1]"},
        {"a", "a=[]"},
        {"a=", "a=[]"},
        {"=1", "=[1]"},
        {"a=1&b=2&&c=3&", "a=[1]b=[2]c=[3]"},
        {"a=b=c", "a=[b=c]"},
        {"a+b=c+d", "a b=[c d]"},
        {"%61=%26%3D", "a=[&=]"},
        {"a=1;b=2", "a=[1;b=2]"},
        {"a=%", NULL},
        {"%zz=1", NULL},
        {"a=1&b=%00", NULL},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_query q;
        struct gg_buf b;
        gg_buf_init(&b, arena, 1000);
        bool good = gg_urlenc_parse_query(arena, gg_str_of(cases[i].in), &q);
        ck_assert_msg(good == (cases[i].pairs != NULL), "%s", cases[i].in);
        for (size_t k = 0; good && k < q.count; k++)
            gg_buf_add_fmt(&b, "%.*s=[%.*s]", GG_STR_ARG(q.pairs[k].name),
                           GG_STR_ARG(q.pairs[k].value));
        if (good)
            ck_assert_gg_str(gg_buf_str(&b), cases[i].pairs);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(queries_have_a_cap)
{
    struct gg_query q;
    struct gg_buf b;

    arena = gg_arena_open();
    gg_buf_init(&b, arena, 1000);
    for (int i = 0; i < GG_QUERY_PAIRS_MAX; i++)
        gg_buf_add_text(&b, "a=1&");
    ck_assert(gg_urlenc_parse_query(arena, gg_buf_str(&b), &q));
    ck_assert_uint_eq(q.count, GG_QUERY_PAIRS_MAX);
    gg_buf_add_text(&b, "a");
    ck_assert(!gg_urlenc_parse_query(arena, gg_buf_str(&b), &q));
    ck_assert(gg_urlenc_parse_query(arena, (struct gg_str){NULL, 0}, &q) && q.count == 0);
    gg_arena_close(arena);
}
END_TEST

START_TEST(finding)
{
    struct gg_query q;
    bool repeated = true;

    arena = gg_arena_open();
    ck_assert(gg_urlenc_parse_query(arena, GG_STR("a=1&b=&c=2&c=3&d=&d=4"), &q));
    ck_assert_gg_str(gg_urlenc_find(&q, "a", &repeated), "1");
    ck_assert(!repeated);
    ck_assert_ptr_null(gg_urlenc_find(&q, "b", &repeated).p);
    ck_assert(!repeated);
    ck_assert_gg_str(gg_urlenc_find(&q, "c", &repeated), "2");
    ck_assert(repeated);
    ck_assert_gg_str(gg_urlenc_find(&q, "d", &repeated), "4");
    ck_assert(repeated);
    ck_assert_ptr_null(gg_urlenc_find(&q, "A", &repeated).p);
    ck_assert(!repeated);
    ck_assert_gg_str(gg_urlenc_find(&q, "a", NULL), "1");
    gg_arena_close(arena);
}
END_TEST

START_TEST(urls)
{
    static const struct {
        const char *in;
        bool is_https;
        const char *origin;
        const char *host;
        int port;
        const char *rest;
    } cases[] = {
        {"https://example.com", true, "https://example.com", "example.com", 443, ""},
        {"http://example.com/", false, "http://example.com", "example.com", 80, "/"},
        {"HTTPS://Ex.com:8443/a?b#c", true, "HTTPS://Ex.com:8443", "Ex.com", 8443, "/a?b#c"},
        {"https://a?b", true, "https://a", "a", 443, "?b"},
        {"https://a#b", true, "https://a", "a", 443, "#b"},
        {"https://a/@b:c", true, "https://a", "a", 443, "/@b:c"},
        {"https://a/b//c", true, "https://a", "a", 443, "/b//c"},
        {"http://127.0.0.1:1", false, "http://127.0.0.1:1", "127.0.0.1", 1, ""},
        {"http://[::1]:65535/x", false, "http://[::1]:65535", "::1", 65535, "/x"},
        {"http://[2001:db8::1]", false, "http://[2001:db8::1]", "2001:db8::1", 80, ""},
        {"http://a_b.c-d", false, "http://a_b.c-d", "a_b.c-d", 80, ""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_url url;
        ck_assert_msg(gg_urlenc_parse_url(gg_str_of(cases[i].in), &url), "%s", cases[i].in);
        ck_assert_int_eq(url.is_https, cases[i].is_https);
        ck_assert_gg_str(url.origin, cases[i].origin);
        ck_assert_gg_str(url.host, cases[i].host);
        ck_assert_int_eq(url.port, cases[i].port);
        ck_assert_gg_str(url.rest, cases[i].rest);
    }
}
END_TEST

/* clang-format off */
static const char *const bad[] = {
    "", "https", "https:", "https:/a", "https://", "https:///a", "//a/b", "/a", "a.com",
    "ftp://a", "javascript://a", "https ://a", " https://a", "https://a ", "httpsx://a",
    /* userinfo, in the ways that readers differ about */
    "https://u@a", "https://u:p@a", "https://a@b/", "https://a:80@b", "https://a\\@b",
    "https://a\\b", "https:\\\\a", "https://@a", "https://a%40b", "https://a%2fb",
    /* hosts */
    "https://?", "https://#", "https://:80", "https://a,b", "https://a b", "https://a;b",
    "https://a&b", "https://[::1", "https://::1", "https://[]", "https://[a]", "https://[1.2.3.4]",
    "https://[::1]x", "https://[::1%25eth0]", "https://[::g]", "https://[v1.a]",
    "https://\xc3\xa4.de",
    /* ports */
    "https://a:", "https://a:/", "https://a:0", "https://a:65536", "https://a:080",
    "https://a:+80", "https://a:8a", "https://a:-1", "https://a:80:80",
    /* elsewhere */
    "https://a/\n", "https://a/\t", "https://a/\x7f", "https://a/<b>", "https://a/\"",
    "https://a/\\b", "https://a/{b}", "https://a/\xc3\xa4",
};
/* clang-format on */

START_TEST(bad_urls)
{
    struct gg_url url;

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gg_urlenc_parse_url(gg_str_of(bad[i]), &url), "%s", bad[i]);
    ck_assert(!gg_urlenc_parse_url((struct gg_str){NULL, 0}, &url));
    ck_assert(!gg_urlenc_parse_url(GG_STR("https://a\0b"), &url));
}
END_TEST

START_TEST(origins)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {"https://a.com", "https://a.com/x", true},
        {"https://a.com", "HTTPS://A.COM:443?y", true},
        {"http://a.com:80", "http://a.com", true},
        {"http://a.com", "https://a.com", false},
        {"http://a.com:443", "https://a.com", false},
        {"https://a.com", "https://a.com:444", false},
        {"https://a.com", "https://a.com.evil.example", false},
        {"https://a.com", "https://xa.com", false},
        {"http://[::1]", "http://[::1]:80/", true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_url a;
        struct gg_url b;
        ck_assert(gg_urlenc_parse_url(gg_str_of(cases[i].a), &a));
        ck_assert(gg_urlenc_parse_url(gg_str_of(cases[i].b), &b));
        ck_assert_msg(gg_url_is_same_origin(&a, &b) == cases[i].same, "%s", cases[i].b);
    }
}
END_TEST

START_TEST(loopback)
{
    static const struct {
        const char *url;
        bool is;
    } cases[] = {
        {"http://127.0.0.1", true},
        {"http://127.255.3.4:99/x", true},
        {"http://[::1]", true},
        {"http://[0:0:0:0:0:0:0:1]", true},
        {"http://localhost", true},
        {"http://LocalHost:1", true},
        {"http://128.0.0.1", false},
        {"http://126.255.255.255", false},
        {"http://127.1", false},
        {"http://0x7f.0.0.1", false},
        {"http://127.0.0.1.a.com", false},
        {"http://[::2]", false},
        {"http://[::ffff:127.0.0.1]", false},
        {"http://localhost.a.com", false},
        {"http://alocalhost", false},
        {"http://0.0.0.0", false},
        {"http://[::]", false},
        {"http://2130706433", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_url url;
        ck_assert_msg(gg_urlenc_parse_url(gg_str_of(cases[i].url), &url), "%s", cases[i].url);
        ck_assert_msg(gg_url_is_loopback(&url) == cases[i].is, "%s", cases[i].url);
    }
}
END_TEST

GG_UNIT_MAIN("proto/urlenc", only_unreserved_bytes_stay, pairs_are_joined, decoding, queries,
             queries_have_a_cap, finding, urls, bad_urls, origins, loopback)
