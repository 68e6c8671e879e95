/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/proto/jwk.h"

static struct gg_arena *arena;
static struct gg_err err;

static bool parse(const char *text, struct gg_jwks *set)
{
    err = (struct gg_err){0};
    return gg_jwk_parse_set(arena, gg_str_of(text), set, &err);
}

/* In the shape of /common/discovery/v2.0/keys. */
START_TEST(microsofts_set)
{
    struct gg_jwks set;

    arena = gg_arena_open();
    ck_assert(
        parse("{\"keys\":["
              "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"one\",\"x5t\":\"one\",\"n\":\"AQID\","
              "\"e\":\"AQAB\",\"x5c\":[\"MIIC\"],\"cloud_instance_name\":\"x\","
              "\"issuer\":\"https://login.microsoftonline.com/{tenantid}/v2.0\"},"
              "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"two\",\"n\":\"BAUG\",\"e\":\"Aw\","
              "\"alg\":\"RS256\"}]}",
              &set));
    ck_assert_uint_eq(set.count, 2);
    const struct gg_jwk *one = gg_jwk_find(&set, GG_STR("one"));
    const struct gg_jwk *two = gg_jwk_find(&set, GG_STR("two"));
    ck_assert_ptr_nonnull(one);
    ck_assert_gg_str(one->issuer, "https://login.microsoftonline.com/{tenantid}/v2.0");
    ck_assert_gg_str(one->rsa.n, "\x01\x02\x03");
    ck_assert(gg_str_is_equal(one->rsa.e, GG_STR("\x01\0\x01")));
    ck_assert_ptr_nonnull(two);
    ck_assert_ptr_null(two->issuer.p);
    ck_assert_gg_str(two->rsa.e, "\x03");
    ck_assert_ptr_null(gg_jwk_find(&set, GG_STR("One")));
    ck_assert_ptr_null(gg_jwk_find(&set, GG_STR("")));
    ck_assert_ptr_null(gg_jwk_find(&set, (struct gg_str){NULL, 0}));
    gg_arena_close(arena);
}
END_TEST

/* Each of these stands beside a good key, and only that one is taken. */
START_TEST(other_keys_are_passed_over)
{
    static const char *const cases[] = {
        "null",
        "1",
        "[]",
        "{}",
        "{\"kty\":\"RSA\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":1,\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"oct\",\"kid\":\"x\",\"k\":\"AQID\"}",
        "{\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"use\":null,\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"alg\":\"RS512\",\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"kid\":\"x\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQID\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQID=\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQ+D\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQID\",\"e\":65537}",
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gg_jwks set;
        static const char good[] =
            "{\"kty\":\"RSA\",\"kid\":\"good\",\"n\":\"AQID\",\"e\":\"AQAB\"}";
        ck_assert_msg(parse(gg_arena_printf(arena, "{\"keys\":[%s,%s]}", cases[i], good), &set),
                      "%s", cases[i]);
        ck_assert_msg(set.count == 1, "%s", cases[i]);
        ck_assert_gg_str(set.keys[0].kid, "good");
        ck_assert_msg(!parse(gg_arena_printf(arena, "{\"keys\":[%s]}", cases[i]), &set), "%s",
                      cases[i]);
        ck_assert_int_eq(err.code, GG_ELOGIN);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(no_set)
{
    static const char *const cases[] = {
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\"",
        "{\"keys\":[}",
        "{\"keys\":\"\"}",
        "{\"error\":\"x\"}",
    };
    struct gg_jwks set;

    arena = gg_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(!parse(cases[i], &set), "%s", cases[i]);
        ck_assert_int_eq(err.code, GG_ELOGIN);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_cap)
{
    struct gg_jwks set;
    struct gg_buf b;

    arena = gg_arena_open();
    for (int n = GG_JWKS_MAX; n <= GG_JWKS_MAX + 1; n++) {
        gg_buf_init(&b, arena, (size_t)1 << 20);
        for (int i = 0; i < n; i++)
            gg_buf_add_fmt(&b, "%s{\"kty\":\"RSA\",\"kid\":\"%d\",\"n\":\"AQID\",\"e\":\"AQAB\"}",
                           i == 0 ? "{\"keys\":[" : ",", i);
        gg_buf_add_text(&b, "]}");
        ck_assert_int_eq(parse(b.p, &set), n == GG_JWKS_MAX);
        if (n == GG_JWKS_MAX)
            ck_assert_ptr_eq(gg_jwk_find(&set, GG_STR("999")), &set.keys[999]);
    }
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/jwk", microsofts_set, other_keys_are_passed_over, no_set, the_cap)
