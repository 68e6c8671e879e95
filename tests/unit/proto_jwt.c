/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/b64.h"
#include "gg/proto/jwt.h"

#include <string.h>

#define HEADER "{\"alg\":\"HS256\"}"
#define NOW    1000000

static struct gg_arena *arena;
static struct gg_err err;
static const struct gg_jwt_key key = {GG_SHA256, {"secret", 6}};

static bool parse(struct gg_str text, struct gg_jwt *jwt)
{
    err = (struct gg_err){0};
    return gg_jwt_parse(arena, text, GG_JWT_BYTES_MAX, jwt, &err);
}

static const char *encode(const char *text)
{
    return gg_b64_format(arena, GG_B64_BARE, gg_str_of(text)).p;
}

/* header and claims as they are given, the MAC right for `with`. */
static struct gg_str make(const char *header, const char *claims, struct gg_jwt_key with)
{
    struct gg_mac mac;
    struct gg_str in = gg_str_of(gg_arena_printf(arena, "%s.%s", encode(header), encode(claims)));

    ck_assert(gg_crypto_hmac(with.hash, with.secret, in, &mac, &err));
    struct gg_str sig =
        gg_b64_format(arena, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, mac.n});
    return gg_str_of(gg_arena_printf(arena, "%s.%s", in.p, sig.p));
}

static bool passes(struct gg_str text, struct gg_jwt_key with)
{
    struct gg_jwt jwt;

    return parse(text, &jwt) && gg_jwt_verify_hmac(&jwt, with, &err);
}

static struct gg_str decoded(const char *text)
{
    struct gg_str out = {NULL, 0};

    ck_assert(gg_b64_parse(arena, GG_B64_BARE, gg_str_of(text), &out));
    return out;
}

static struct gg_json *claims_of(const char *text)
{
    struct gg_json *claims;

    ck_assert(gg_json_parse(arena, gg_str_of(text), &claims, &err));
    return claims;
}

/* RFC 7515 A.1 and A.2 */
#define RFC_CLAIMS \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define RFC_A1 \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS \
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_A1_KEY \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define RFC_A2 \
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_" \
    "O8W2Fp5" \
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_" \
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1" \
    "L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-" \
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYE" \
    "UipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_A2_N \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-" \
    "4qPCJrcS2mJPMEzP1Pt0Bm4d" \
    "4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-" \
    "bSf63kpaSHSXndS5z5rexM" \
    "dbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_" \
    "I5IhlJH7aGhyxXFvU" \
    "K-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

START_TEST(rfc_7515_a1)
{
    struct gg_jwt jwt;

    arena = gg_arena_open();
    struct gg_jwt_key rfc = {GG_SHA256, gg_secret_of(decoded(RFC_A1_KEY))};
    ck_assert(parse(GG_STR(RFC_A1), &jwt));
    ck_assert_gg_str(jwt.alg, "HS256");
    ck_assert_ptr_null(jwt.kid.p);
    ck_assert(gg_jwt_verify_hmac(&jwt, rfc, &err));
    ck_assert_gg_str(gg_json_text(jwt.claims, "iss"), "joe");
    rfc.secret.n--;
    ck_assert(!gg_jwt_verify_hmac(&jwt, rfc, &err));
    ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    gg_arena_close(arena);
}
END_TEST

START_TEST(rfc_7515_a2)
{
    struct gg_jwt jwt;

    arena = gg_arena_open();
    struct gg_rsa rsa = {decoded(RFC_A2_N), decoded("AQAB")};
    ck_assert(parse(GG_STR(RFC_A2), &jwt));
    ck_assert(gg_jwt_verify_rsa(&jwt, rsa, &err));
    rsa.e = decoded("AQAD");
    ck_assert(!gg_jwt_verify_rsa(&jwt, rsa, &err));
    ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    gg_arena_close(arena);
}
END_TEST

/* RFC 8725 section 3.1: neither kind of key is ever used for the other kind of algorithm. */
START_TEST(algorithms_are_not_confused)
{
    struct gg_jwt jwt;

    arena = gg_arena_open();
    struct gg_rsa rsa = {decoded(RFC_A2_N), decoded("AQAB")};
    struct gg_jwt_key public_as_secret = {GG_SHA256, gg_secret_of(rsa.n)};
    ck_assert(parse(GG_STR(RFC_A2), &jwt));
    jwt.alg = GG_STR("HS256");
    ck_assert(!gg_jwt_verify_rsa(&jwt, rsa, &err));
    ck_assert(parse(make("{\"alg\":\"RS256\"}", "{}", public_as_secret), &jwt));
    ck_assert(!gg_jwt_verify_rsa(&jwt, rsa, &err));
    ck_assert(!gg_jwt_verify_hmac(&jwt, public_as_secret, &err));
    /* The right signature under another name. */
    static const char *const names[] = {"none", "None",   "hs256", "HS384", "HS512",       "RS256",
                                        "",     "HS256 ", "HS25",  "ES256", "HS256\\u0000"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *header = gg_arena_printf(arena, "{\"alg\":\"%s\"}", names[i]);
        ck_assert_msg(!passes(make(header, "{}", key), key), "%s", names[i]);
        ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    }
    ck_assert(passes(make(HEADER, "{}", key), key));
    gg_arena_close(arena);
}
END_TEST

START_TEST(each_hash_is_its_own)
{
    static const enum gg_hash hashes[] = {GG_SHA256, GG_SHA384, GG_SHA512};

    arena = gg_arena_open();
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            struct gg_jwt_key signer = {hashes[i], key.secret};
            struct gg_jwt_key checker = {hashes[k], key.secret};
            struct gg_str token;
            ck_assert(gg_jwt_sign(arena, signer, GG_STR("{\"sub\":\"1\"}"), &token, &err));
            ck_assert_int_eq(passes(token, checker), i == k);
        }
    gg_arena_close(arena);
}
END_TEST

/* As PyJWT and python-jose write it. */
START_TEST(signing)
{
    struct gg_str token;
    struct gg_jwt_key none = {GG_SHA256, {"", 0}};

    arena = gg_arena_open();
    ck_assert(gg_jwt_sign(arena, key, GG_STR("{\"sub\":\"1\"}"), &token, &err));
    ck_assert_gg_str(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.8qZF8vbN3UpcanXFc"
                            "-mPXJkOPN01-bRch8XX3rToP1U");
    ck_assert(!gg_jwt_sign(arena, none, GG_STR("{}"), &token, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(an_empty_key_verifies_nothing)
{
    static const struct gg_jwt_key keys[] = {{GG_SHA256, {"", 0}}, {GG_SHA256, {NULL, 0}}};

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert(!passes(make(HEADER, "{}", keys[i]), keys[i]));
    gg_arena_close(arena);
}
END_TEST

START_TEST(signatures_are_whole)
{
    arena = gg_arena_open();
    struct gg_str token = make(HEADER, "{\"a\":1}", key);
    size_t at = (size_t)(strrchr(token.p, '.') - token.p) + 1;
    ck_assert(passes(token, key));
    ck_assert(!passes((struct gg_str){token.p, at}, key));
    for (size_t n = at + 1; n < token.n; n++)
        ck_assert_msg(!passes((struct gg_str){token.p, n}, key), "%zu bytes", n);
    /* No character can be changed, the last one with its two spare bits included. */
    for (size_t i = 0; i < token.n; i++) {
        char *bent = gg_arena_copy(arena, token.p, token.n);
        bent[i] = bent[i] == 'A' ? 'B' : (char)(bent[i] == 'Z' ? 'z' : bent[i] + 1);
        ck_assert_msg(!passes((struct gg_str){bent, token.n}, key), "byte %zu", i);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(headers_and_claims)
{
    static const struct {
        const char *header;
        const char *claims;
        bool good;
    } cases[] = {
        {HEADER, "{}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k\"}", "{\"a\":[1]}", true},
        {" {\r\n\"alg\" : \"HS256\"} ", " {} ", true},
        {"{\"alg\":\"HS256\",\"x\":{\"alg\":\"none\"}}", "{}", true},
        {"{}", "{}", false},
        {"{\"alg\":null}", "{}", false},
        {"{\"alg\":256}", "{}", false},
        {"{\"alg\":[\"HS256\"]}", "{}", false},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{}", false},
        {"{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", "{}", false},
        {"{\"alg\":\"HS256\",\"alg\\u0000\":\"none\"}", "{}", false},
        {"{\"alg\":\"HS256\",\"kid\":1}", "{}", false},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{}", false},
        {"{\"alg\":\"HS256\",\"crit\":[]}", "{}", false},
        {"{\"alg\":\"HS256\",\"crit\":null}", "{}", false},
        {"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", "{}", false},
        {"[\"HS256\"]", "{}", false},
        {"\"HS256\"", "{}", false},
        {"", "{}", false},
        {HEADER, "", false},
        {HEADER, "null", false},
        {HEADER, "[]", false},
        {HEADER, "\"x\"", false},
        {HEADER, "{}{}", false},
        {HEADER, "{\"sub\":\"1\",\"sub\":\"2\"}", false},
        {HEADER, "{\"sub\":\"1\",\"s\\u0075b\":\"2\"}", false},
        {HEADER, "{\"a\":{\"sub\":\"1\",\"sub\":\"2\"}}", false},
        {HEADER, "{\"sub\":\"\xff\"}", false},
        {HEADER, "{\"exp\":NaN}", false},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool good = passes(make(cases[i].header, cases[i].claims, key), key);
        ck_assert_msg(good == cases[i].good, "%s %s", cases[i].header, cases[i].claims);
        ck_assert(good || err.code == GG_EINVALIDTOKEN);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(shapes)
{
    struct gg_jwt jwt;

    arena = gg_arena_open();
    struct gg_str good = make(HEADER, "{}", key);
    static const char *const alone[] = {"", ".", "..", "...", "a", "a.b", "a.b.c"};
    static const struct {
        const char *before;
        const char *after;
    } around[] = {
        {"", "."}, {".", ""}, {"", ".x"}, {"", ".x.y"}, /* five parts, as JWE has */
        {" ", ""}, {"", " "}, {"", "\n"}, {"", "="},    {"Bearer ", ""}, {"", "A"},
    };
    for (size_t i = 0; i < COUNT(alone); i++)
        ck_assert_msg(!parse(gg_str_of(alone[i]), &jwt), "\"%s\"", alone[i]);
    for (size_t i = 0; i < COUNT(around); i++) {
        const char *s = gg_arena_printf(arena, "%s%s%s", around[i].before, good.p, around[i].after);
        ck_assert_msg(!passes(gg_str_of(s), key), "\"%s\"", s);
        ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    }
    ck_assert(!parse((struct gg_str){NULL, 0}, &jwt));
    ck_assert(!parse((struct gg_str){good.p, good.n + 1}, &jwt));
    ck_assert(parse(good, &jwt));
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_cap_is_exact)
{
    struct gg_jwt jwt;

    arena = gg_arena_open();
    struct gg_str token = make(HEADER, gg_arena_printf(arena, "{\"a\":\"%05000d\"}", 1), key);
    ck_assert(gg_jwt_parse(arena, token, token.n, &jwt, &err));
    ck_assert(!gg_jwt_parse(arena, token, token.n - 1, &jwt, &err));
    ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    token = make(HEADER, gg_arena_printf(arena, "{\"a\":\"%06200d\"}", 1), key);
    ck_assert_uint_gt(token.n, GG_JWT_BYTES_MAX);
    ck_assert(!passes(token, key));
    gg_arena_close(arena);
}
END_TEST

/* At NOW with 60 seconds of leeway. */
START_TEST(times)
{
    static const struct {
        const char *claims;
        bool good;
    } cases[] = {
        {"{\"exp\":1000100}", true},
        {"{\"exp\":999941}", true},
        {"{\"exp\":999940}", false},
        {"{\"exp\":999940.5}", true},
        {"{\"exp\":1.0001e6}", true},
        {"{}", false},
        {"{\"exp\":null}", false},
        {"{\"exp\":\"1000100\"}", false},
        {"{\"exp\":true}", false},
        {"{\"exp\":[1000100]}", false},
        {"{\"exp\":0}", false},
        {"{\"exp\":-1}", false},
        {"{\"exp\":-1e308}", false},
        {"{\"exp\":9999999999999}", true}, /* milliseconds by mistake: far, but a date */
        {"{\"exp\":1e308}", false},
        {"{\"exp\":1e309}", false},
        {"{\"exp\":9223372036854775807}", false},
        {"{\"exp\":9223372036854775808}", false},
        {"{\"exp\":18446744073709551617}", false},
        {"{\"exp\":100000000000000000000000000000000}", false},
        {"{\"exp\":1000100,\"nbf\":1000060}", true},
        {"{\"exp\":1000100,\"nbf\":1000060.5}", false},
        {"{\"exp\":1000100,\"nbf\":1000061}", false},
        {"{\"exp\":1000100,\"nbf\":-5}", true},
        {"{\"exp\":1000100,\"nbf\":null}", false},
        {"{\"exp\":1000100,\"nbf\":\"1\"}", false},
        {"{\"exp\":1000100,\"nbf\":-1e308}", false},
        {"{\"exp\":1000100,\"iat\":1000060}", true},
        {"{\"exp\":1000100,\"iat\":1000061}", false},
        {"{\"exp\":1000100,\"iat\":null}", false},
        {"{\"exp\":1000100,\"iat\":\"now\"}", false},
        {"{\"exp\":1000100,\"iat\":1,\"nbf\":1}", true},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_json *claims = claims_of(cases[i].claims);
        bool good = gg_jwt_check_times(claims, NOW, GG_JWT_LEEWAY_S, &err);
        ck_assert_msg(good == cases[i].good, "%s", cases[i].claims);
        ck_assert(good || err.code == GG_EINVALIDTOKEN);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(audiences)
{
    static const struct {
        const char *claims;
        bool has;
    } cases[] = {
        {"{\"aud\":\"me\"}", true},
        {"{\"aud\":[\"you\",\"me\"]}", true},
        {"{\"aud\":[1,null,\"me\"]}", true},
        {"{\"aud\":\"Me\"}", false},
        {"{\"aud\":\"me \"}", false},
        {"{\"aud\":\"me\\u0000\"}", false},
        {"{\"aud\":[]}", false},
        {"{\"aud\":[[\"me\"]]}", false},
        {"{\"aud\":{\"me\":1}}", false},
        {"{\"aud\":null}", false},
        {"{}", false},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_json *claims = claims_of(cases[i].claims);
        ck_assert_msg(gg_jwt_has_audience(claims, GG_STR("me")) == cases[i].has, "%s",
                      cases[i].claims);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(algorithm_names)
{
    enum gg_hash hash = GG_SHA256;

    ck_assert(gg_jwt_parse_alg(GG_STR("HS256"), &hash) && hash == GG_SHA256);
    ck_assert(gg_jwt_parse_alg(GG_STR("HS384"), &hash) && hash == GG_SHA384);
    ck_assert(gg_jwt_parse_alg(GG_STR("HS512"), &hash) && hash == GG_SHA512);
    ck_assert(!gg_jwt_parse_alg(GG_STR("none"), &hash));
    ck_assert(!gg_jwt_parse_alg(GG_STR("RS256"), &hash));
    ck_assert(!gg_jwt_parse_alg(GG_STR(""), &hash));
}
END_TEST

GG_UNIT_MAIN("proto/jwt", rfc_7515_a1, rfc_7515_a2, algorithms_are_not_confused,
             each_hash_is_its_own, signing, an_empty_key_verifies_nothing, signatures_are_whole,
             headers_and_claims, shapes, the_cap_is_exact, times, audiences, algorithm_names)
