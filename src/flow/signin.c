/* SPDX-License-Identifier: MIT */
#include "gg/flow/signin.h"

#include "gg/proto/oauth.h"
#include "gg/proto/returnto.h"
#include "gg/store/login.h"

#define RANDOM_BYTES 32
#define RANDOM_CHARS 43

static bool check_return_to(struct gg_call *c, struct gg_str return_to, struct gg_err *err)
{
    if (return_to.p == NULL || gg_returnto_is_allowed(c->ctx->conf->allowed_return_urls, return_to))
        return true;
    struct gg_fault *fault = gg_arena_alloc(c->arena, sizeof *fault);
    *fault = (struct gg_fault){.field = "return_to", .detail = "is not an allowed address"};
    (void)gg_fail(err, GG_EINVALID, "return_to is not allowed");
    err->faults = fault;
    return false;
}

static bool make_secret(struct gg_call *c, struct gg_secret *out, struct gg_err *err)
{
    struct gg_str text;

    if (!gg_crypto_random_text(c->arena, RANDOM_BYTES, &text, err))
        return false;
    *out = gg_secret_of(text);
    return true;
}

/* A second tab keeps the first one's cookie, so that both can finish. */
static bool choose_cookie(struct gg_call *c, struct gg_signin *s, struct gg_err *err)
{
    struct gg_str given = gg_secret_reveal(s->browser);

    if (given.n == RANDOM_CHARS && gg_str_is_word(given, RANDOM_CHARS, "-_")) {
        s->cookie = s->browser;
        return true;
    }
    return make_secret(c, &s->cookie, err);
}

bool gg_signin_start(struct gg_call *c, struct gg_signin *s, struct gg_err *err)
{
    const struct gg_conf *conf = c->ctx->conf;
    struct gg_login login = {.realm = s->realm, .subject = s->subject, .return_to = s->return_to};
    struct gg_login_key key;
    struct gg_str challenge;

    if (s->subject.p == NULL && conf->sign_in == GG_SIGN_IN_OFF)
        return gg_fail(err, GG_EINVALIDTOKEN, "SIGN_IN is off");
    if (!check_return_to(c, s->return_to, err) || !choose_cookie(c, s, err) ||
        !make_secret(c, &key.state, err) || !make_secret(c, &login.nonce, err) ||
        !make_secret(c, &login.code_verifier, err) ||
        !gg_oauth_challenge(c->arena, login.code_verifier, &challenge, err))
        return false;
    key.browser = s->cookie;
    struct gg_oauth_request request = {
        .endpoint = gg_ctx_login_url(c, "oauth2/v2.0/authorize"),
        .client_id = conf->client_id,
        .redirect_uri = conf->redirect_uri,
        .scopes = conf->scopes,
        .state = gg_secret_reveal(key.state),
        .nonce = gg_secret_reveal(login.nonce),
        .code_challenge = challenge,
    };
    s->auth_url = gg_oauth_format_request(c->arena, &request).p;
    return gg_login_put((struct gg_login_store){c->ctx->db, &c->ctx->fernet}, c->arena, key, &login,
                        err);
}
