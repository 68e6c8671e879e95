/* SPDX-License-Identifier: MIT */
#include "gg/flow/keyset.h"

#include "gg/base/log.h"
#include "gg/proto/urlenc.h"

#include <stdlib.h>

#define ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define FRESH_MS         (3600LL * 1000)
#define KEEP_MS          (24LL * 3600 * 1000)
/* Unknown key ids may cost this many fetches in each span of that length. */
#define UNKNOWN_MAX     3
#define UNKNOWN_SPAN_MS (300LL * 1000)
/* Microsoft's clocks and ours, as its own library allows. */
#define ID_LEEWAY_S 120

struct gg_keyset {
    struct gg_arena *arena; /* of the set now held; NULL: none yet */
    struct gg_jwks jwks;
    struct gg_str issuer;
    int64_t fetched_ms;
    int64_t unknown_since_ms;
    int unknown_count;
};

struct gg_keyset *gg_keyset_open(void)
{
    struct gg_keyset *k = calloc(1, sizeof *k);

    if (k == NULL)
        abort();
    return k;
}

void gg_keyset_close(struct gg_keyset *k)
{
    if (k == NULL)
        return;
    gg_arena_close(k->arena);
    free(k);
}

static bool get(struct gg_call *c, const char *url, struct gg_http_response *response,
                struct gg_err *err)
{
    struct gg_http_request request = {
        .method = "GET",
        .url = url,
        .headers = {"Accept: application/json"},
        .timeout_s = (int)c->ctx->conf->login_timeout_s,
        .deadline = c->deadline,
        .cap_bytes = ANSWER_BYTES_MAX,
    };

    if (gg_http_fetch(c->ctx->http, c->arena, &request, response, err))
        return true;
    err->code = GG_ELOGIN;
    return false;
}

/* A host that publishes no document is taken to have what Microsoft documents for all of them. */
static bool discover(struct gg_call *c, struct gg_oauth_discovery *found, struct gg_err *err)
{
    struct gg_http_response response;
    struct gg_url login;
    struct gg_url keys;

    if (!get(c, gg_ctx_login_url(c, "v2.0/.well-known/openid-configuration"), &response, err))
        return false;
    if (response.status == 404) {
        found->jwks_uri = gg_str_of(gg_ctx_login_url(c, "discovery/v2.0/keys"));
        found->issuer =
            gg_str_of(gg_arena_printf(c->arena, "%s/{tenantid}/v2.0", c->ctx->conf->login_url));
        return true;
    }
    if (response.status != 200)
        return gg_fail(err, GG_ELOGIN, "discovery answered %d", response.status);
    if (!gg_oauth_parse_discovery(c->arena, response.body, found, err))
        return false;
    /* Plain http only where the configuration itself says so, and then only on this machine. */
    if (!gg_urlenc_parse_url(found->jwks_uri, &keys) ||
        !gg_urlenc_parse_url(gg_str_of(c->ctx->conf->login_url), &login) ||
        (!keys.is_https && (login.is_https || !gg_url_is_loopback(&keys))))
        return gg_fail(err, GG_ELOGIN, "the discovery document's jwks_uri is not usable");
    return true;
}

/* Replaces the set that is held; leaves it as it is when anything fails. */
static bool load(struct gg_call *c, struct gg_keyset *k, struct gg_err *err)
{
    struct gg_oauth_discovery found = {0};
    struct gg_http_response response;
    struct gg_jwks jwks;

    if (!discover(c, &found, err) || !get(c, found.jwks_uri.p, &response, err))
        return false;
    if (response.status != 200)
        return gg_fail(err, GG_ELOGIN, "the keys' address answered %d", response.status);
    struct gg_arena *arena = gg_arena_open();
    if (!gg_jwk_parse_set(arena, response.body, &jwks, err)) {
        gg_arena_close(arena);
        return false;
    }
    gg_arena_close(k->arena);
    k->arena = arena;
    k->jwks = jwks;
    k->issuer = gg_str_of(gg_arena_copy(arena, found.issuer.p, found.issuer.n));
    k->fetched_ms = gg_clock_mono_ms();
    gg_log(GG_INFO, "keys.load", "count=%zu", jwks.count);
    return true;
}

/* An unknown id may be a new key's; ids are anybody's to invent, so each span has an end to it. */
static bool may_ask_for_unknown(struct gg_keyset *k)
{
    int64_t now_ms = gg_clock_mono_ms();

    if (k->unknown_count == 0 || now_ms - k->unknown_since_ms > UNKNOWN_SPAN_MS) {
        k->unknown_since_ms = now_ms;
        k->unknown_count = 0;
    }
    return k->unknown_count++ < UNKNOWN_MAX;
}

bool gg_keyset_find(struct gg_call *c, struct gg_str kid, struct gg_keyset_key *out,
                    struct gg_err *err)
{
    struct gg_keyset *k = c->ctx->keyset;
    int64_t age_ms = k->arena == NULL ? KEEP_MS : gg_clock_mono_ms() - k->fetched_ms;

    if (age_ms >= FRESH_MS && !load(c, k, err)) {
        if (age_ms >= KEEP_MS)
            return false;
        gg_log(GG_WARNING, "keys.load", "result=failed reason=\"%s\"", err->log);
    }
    out->jwk = gg_jwk_find(&k->jwks, kid);
    if (out->jwk == NULL && may_ask_for_unknown(k)) {
        if (!load(c, k, err))
            return false;
        out->jwk = gg_jwk_find(&k->jwks, kid);
        /* A key that was there is no invention, and does not count. */
        k->unknown_count = out->jwk == NULL ? k->unknown_count : 0;
    }
    out->issuer = k->issuer;
    return out->jwk != NULL || gg_fail(err, GG_EIDTOKEN, "the ID token's key is not known");
}

/* What the proto rooms call a bad token is here a bad ID token. */
static bool as_id_fault(struct gg_err *err)
{
    if (err->code == GG_EINVALIDTOKEN)
        err->code = GG_EIDTOKEN;
    return false;
}

bool gg_keyset_check_id(struct gg_call *c, struct gg_secret id_token, struct gg_secret nonce,
                        struct gg_oauth_id *id, struct gg_err *err)
{
    struct gg_jwt jwt;
    struct gg_keyset_key key;

    if (!gg_secret_is_set(id_token))
        return gg_fail(err, GG_EIDTOKEN, "there is no ID token");
    if (!gg_jwt_parse(c->arena, gg_secret_reveal(id_token), GG_OAUTH_TOKEN_BYTES_MAX, &jwt, err))
        return as_id_fault(err);
    /* Before any key is asked for: another algorithm will not be verified by any. */
    if (!gg_str_is(jwt.alg, "RS256") || jwt.kid.n == 0)
        return gg_fail(err, GG_EIDTOKEN, "the ID token is not signed with RS256 by a named key");
    if (!gg_keyset_find(c, jwt.kid, &key, err))
        return false;
    if (!gg_jwt_verify_rsa(&jwt, key.jwk->rsa, err) ||
        !gg_jwt_check_times(jwt.claims, gg_clock_now_s(), ID_LEEWAY_S, err))
        return as_id_fault(err);
    struct gg_oauth_expect expect = {
        .issuer = key.issuer,
        .key_issuer = key.jwk->issuer,
        .client_id = c->ctx->conf->client_id,
        .tenant = c->ctx->conf->tenant,
        .nonce = nonce,
    };
    return gg_oauth_check_id(c->arena, jwt.claims, &expect, id, err);
}
