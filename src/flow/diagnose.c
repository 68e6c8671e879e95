/* SPDX-License-Identifier: MIT */
#include "gg/flow/diagnose.h"

#include "gg/proto/aadsts.h"
#include "gg/proto/jwk.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define FORM_BYTES_MAX   ((size_t)64 * 1024)
#define TENANT_MARK      "{tenantid}"

static bool fetch(struct gg_call *c, struct gg_http_request request,
                  struct gg_http_response *response, struct gg_err *err)
{
    request.timeout_s = (int)c->ctx->conf->login_timeout_s;
    request.deadline = c->deadline;
    request.cap_bytes = ANSWER_BYTES_MAX;
    bool ok = gg_http_fetch(c->ctx->http, c->arena, &request, response, err);
    err->code = ok ? GG_OK : GG_ELOGIN;
    return ok;
}

static bool has_part(struct gg_str text, struct gg_str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (gg_str_is_equal_nocase((struct gg_str){text.p + i, part.n}, part))
            return true;
    return false;
}

/* A class of tenants, which no application's own token can be had of. */
static bool is_class(const char *tenant)
{
    static const char *const classes[] = {"common", "organizations", "consumers",
                                          GG_OAUTH_CONSUMERS};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (gg_str_is_equal_nocase(gg_str_of(tenant), gg_str_of(classes[i])))
            return true;
    return false;
}

/* A domain's document names the tenant by its id, which nothing here knows. */
static bool is_of_tenant(struct gg_str issuer, struct gg_str tenant)
{
    bool is_template = has_part(issuer, GG_STR(TENANT_MARK));

    if (gg_str_is_equal_nocase(tenant, GG_STR("common")) ||
        gg_str_is_equal_nocase(tenant, GG_STR("organizations")))
        return is_template;
    if (gg_str_is_equal_nocase(tenant, GG_STR("consumers")))
        return has_part(issuer, GG_STR(GG_OAUTH_CONSUMERS));
    return gg_str_is_uuid(tenant) ? has_part(issuer, tenant) : !is_template;
}

bool gg_diagnose_discovery(struct gg_call *c, struct gg_diagnose_discovery *out, struct gg_err *err)
{
    const struct gg_conf *conf = c->ctx->conf;
    struct gg_http_request request = {.method = "GET", .headers = {"Accept: application/json"}};
    struct gg_http_response response;
    struct gg_oauth_refusal refusal;
    struct gg_tokens none;
    struct gg_json *v;

    *out = (struct gg_diagnose_discovery){
        .url = gg_ctx_login_url(c, "v2.0/.well-known/openid-configuration")};
    request.url = out->url;
    bool ok = fetch(c, request, &response, err);
    out->end = response.end;
    out->status = response.status;
    if (!ok)
        return false;
    if (response.status == 404) {
        out->document.jwks_uri = gg_str_of(gg_ctx_login_url(c, "discovery/v2.0/keys"));
        out->is_of_tenant = true;
        return true;
    }
    if (response.status != 200) {
        if (!gg_oauth_parse_tokens(c->arena, response.status, response.body, &none, &refusal))
            out->why = gg_aadsts_why(refusal.codes, refusal.error);
        return gg_fail(err, GG_ELOGIN, "it answered %d error=%s aadsts=%s", response.status,
                       refusal.error, refusal.codes);
    }
    if (!gg_oauth_parse_discovery(c->arena, response.body, &out->document, err))
        return false;
    if (gg_json_parse(c->arena, response.body, &v, err))
        out->graph_host = gg_json_text(v, "msgraph_host");
    out->is_of_tenant = is_of_tenant(out->document.issuer, gg_str_of(conf->tenant));
    return true;
}

bool gg_diagnose_keys(struct gg_call *c, const struct gg_diagnose_discovery *found, size_t *count,
                      struct gg_err *err)
{
    struct gg_http_request request = {.method = "GET", .headers = {"Accept: application/json"}};
    struct gg_http_response response;
    struct gg_jwks keys = {0};
    struct gg_url url;
    struct gg_url login;

    /* Where gg_keyset would not go for them either. */
    if (!gg_urlenc_parse_url(found->document.jwks_uri, &url) ||
        !gg_urlenc_parse_url(gg_str_of(c->ctx->conf->login_url), &login) ||
        (!url.is_https && (login.is_https || !gg_url_is_loopback(&url))))
        return gg_fail(err, GG_ELOGIN, "the document's jwks_uri is not usable");
    request.url = found->document.jwks_uri.p;
    if (!fetch(c, request, &response, err))
        return false;
    if (response.status != 200)
        return gg_fail(err, GG_ELOGIN, "the keys' address answered %d", response.status);
    if (!gg_jwk_parse_set(c->arena, response.body, &keys, err)) {
        err->code = GG_ELOGIN;
        return false;
    }
    *count = keys.count;
    return true;
}

/* "https://graph.microsoft.com/.default": all that the application itself may do at Graph. */
static const char *own_scope(struct gg_call *c)
{
    struct gg_url url;

    return gg_urlenc_parse_url(gg_str_of(c->ctx->conf->graph_url), &url)
               ? gg_arena_printf(c->arena, "%.*s/.default", GG_STR_ARG(url.origin))
               : ".default";
}

static struct gg_str format_form(struct gg_call *c, struct gg_secret secret, bool is_one_tenant)
{
    const struct gg_conf *conf = c->ctx->conf;
    struct gg_buf form;
    const struct {
        const char *name;
        const char *value; /* NULL: left out */
    } pairs[] = {
        {"grant_type", is_one_tenant ? "client_credentials" : "authorization_code"},
        {"scope", is_one_tenant ? own_scope(c) : conf->scopes},
        {"code", is_one_tenant ? NULL : "graphgate-check-this-is-no-code"},
        {"redirect_uri", is_one_tenant ? NULL : conf->redirect_uri},
        {"client_id", conf->client_id},
    };

    gg_buf_init(&form, c->arena, FORM_BYTES_MAX);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].value != NULL)
            gg_urlenc_add_pair(&form, pairs[i].name, gg_str_of(pairs[i].value));
    gg_urlenc_add_pair(&form, "client_secret", gg_secret_reveal(secret));
    return gg_buf_str(&form);
}

bool gg_diagnose_client(struct gg_call *c, struct gg_secret secret, struct gg_diagnose_client *out,
                        struct gg_err *err)
{
    bool is_one_tenant = !is_class(c->ctx->conf->tenant);
    struct gg_http_request request = {
        .method = "POST",
        .url = gg_ctx_login_url(c, "oauth2/v2.0/token"),
        .headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"},
        .body = format_form(c, secret, is_one_tenant),
        .wants_own_connection = true, /* else an old one that ends would be taken for a fault */
    };
    struct gg_http_response response;
    struct gg_tokens tokens;

    *out = (struct gg_diagnose_client){.is_sure = is_one_tenant};
    if (!fetch(c, request, &response, err))
        return false;
    if (gg_oauth_parse_tokens(c->arena, response.status, response.body, &tokens, &out->refusal)) {
        out->is_taken = true;
        return true;
    }
    out->is_taken = !is_one_tenant && strcmp(out->refusal.error, "invalid_grant") == 0;
    (void)gg_fail(err, GG_ELOGIN, "the token endpoint answered %d error=%s aadsts=%s",
                  response.status, out->refusal.error, out->refusal.codes);
    return out->is_taken || out->refusal.class == GG_OAUTH_OPERATOR;
}
