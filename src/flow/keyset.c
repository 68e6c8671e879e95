/* SPDX-License-Identifier: MIT */
#include "gg/flow/keyset.h"

#include "gg/base/log.h"
#include "gg/flow/retry.h"
#include "gg/proto/time.h"
#include "gg/proto/urlenc.h"
#include "gg/store/keys.h"

#include <stdlib.h>

#define ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define FRESH_MS         (3600LL * 1000)
#define KEEP_MS          (24LL * 3600 * 1000)
/* How often one looks whether another's fetch has come to its end. */
#define POLL_MS 50
/* Between the issuer and the key set, as they are shared. */
#define SEPARATOR '\n'
/* Microsoft's clocks and ours, as its own library allows. */
#define ID_LEEWAY_S 120

struct gg_keyset {
    struct gg_arena *arena; /* of the set now held; NULL: none yet */
    struct gg_jwks jwks;
    struct gg_str issuer;
    int64_t fetched_ms;
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

    bool ok;
    gg_retry_earn(c);
    do {
        ok = gg_ctx_fetch(c, &request, response, err);
    } while (gg_retry_wait(c, GG_RETRY_READ, response));
    err->code = ok ? GG_OK : GG_ELOGIN;
    return ok;
}

/* A host that publishes no document is taken to have what Microsoft documents for all of them. */
static bool discover(struct gg_call *c, struct gg_oauth_discovery *found,
                     struct gg_http_response *response, struct gg_err *err)
{
    struct gg_url login;
    struct gg_url keys;

    if (!get(c, gg_ctx_login_url(c, "v2.0/.well-known/openid-configuration"), response, err))
        return false;
    if (response->status == 404) {
        found->jwks_uri = gg_str_of(gg_ctx_login_url(c, "discovery/v2.0/keys"));
        found->issuer =
            gg_str_of(gg_arena_printf(c->arena, "%s/{tenantid}/v2.0", c->ctx->conf->login_url));
        return true;
    }
    if (response->status != 200)
        return gg_fail(err, GG_ELOGIN, "discovery answered %d", response->status);
    if (!gg_oauth_parse_discovery(c->arena, response->body, found, err))
        return false;
    /* Plain http only where the configuration itself says so, and then only on this machine. */
    if (!gg_urlenc_parse_url(found->jwks_uri, &keys) ||
        !gg_urlenc_parse_url(gg_str_of(c->ctx->conf->login_url), &login) ||
        (!keys.is_https && (login.is_https || !gg_url_is_loopback(&keys))))
        return gg_fail(err, GG_ELOGIN, "the discovery document's jwks_uri is not usable");
    return true;
}

/* Replaces the set that is held, unless this one is none. */
static bool hold(struct gg_keyset *k, struct gg_str text, int64_t age_ms, struct gg_err *err)
{
    struct gg_arena *arena = gg_arena_open();
    struct gg_jwks jwks = {0};
    struct gg_str rest = text;
    struct gg_str issuer;

    (void)gg_str_take(&rest, SEPARATOR, &issuer);
    if (!gg_jwk_parse_set(arena, rest, &jwks, err)) {
        gg_arena_close(arena);
        return false;
    }
    gg_arena_close(k->arena);
    k->arena = arena;
    k->jwks = jwks;
    k->issuer = gg_str_of(gg_arena_copy(arena, issuer.p, issuer.n));
    k->fetched_ms = gg_clock_mono_ms() - age_ms;
    return true;
}

static int64_t held_ms(const struct gg_keyset *k)
{
    return k->arena == NULL ? KEEP_MS : gg_clock_mono_ms() - k->fetched_ms;
}

static struct gg_keys_store shared(struct gg_call *c)
{
    return (struct gg_keys_store){c->ctx->db, &c->ctx->fernet, gg_str_of(gg_ctx_login_url(c, ""))};
}

/* Asks Microsoft for the set and holds it; *text is what others need to do the same. */
static bool fetch(struct gg_call *c, struct gg_str *text, struct gg_err *err)
{
    struct gg_oauth_discovery found = {0};
    struct gg_http_response response;
    struct gg_keyset *k = c->ctx->keyset;

    if (!discover(c, &found, &response, err) || !get(c, found.jwks_uri.p, &response, err))
        return false;
    if (response.status != 200)
        return gg_fail(err, GG_ELOGIN, "the keys' address answered %d", response.status);
    *text = gg_str_of(gg_arena_printf(c->arena, "%.*s%c%.*s", GG_STR_ARG(found.issuer), SEPARATOR,
                                      GG_STR_ARG(response.body)));
    if (!hold(k, *text, 0, err))
        return false;
    gg_log(GG_INFO, "keys.load", "count=%zu", k->jwks.count);
    return true;
}

/* Asks for the set in one's turn, and shares it. */
static bool load(struct gg_call *c, struct gg_str kid, struct gg_err *err)
{
    struct gg_keys_answer answer = {0};
    struct gg_err ignored;

    if (!fetch(c, &answer.text, err)) {
        if (!gg_keys_drop_turn(shared(c), c->arena, &ignored))
            gg_log(GG_WARNING, "keys.load", "result=failed reason=\"%s\"", ignored.log);
        return false;
    }
    /* Ids are anybody's to invent: one that is in no set must not cost a fetch again and again. */
    answer.is_fruitless = gg_jwk_find(&c->ctx->keyset->jwks, kid) == NULL;
    return gg_keys_put(shared(c), c->arena, &answer, err);
}

enum turn { TURN_AGAIN, TURN_DONE, TURN_FAILED };

/* One look at what is shared, and a fetch when that will not do and it is one's turn. */
static enum turn take_turn(struct gg_call *c, struct gg_str kid, struct gg_err *err)
{
    struct gg_keyset *k = c->ctx->keyset;
    struct gg_keys keys;
    struct gg_err ignored;
    bool taken;

    if (!gg_keys_find(shared(c), c->arena, &keys, err))
        return TURN_FAILED;
    if (keys.text.p != NULL && keys.age_ms < held_ms(k))
        (void)hold(k, keys.text, keys.age_ms, &ignored);
    bool has_key = held_ms(k) < KEEP_MS && gg_jwk_find(&k->jwks, kid) != NULL;
    if (held_ms(k) < FRESH_MS && (has_key || keys.is_closed))
        return TURN_DONE;
    if (!gg_keys_take_turn(shared(c), c->arena, &keys, &taken, err))
        return TURN_FAILED;
    if (!taken)
        return has_key ? TURN_DONE : TURN_AGAIN;
    if (load(c, kid, err))
        return TURN_DONE;
    if (!has_key)
        return TURN_FAILED;
    gg_log(GG_WARNING, "keys.load", "result=failed reason=\"%s\"", err->log);
    return TURN_DONE;
}

/* Until the set is as good as it gets for this id. */
static bool renew(struct gg_call *c, struct gg_str kid, struct gg_err *err)
{
    for (;;) {
        enum turn turn = take_turn(c, kid, err);
        if (turn != TURN_AGAIN)
            return turn == TURN_DONE;
        if (gg_deadline_left_ms(c->deadline) < 2 * POLL_MS)
            return gg_fail(err, GG_ELOGIN, "another's fetch of the keys did not end in time");
        gg_clock_sleep_ms(POLL_MS);
    }
}

bool gg_keyset_find(struct gg_call *c, struct gg_str kid, struct gg_keyset_key *out,
                    struct gg_err *err)
{
    struct gg_keyset *k = c->ctx->keyset;

    if ((held_ms(k) >= FRESH_MS || gg_jwk_find(&k->jwks, kid) == NULL) && !renew(c, kid, err))
        return false;
    out->jwk = gg_jwk_find(&k->jwks, kid);
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

/* What can be said of a call to an administrator, who is not shown what stands in the log. */
static const char *tell(struct gg_call *c, const struct gg_http_response *response)
{
    static const char *const ends[] = {
        [GG_HTTP_WHOLE] = "its answer is not usable",
        [GG_HTTP_UNSENT] = "cannot be reached",
        [GG_HTTP_LOST] = "the connection broke",
        [GG_HTTP_LATE] = "no answer in time",
        [GG_HTTP_BAD] = "a bad certificate, or an answer that is too large",
    };

    if (response->end == GG_HTTP_WHOLE && response->status != 200)
        return gg_arena_printf(c->arena, "answered %d", response->status);
    return ends[response->end];
}

void gg_keyset_probe(struct gg_call *c, struct gg_keyset_probe *out)
{
    struct gg_oauth_discovery found = {0};
    struct gg_http_response response = {.end = GG_HTTP_BAD};
    struct gg_jwks *jwks = gg_arena_alloc(c->arena, sizeof *jwks);
    struct gg_err err;
    int64_t start_ms = gg_clock_mono_ms();

    *out = (struct gg_keyset_probe){.keys_fault = "not asked, as discovery failed"};
    if (!discover(c, &found, &response, &err)) {
        out->discovery_fault = tell(c, &response);
        gg_log(GG_ERROR, "health", "part=discovery reason=\"%s\"", err.log);
    }
    int64_t date_s = 0;
    out->has_date = gg_time_parse_http(response.date, &date_s);
    out->ahead_s = gg_clock_now_s() - date_s;
    int64_t found_ms = gg_clock_mono_ms();
    out->discovery_ms = found_ms - start_ms;
    if (out->discovery_fault != NULL)
        return;
    out->keys_fault = NULL;
    if (!get(c, found.jwks_uri.p, &response, &err) || response.status != 200 ||
        !gg_jwk_parse_set(c->arena, response.body, jwks, &err)) {
        out->keys_fault = tell(c, &response);
        gg_log(GG_ERROR, "health", "part=keys reason=\"%s\"", out->keys_fault);
    }
    out->key_count = jwks->count;
    out->keys_ms = gg_clock_mono_ms() - found_ms;
}
