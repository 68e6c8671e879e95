/* SPDX-License-Identifier: MIT */
#include "gg/flow/ctx.h"

struct gg_token_store gg_ctx_tokens(const struct gg_ctx *ctx)
{
    return (struct gg_token_store){
        .db = ctx->db,
        .fernet = &ctx->fernet,
        .refuses_unsealed = ctx->conf->refuses_unsealed,
        .max_age_days = ctx->conf->token_max_age_days,
    };
}

const char *gg_ctx_login_url(const struct gg_call *c, const char *path)
{
    const struct gg_conf *conf = c->ctx->conf;

    return gg_arena_printf(c->arena, "%s/%s/%s", conf->login_url, conf->tenant, path);
}

bool gg_ctx_fetch(struct gg_call *c, const struct gg_http_request *request,
                  struct gg_http_response *response, struct gg_err *err)
{
    int64_t start_us = gg_clock_mono_us();

    gg_db_rest(c->ctx->db);
    bool ok = gg_http_fetch(c->ctx->http, c->arena, request, response, err);

    c->graph_us += gg_clock_mono_us() - start_us;
    return ok;
}
