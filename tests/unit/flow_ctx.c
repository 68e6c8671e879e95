/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/flow/ctx.h"

START_TEST(what_is_made_of_it)
{
    const struct gg_conf conf = {.login_url = "https://login.example", .tenant = "common"};
    struct gg_ctx ctx = {.conf = &conf};
    const struct gg_call call = {.ctx = &ctx, .arena = gg_arena_open()};

    ck_assert_str_eq(gg_ctx_login_url(&call, "a/b"), "https://login.example/common/a/b");
    ck_assert_ptr_eq(gg_ctx_tokens(&ctx).fernet, &ctx.fernet);
    ck_assert_ptr_eq(gg_ctx_tokens(&ctx).db, ctx.db);
    gg_arena_close(call.arena);
}
END_TEST

GG_UNIT_MAIN("flow/ctx", what_is_made_of_it)
