/* SPDX-License-Identifier: MIT */
#include "gg/flow/redeem.h"

#include "gg/base/log.h"
#include "gg/flow/retry.h"
#include "gg/proto/aadsts.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)512 * 1024)
#define FORM_BYTES_MAX   ((size_t)512 * 1024)
/* With less time than this the other secret is not tried: it would look like Microsoft's delay. */
#define SECOND_TRY_MS 500

static struct gg_secret secret_at_hand(const struct gg_ctx *ctx)
{
    return ctx->takes_next_secret ? ctx->conf->client_secret_next : ctx->conf->client_secret;
}

static struct gg_str format_form(struct gg_call *c, const struct gg_grant *grant)
{
    const struct gg_conf *conf = c->ctx->conf;
    bool is_code = gg_secret_is_set(grant->code);
    struct gg_buf form;
    const struct {
        const char *name;
        struct gg_str value; /* absent: left out */
    } pairs[] = {
        {"client_id", gg_str_of(conf->client_id)},
        {"client_secret", gg_secret_reveal(secret_at_hand(c->ctx))},
        {"grant_type", is_code ? GG_STR("authorization_code") : GG_STR("refresh_token")},
        {"code", gg_secret_reveal(grant->code)},
        {"code_verifier", gg_secret_reveal(grant->code_verifier)},
        {"redirect_uri", is_code ? gg_str_of(conf->redirect_uri) : gg_str_of(NULL)},
        {"refresh_token", gg_secret_reveal(grant->refresh_token)},
        {"scope", gg_str_of(conf->scopes)},
        {"claims", gg_str_of(grant->claims)},
    };

    gg_buf_init(&form, c->arena, FORM_BYTES_MAX);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].value.p != NULL)
            gg_urlenc_add_pair(&form, pairs[i].name, pairs[i].value);
    return gg_buf_str(&form);
}

static bool ask(struct gg_call *c, const struct gg_grant *grant, struct gg_tokens *tokens,
                struct gg_oauth_refusal *refusal, struct gg_err *err)
{
    struct gg_http_request request = {
        .method = "POST",
        .url = gg_ctx_login_url(c, "oauth2/v2.0/token"),
        .headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"},
        .body = format_form(c, grant),
        .timeout_s = grant->timeout_s,
        .deadline = grant->deadline,
        .cap_bytes = ANSWER_BYTES_MAX,
        .wants_own_connection = true,
    };
    struct gg_http_response response;

    *refusal = (struct gg_oauth_refusal){.class = GG_OAUTH_PASSING, .retry_after_s = -1};
    if (!gg_ctx_fetch(c, &request, &response, err))
        return false;
    if (gg_oauth_parse_tokens(c->arena, response.status, response.body, tokens, refusal))
        return true;
    (void)gg_fail(err, GG_ELOGIN, "the token endpoint answered %d error=%s aadsts=%s",
                  response.status, refusal->error, refusal->codes);
    memcpy(err->microsoft_code, refusal->error, sizeof err->microsoft_code);
    err->why = gg_aadsts_why(refusal->codes, refusal->error);
    refusal->retry_after_s = gg_retry_asked_s(&response);
    c->is_throttled = c->is_throttled || response.status == 429 ||
                      (response.status == 503 && refusal->retry_after_s >= 0);
    return false;
}

static bool is_client_refused(const struct gg_oauth_refusal *refusal)
{
    return refusal->class == GG_OAUTH_OPERATOR && strcmp(refusal->error, "invalid_client") == 0;
}

/* Both are there, and differ: the same one again would be refused again. */
static bool has_other_secret(const struct gg_conf *conf)
{
    return gg_secret_is_set(conf->client_secret_next) &&
           !gg_secret_is_equal(conf->client_secret, conf->client_secret_next);
}

/*
 * The client is looked at before the grant (RFC 6749 section 3.2.1): a code that came with a bad
 * secret is not spent, and any other answer to the grant says that the secret was taken.
 */
bool gg_redeem(struct gg_call *c, const struct gg_grant *grant, struct gg_tokens *tokens,
               struct gg_oauth_refusal *refusal, struct gg_err *err)
{
    bool *takes_next = &c->ctx->takes_next_secret;

    if (ask(c, grant, tokens, refusal, err))
        return true;
    if (!is_client_refused(refusal) || !has_other_secret(c->ctx->conf) ||
        gg_deadline_left_ms(grant->deadline) < SECOND_TRY_MS)
        return false;
    *takes_next = !*takes_next;
    bool ok = ask(c, grant, tokens, refusal, err);
    if (!ok && (refusal->class == GG_OAUTH_PASSING || is_client_refused(refusal)))
        *takes_next = !*takes_next;
    else
        gg_log(GG_WARNING, "client.secret", "refused=%s taken=%s reason=\"%s\"",
               *takes_next ? "MSCLIENTSECRET" : "MSCLIENTSECRET_NEXT",
               *takes_next ? "MSCLIENTSECRET_NEXT" : "MSCLIENTSECRET",
               *takes_next ? "swap them: the one that is taken belongs into MSCLIENTSECRET"
                           : "MSCLIENTSECRET_NEXT is of no use any more");
    return ok;
}
