/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/returnto.h"

static const char allowed[] =
    "https://a.example, https://b.example:8443/app/,http://localhost:3000,https://c.example/app";

START_TEST(allowed_ones)
{
    static const char *const good[] = {
        "https://a.example",
        "https://a.example/",
        "https://a.example/any/where?x=1#y",
        "https://a.example?x=1",
        "HTTPS://A.EXAMPLE/x",
        "https://a.example:443/x",
        "https://a.example/..a/.b/c..",
        "https://a.example/?next=/../x",
        "https://a.example/#/../x",
        "https://b.example:8443/app/",
        "https://b.example:8443/app/page?a=b",
        "http://localhost:3000/done",
        "https://c.example/app",
        "https://c.example/app/x",
        "https://c.example/app?x",
        "https://c.example/app#x",
    };

    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_msg(gg_returnto_is_allowed(allowed, gg_str_of(good[i])), "%s", good[i]);
    /* A slash after the host alone is no path. */
    ck_assert(gg_returnto_is_allowed("https://site.example/", GG_STR("https://site.example")));
    ck_assert(gg_returnto_is_allowed("https://site.example/", GG_STR("https://site.example?x=1")));
    ck_assert(gg_returnto_is_allowed("https://site.example/", GG_STR("https://site.example/x")));
}
END_TEST

/* promise: attack/oauth: None of 470 hostile return_to values is taken, at the start or out of a
 * stored state */
START_TEST(refused_ones)
{
    static const char *const bad[] = {
        "",
        "/",
        "//a.example/",
        "a.example",
        "javascript:alert(1)",
        "http://a.example/",
        "https://a.example.evil.example/",
        "https://evil.example/https://a.example",
        "https://xa.example/",
        "https://a.example:444/",
        "https://a.example@evil.example/",
        "https://user@a.example/",
        "https://evil.example\\@a.example/",
        "https://a.example\\.evil.example/",
        "https:\\\\a.example/",
        "https://a.example/\\evil",
        "https://a.example/ x",
        "https://a.example/\tx",
        "https://a.example/\r\nSet-Cookie: x",
        "https://a.example/\xc3\xa4",
        "https://a.example/<x>",
        "https://b.example:8443/",
        "https://b.example:8443/app",
        "https://b.example:8443/application/",
        "https://b.example:8443/app/../x",
        "https://b.example:8443/app/./../x",
        "https://b.example:8443/app/%2e%2e/x",
        "https://b.example:8443/app/.%2E/x",
        "https://b.example:8443/app/%2e/x",
        "https://b.example:8443/app/..",
        "https://b.example/app/",
        "https://c.example/",
        "https://c.example/application",
        "https://c.example/App",
        "https://c.example/app/..",
        "http://localhost:3001/",
        "http://localhost/",
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gg_returnto_is_allowed(allowed, gg_str_of(bad[i])), "%s", bad[i]);
    ck_assert(!gg_returnto_is_allowed(allowed, GG_STR("https://a.example/\0x")));
    ck_assert(!gg_returnto_is_allowed(allowed, (struct gg_str){NULL, 0}));
    ck_assert(!gg_returnto_is_allowed(NULL, GG_STR("https://a.example/")));
    ck_assert(!gg_returnto_is_allowed("", GG_STR("https://a.example/")));
    ck_assert(!gg_returnto_is_allowed("*", GG_STR("https://a.example/")));
    ck_assert(!gg_returnto_is_allowed("https://*", GG_STR("https://a.example/")));
}
END_TEST

START_TEST(long_ones_are_refused)
{
    struct gg_arena *a = gg_arena_open();
    const char *fits = gg_arena_printf(a, "https://a.example/%02030d", 0);
    const char *over = gg_arena_printf(a, "https://a.example/%02031d", 0);

    ck_assert(gg_returnto_is_allowed(allowed, gg_str_of(fits)));
    ck_assert(!gg_returnto_is_allowed(allowed, gg_str_of(over)));
    gg_arena_close(a);
}
END_TEST

START_TEST(lists)
{
    static const char *const bad[] = {
        "",      "a.example", "https://a.example,", "https://a.example/../x", "ftp://a.example",
        "https", "*",         "https://u@a.example"};

    ck_assert(gg_returnto_is_list(allowed));
    ck_assert(gg_returnto_is_list("https://a.example"));
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gg_returnto_is_list(bad[i]), "\"%s\"", bad[i]);
}
END_TEST

START_TEST(adding)
{
    static const struct {
        const char *url;
        const char *out;
    } cases[] = {
        {"https://a", "https://a?n=1%262"},
        {"https://a/", "https://a/?n=1%262"},
        {"https://a/?", "https://a/?n=1%262"},
        {"https://a/?x=y", "https://a/?x=y&n=1%262"},
        {"https://a/#f", "https://a/?n=1%262#f"},
        {"https://a/?x#f?g", "https://a/?x&n=1%262#f?g"},
        {"https://a/#f?g", "https://a/?n=1%262#f?g"},
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_gg_str(gg_returnto_add(a, gg_str_of(cases[i].url), "n", GG_STR("1&2")),
                         cases[i].out);
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("proto/returnto", allowed_ones, refused_ones, long_ones_are_refused, lists, adding)
