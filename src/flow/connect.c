/* SPDX-License-Identifier: MIT */
#include "gg/flow/connect.h"

#include "gg/base/log.h"
#include "gg/flow/audit.h"
#include "gg/flow/keyset.h"
#include "gg/flow/redeem.h"
#include "gg/proto/returnto.h"
#include "gg/store/login.h"

static bool redeem_code(struct gg_call *c, const struct gg_connect *connect,
                        const struct gg_login *login, struct gg_tokens *tokens, struct gg_err *err)
{
    static const enum gg_code codes[] = {
        [GG_OAUTH_PASSING] = GG_ELOGIN,
        [GG_OAUTH_PERMANENT] = GG_EAUTHFAILED,
        [GG_OAUTH_OPERATOR] = GG_ECLIENT,
    };
    struct gg_grant grant = {
        .code = connect->code,
        .code_verifier = login->code_verifier,
        .timeout_s = (int)c->ctx->conf->login_timeout_s,
        .deadline = c->deadline,
    };
    struct gg_oauth_refusal refusal;

    if (!gg_secret_is_set(connect->code))
        return gg_fail(err, GG_EAUTHFAILED, "the authorization response has no code");
    if (gg_redeem(c, &grant, tokens, &refusal, err))
        return true;
    err->code = codes[refusal.class];
    return false;
}

/* Whose account this is: the caller's of the start, or the one that belongs to the identity. */
static bool find_account(struct gg_call *c, struct gg_connect *connect,
                         const struct gg_login *login, const struct gg_identity *identity,
                         struct gg_err *err)
{
    struct gg_account_store s = {c->ctx->db, login->realm};
    struct gg_account *account = &connect->account;

    if (!connect->is_sign_in) {
        *account = (struct gg_account){true, login->subject, *identity};
        return true;
    }
    switch (c->ctx->conf->sign_in) {
    case GG_SIGN_IN_PROVISION:
        return gg_account_put(s, c->arena, identity, account, err);
    case GG_SIGN_IN_EXISTING:
        if (!gg_account_find_identity(s, c->arena, identity, account, err))
            return false;
        return account->found || gg_fail(err, GG_EACCOUNT, "the identity has no account");
    default:
        return gg_fail(err, GG_EACCOUNT, "SIGN_IN is off");
    }
}

static bool store(struct gg_call *c, const struct gg_connect *connect,
                  const struct gg_tokens *tokens, struct gg_err *err)
{
    const struct gg_identity *identity = &connect->account.identity;
    struct gg_token_key key = {connect->realm, connect->account.id};
    struct gg_token_connect row = {
        .set = *tokens,
        .owner =
            {
                .microsoft_id = identity->microsoft_id,
                .email = identity->email,
                .tenant_id = identity->tenant_id,
            },
    };

    return gg_token_put(gg_ctx_tokens(c->ctx), c->arena, key, &row, err);
}

/* From a state that was found to stored tokens. */
static bool finish(struct gg_call *c, struct gg_connect *connect, struct gg_login *login,
                   struct gg_err *err)
{
    struct gg_tokens tokens = {0};
    struct gg_oauth_id id = {0};

    /* Not only at the start: the list may have changed, or what is stored. */
    if (login->return_to.p != NULL &&
        !gg_returnto_is_allowed(c->ctx->conf->allowed_return_urls, login->return_to))
        return gg_fail(err, GG_ESTATE, "where it should return to is not allowed");
    connect->return_to = login->return_to;
    if (connect->error.n > 0)
        return gg_oauth_fail_response(connect->error, connect->error_description, err);
    if (!redeem_code(c, connect, login, &tokens, err) ||
        !gg_keyset_check_id(c, tokens.id_token, login->nonce, &id, err))
        return false;
    if (connect->issuer.p != NULL && !gg_str_is_equal(connect->issuer, id.issuer))
        return gg_fail(err, GG_EAUTHFAILED, "the authorization response is another issuer's");
    struct gg_identity identity = {id.tenant_id, id.microsoft_id, id.email, id.full_name};
    if (!find_account(c, connect, login, &identity, err) || !store(c, connect, &tokens, err))
        return false;
    gg_log(GG_INFO, "auth.connect", "realm=%s subject=%.*s flow=%s", login->realm->name,
           GG_STR_ARG(connect->account.id), connect->is_sign_in ? "sign_in" : "connect");
    return true;
}

bool gg_connect_finish(struct gg_call *c, struct gg_connect *connect, struct gg_err *err)
{
    struct gg_login_store logins = {c->ctx->db, &c->ctx->fernet};
    struct gg_login_key key = {connect->state, connect->browser};
    struct gg_login login = {0};

    if (!gg_secret_is_set(key.state) || !gg_secret_is_set(key.browser))
        return gg_fail(err, GG_ESTATE, "no state, or no cookie of this browser");
    if (!gg_login_take(logins, c->arena, key, &login, err))
        return false;
    connect->realm = login.realm;
    connect->is_sign_in = login.subject.p == NULL;
    bool ok = finish(c, connect, &login, err);
    gg_audit_note(c, (struct gg_audit_event){
                         .event = "token.connect",
                         .realm = login.realm,
                         .subject = ok ? connect->account.id : login.subject,
                         .result = gg_audit_result(ok, err),
                         .detail = login.subject.p == NULL ? "sign_in" : "connect",
                     });
    return ok;
}

bool gg_connect_find(struct gg_call *c, struct gg_token_key key, struct gg_connection *connection,
                     struct gg_err *err)
{
    struct gg_account_store accounts = {c->ctx->db, key.realm};

    return gg_account_find(accounts, c->arena, key.subject, &connection->account, err) &&
           gg_token_find(gg_ctx_tokens(c->ctx), c->arena, key, &connection->token, err);
}

bool gg_connect_drop(struct gg_call *c, struct gg_token_key key, struct gg_err *err)
{
    if (!gg_token_drop(gg_ctx_tokens(c->ctx), c->arena, key, err))
        return false;
    gg_audit_note(c, (struct gg_audit_event){
                         .event = "token.disconnect", .realm = key.realm, .subject = key.subject});
    gg_log(GG_INFO, "auth.disconnect", "realm=%s subject=%.*s", key.realm->name,
           GG_STR_ARG(key.subject));
    return true;
}
