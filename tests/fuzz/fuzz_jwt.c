/* SPDX-License-Identifier: MIT */
/* No token fits a key by chance; what is signed here verifies, and reads as it was written. */
#include "fuzz.h"

#include "gg/proto/b64.h"
#include "gg/proto/jwt.h"

static const struct gg_jwt_key key = {GG_SHA256, {"fuzz", 4}};

static void check_claims(const struct gg_json *claims)
{
    struct gg_err err;
    double exp;

    REQUIRE(gg_json_type(claims) == GG_JSON_OBJECT);
    if (gg_jwt_check_times(claims, 1700000000, GG_JWT_LEEWAY_S, &err))
        REQUIRE(gg_json_number(gg_json_get(claims, "exp"), &exp) && exp > 1700000000 - 60);
    else
        REQUIRE(err.code == GG_EINVALIDTOKEN);
    if (gg_jwt_has_audience(claims, GG_STR("me")))
        REQUIRE(gg_json_has(claims, "aud"));
}

/* The input as claims. */
static void check_signing(struct gg_arena *a, struct gg_str in)
{
    struct gg_jwt jwt;
    struct gg_json *claims;
    struct gg_str token;
    struct gg_err err;

    REQUIRE(gg_jwt_sign(a, key, in, &token, &err));
    bool object = gg_json_parse(a, in, &claims, &err) && gg_json_type(claims) == GG_JSON_OBJECT;
    REQUIRE(gg_jwt_parse(a, token, token.n, &jwt, &err) == object);
    if (object) {
        REQUIRE(gg_jwt_verify_hmac(&jwt, key, &err));
        REQUIRE(gg_str_is_equal(gg_json_print(a, jwt.claims), gg_json_print(a, claims)));
        check_claims(jwt.claims);
    }
}

/* The input as a token, and as the header of one. */
static void check_parsing(struct gg_arena *a, struct gg_str in)
{
    struct gg_jwt jwt;
    struct gg_err err;

    if (gg_jwt_parse(a, in, GG_JWT_BYTES_MAX, &jwt, &err)) {
        REQUIRE(in.n <= GG_JWT_BYTES_MAX && jwt.alg.p != NULL);
        REQUIRE(jwt.signed_part.p == in.p && in.p[jwt.signed_part.n] == '.');
        check_claims(jwt.claims);
        REQUIRE(!gg_jwt_verify_hmac(&jwt, key, &err));
    } else {
        REQUIRE(err.code == GG_EINVALIDTOKEN);
    }
    struct gg_str header = gg_b64_format(a, GG_B64_BARE, in);
    const char *text = gg_arena_printf(a, "%.*s.e30.AAAA", GG_STR_ARG(header));
    if (gg_jwt_parse(a, gg_str_of(text), GG_JWT_BYTES_MAX, &jwt, &err))
        REQUIRE(!gg_jwt_verify_hmac(&jwt, key, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};

    check_parsing(a, in);
    check_signing(a, in);
    gg_arena_close(a);
    return 0;
}
