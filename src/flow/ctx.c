/* SPDX-License-Identifier: MIT */
#include "gg/flow/ctx.h"

struct gg_token_store gg_ctx_tokens(const struct gg_ctx *ctx)
{
    return (struct gg_token_store){
        .db = ctx->db, .fernet = &ctx->fernet, .refuses_unsealed = ctx->conf->refuses_unsealed};
}

const char *gg_ctx_login_url(const struct gg_call *c, const char *path)
{
    const struct gg_conf *conf = c->ctx->conf;

    return gg_arena_printf(c->arena, "%s/%s/%s", conf->login_url, conf->tenant, path);
}
