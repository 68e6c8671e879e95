/* SPDX-License-Identifier: MIT */
#include "stand_in.h"

#include "database.h"
#include "unit.h"

#include "gg/flow/keyset.h"
#include "id_token.h"

static void close_ctx(void *arg)
{
    struct gg_ctx *ctx = arg;

    gg_http_close(ctx->http);
    gg_keyset_close(ctx->keyset);
}

void stand_in_open(struct stand_in *s)
{
    *s = (struct stand_in){.arena = gg_arena_open()};
    s->microsoft = loopback_open(s->arena);
    s->conf = (struct gg_conf){
        .client_id = "client",
        .client_secret = {"client-secret", 13},
        .tenant = ID_TOKEN_TENANT,
        .redirect_uri = "https://a.example/cb",
        .login_url = loopback_url(s->microsoft),
        .graph_url = gg_arena_printf(s->arena, "%s/v1.0", loopback_url(s->microsoft)),
        .scopes = "openid User.Read",
        .sign_in = GG_SIGN_IN_PROVISION,
        .allowed_return_urls = "https://a.example",
        .connect_timeout_s = 2,
        .login_timeout_s = 2,
        .graph_timeout_s = 2,
        .request_deadline_s = 10,
    };
    s->ctx = (struct gg_ctx){
        .conf = &s->conf,
        .is_configured = true,
        .fernet = {.count = 1, .keys = {{1, 2, 3}}},
        .jwt_key = {GG_SHA256, {"jwt-secret", 10}},
        .db = database_open(s->arena),
        .http = gg_http_open((struct gg_http_options){.connect_timeout_s = 2}),
        .keyset = gg_keyset_open(),
    };
    ck_assert(gg_audit_derive(&s->ctx.fernet, &s->ctx.audit_keys, &s->err));
    gg_arena_defer(s->arena, close_ctx, &s->ctx);
    s->call =
        (struct gg_call){.ctx = &s->ctx, .arena = s->arena, .deadline = gg_deadline_in(10000)};
    database_run(s->ctx.db, "DELETE FROM microsoft_oauth_tokens; DELETE FROM login_states;"
                            "DELETE FROM beta_microsoft_oauth_tokens; DELETE FROM session_codes;"
                            "DELETE FROM users; DELETE FROM beta_teachers; DELETE FROM rate_limits;"
                            "DELETE FROM refresh_families; DELETE FROM signing_keys;"
                            "DELETE FROM audit_log; DELETE FROM audit_seals");
}

void stand_in_close(struct stand_in *s)
{
    gg_arena_close(s->arena);
}

struct gg_token_key stand_in_connect(struct stand_in *s, const char *access, int64_t left_s)
{
    struct gg_token_key key = {gg_realm(GG_REALM_MAIN), GG_STR("7")};
    struct gg_token_connect connect = {
        .set =
            {
                .access_token = gg_secret_of(gg_str_of(access)),
                .refresh_token = {"refresh-1", 9},
                .expires_in_s = 3600,
            },
        .owner = {GG_STR("oid"), GG_STR("a@b"), GG_STR("tid")},
    };

    ck_assert_msg(gg_token_put(gg_ctx_tokens(&s->ctx), s->arena, key, &connect, &s->err), "%s",
                  s->err.log);
    database_run(s->ctx.db,
                 gg_arena_printf(s->arena,
                                 "UPDATE microsoft_oauth_tokens SET expires_at = NOW() + INTERVAL"
                                 " %lld SECOND WHERE user_id = 7",
                                 (long long)left_s));
    return key;
}
