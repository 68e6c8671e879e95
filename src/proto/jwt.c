/* SPDX-License-Identifier: MIT */
#include "gg/proto/jwt.h"

#include "gg/proto/b64.h"

/* Whole seconds from here on are not exact in a double, nor a date of any calendar. */
#define DATE_MAX 9007199254740992.0

static bool refuse(struct gg_err *err, const char *what)
{
    return gg_fail(err, GG_EINVALIDTOKEN, "JWT: %s", what);
}

static bool parse_object(struct gg_arena *a, struct gg_str part, struct gg_json **out)
{
    struct gg_str text;
    struct gg_err ignored;

    return gg_b64_parse(a, GG_B64_BARE, part, &text) && gg_json_parse(a, text, out, &ignored) &&
           gg_json_type(*out) == GG_JSON_OBJECT;
}

static bool parse_header(const struct gg_json *header, struct gg_jwt *out, struct gg_err *err)
{
    if (gg_json_has(header, "crit"))
        return refuse(err, "critical extensions are not understood");
    if (!gg_json_str(gg_json_get(header, "alg"), &out->alg))
        return refuse(err, "the header has no alg");
    if (gg_json_has(header, "kid") && !gg_json_str(gg_json_get(header, "kid"), &out->kid))
        return refuse(err, "kid is no string");
    return true;
}

bool gg_jwt_parse(struct gg_arena *a, struct gg_str text, size_t cap, struct gg_jwt *out,
                  struct gg_err *err)
{
    struct gg_str rest = text;
    struct gg_str parts[3];
    struct gg_json *header;
    struct gg_json *claims;

    *out = (struct gg_jwt){0};
    if (text.n > cap)
        return refuse(err, "too long");
    for (int i = 0; i < 3; i++)
        if (!gg_str_take(&rest, '.', &parts[i]))
            return refuse(err, "fewer than three parts");
    if (rest.p != NULL)
        return refuse(err, "more than three parts");
    if (!parse_object(a, parts[0], &header) || !parse_object(a, parts[1], &claims) ||
        !gg_b64_parse(a, GG_B64_BARE, parts[2], &out->signature))
        return refuse(err, "a part is not base64url, or not of a JSON object");
    out->signed_part = (struct gg_str){text.p, parts[0].n + 1 + parts[1].n};
    out->claims = claims;
    return parse_header(header, out, err);
}

static const struct {
    const char *name;
    enum gg_hash hash;
} algs[] = {{"HS256", GG_SHA256}, {"HS384", GG_SHA384}, {"HS512", GG_SHA512}};

bool gg_jwt_parse_alg(struct gg_str name, enum gg_hash *hash)
{
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        if (gg_str_is(name, algs[i].name)) {
            *hash = algs[i].hash;
            return true;
        }
    return false;
}

static const char *alg_name(enum gg_hash hash)
{
    return hash == GG_SHA256 ? algs[0].name : hash == GG_SHA384 ? algs[1].name : algs[2].name;
}

bool gg_jwt_verify_hmac(const struct gg_jwt *jwt, struct gg_jwt_key key, struct gg_err *err)
{
    struct gg_mac mac;

    if (!gg_str_is(jwt->alg, alg_name(key.hash)))
        return refuse(err, "alg is not the configured one");
    if (!gg_secret_is_set(key.secret))
        return refuse(err, "there is no key");
    if (!gg_crypto_hmac(key.hash, key.secret, jwt->signed_part, &mac, err))
        return false;
    if (!gg_secret_is_equal(gg_secret_of(jwt->signature),
                            (struct gg_secret){(const char *)mac.bytes, mac.n}))
        return refuse(err, "the signature is wrong");
    return true;
}

bool gg_jwt_verify_rsa(const struct gg_jwt *jwt, struct gg_rsa key, struct gg_err *err)
{
    if (!gg_str_is(jwt->alg, "RS256"))
        return refuse(err, "alg is not RS256");
    return gg_crypto_verify_rs256(key, jwt->signed_part, jwt->signature, err);
}

/* A NumericDate, fractions and all. */
static bool take_date(const struct gg_json *claims, const char *name, double *out)
{
    return gg_json_number(gg_json_get(claims, name), out) && *out >= -DATE_MAX && *out <= DATE_MAX;
}

bool gg_jwt_check_times(const struct gg_json *claims, int64_t now_s, int64_t leeway_s,
                        struct gg_err *err)
{
    static const char *const starts[] = {"nbf", "iat"};
    double date;

    if (!take_date(claims, "exp", &date))
        return refuse(err, "exp is absent or no date");
    if ((double)(now_s - leeway_s) >= date)
        return gg_fail(err, GG_EINVALIDTOKEN, "JWT: expired %.0f s ago", (double)now_s - date);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (!gg_json_has(claims, starts[i]))
            continue;
        if (!take_date(claims, starts[i], &date))
            return refuse(err, "nbf or iat is no date");
        if (date > (double)(now_s + leeway_s))
            return gg_fail(err, GG_EINVALIDTOKEN,
                           "JWT: %s is %.0f s in the future: this machine's clock is behind, or "
                           "the issuer's ahead",
                           starts[i], date - (double)now_s);
    }
    return true;
}

bool gg_jwt_has_audience(const struct gg_json *claims, struct gg_str audience)
{
    const struct gg_json *aud = gg_json_get(claims, "aud");
    struct gg_str s;

    if (gg_json_str(aud, &s))
        return gg_str_is_equal(s, audience);
    for (size_t i = 0; i < gg_json_length(aud); i++)
        if (gg_json_str(gg_json_at(aud, i), &s) && gg_str_is_equal(s, audience))
            return true;
    return false;
}

bool gg_jwt_sign(struct gg_arena *a, struct gg_jwt_key key, struct gg_str claims,
                 struct gg_str *out, struct gg_err *err)
{
    struct gg_mac mac;

    if (!gg_secret_is_set(key.secret))
        return gg_fail(err, GG_EINTERNAL, "JWT: there is no key to sign with");
    const char *header = gg_arena_printf(a, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg_name(key.hash));
    struct gg_str first = gg_b64_format(a, GG_B64_BARE, gg_str_of(header));
    struct gg_str second = gg_b64_format(a, GG_B64_BARE, claims);
    struct gg_str in =
        gg_str_of(gg_arena_printf(a, "%.*s.%.*s", GG_STR_ARG(first), GG_STR_ARG(second)));
    if (!gg_crypto_hmac(key.hash, key.secret, in, &mac, err))
        return false;
    struct gg_str third =
        gg_b64_format(a, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, mac.n});
    *out = gg_str_of(gg_arena_printf(a, "%.*s.%.*s", GG_STR_ARG(in), GG_STR_ARG(third)));
    return true;
}
