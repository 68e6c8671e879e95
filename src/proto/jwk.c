/* SPDX-License-Identifier: MIT */
#include "gg/proto/jwk.h"

#include "gg/ext/json.h"
#include "gg/proto/b64.h"

/* A member that, where it is there at all, must have this one value. */
static bool allows(const struct gg_json *jwk, const char *name, const char *value)
{
    return !gg_json_has(jwk, name) || gg_str_is(gg_json_text(jwk, name), value);
}

static bool take_number(struct gg_arena *a, const struct gg_json *jwk, const char *name,
                        struct gg_str *out)
{
    return gg_b64_parse(a, GG_B64_BARE, gg_json_text(jwk, name), out) && out->n > 0;
}

static bool take_key(struct gg_arena *a, const struct gg_json *jwk, struct gg_jwk *out)
{
    *out = (struct gg_jwk){.kid = gg_json_text(jwk, "kid"), .issuer = gg_json_text(jwk, "issuer")};
    return out->kid.n > 0 && gg_str_is(gg_json_text(jwk, "kty"), "RSA") &&
           allows(jwk, "use", "sig") && allows(jwk, "alg", "RS256") &&
           take_number(a, jwk, "n", &out->rsa.n) && take_number(a, jwk, "e", &out->rsa.e);
}

bool gg_jwk_parse_set(struct gg_arena *a, struct gg_str text, struct gg_jwks *out,
                      struct gg_err *err)
{
    struct gg_json *set;
    struct gg_err ignored;

    if (!gg_json_parse(a, text, &set, &ignored))
        return gg_fail(err, GG_ELOGIN, "the key set is not well-formed JSON");
    const struct gg_json *keys = gg_json_get(set, "keys");
    size_t n = gg_json_length(keys);
    if (n > GG_JWKS_MAX)
        return gg_fail(err, GG_ELOGIN, "the key set has over %d keys", GG_JWKS_MAX);
    *out = (struct gg_jwks){.keys = gg_arena_alloc(a, n * sizeof *out->keys)};
    for (size_t i = 0; i < n; i++)
        if (take_key(a, gg_json_at(keys, i), &out->keys[out->count]))
            out->count++;
    if (out->count == 0)
        return gg_fail(err, GG_ELOGIN, "the key set has no RSA key for signing");
    return true;
}

const struct gg_jwk *gg_jwk_find(const struct gg_jwks *set, struct gg_str kid)
{
    for (size_t i = 0; i < set->count; i++)
        if (gg_str_is_equal(set->keys[i].kid, kid))
            return &set->keys[i];
    return NULL;
}
