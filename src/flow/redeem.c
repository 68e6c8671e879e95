/* SPDX-License-Identifier: MIT */
#include "gg/flow/redeem.h"

#include "gg/flow/retry.h"
#include "gg/proto/aadsts.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)512 * 1024)
#define FORM_BYTES_MAX   ((size_t)512 * 1024)

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
        {"client_secret", gg_secret_reveal(conf->client_secret)},
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

bool gg_redeem(struct gg_call *c, const struct gg_grant *grant, struct gg_tokens *tokens,
               struct gg_oauth_refusal *refusal, struct gg_err *err)
{
    struct gg_http_request request = {
        .method = "POST",
        .url = gg_ctx_login_url(c, "oauth2/v2.0/token"),
        .headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"},
        .body = format_form(c, grant),
        .timeout_s = grant->timeout_s,
        .deadline = c->deadline,
        .cap_bytes = ANSWER_BYTES_MAX,
    };
    struct gg_http_response response;

    *refusal = (struct gg_oauth_refusal){.class = GG_OAUTH_PASSING, .retry_after_s = -1};
    if (!gg_http_fetch(c->ctx->http, c->arena, &request, &response, err))
        return false;
    if (gg_oauth_parse_tokens(c->arena, response.status, response.body, tokens, refusal))
        return true;
    (void)gg_fail(err, GG_ELOGIN, "the token endpoint answered %d error=%s aadsts=%s",
                  response.status, refusal->error, refusal->codes);
    memcpy(err->microsoft_code, refusal->error, sizeof err->microsoft_code);
    err->why = gg_aadsts_why(refusal->codes, refusal->error);
    refusal->retry_after_s = gg_retry_asked_s(&response);
    return false;
}
