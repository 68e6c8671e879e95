/* SPDX-License-Identifier: MIT */
#include "ctl.h"

static int run(struct gg_ctl *c)
{
    struct gg_str key;
    struct gg_err err;

    if (c->argc > 1)
        return gg_ctl_misuse(c, "takes no arguments");
    if (!gg_fernet_generate(c->arena, &key, &err))
        return gg_ctl_fail("%s", err.log);
    return gg_ctl_write(gg_str_of(gg_arena_printf(c->arena, "%.*s\n", GG_STR_ARG(key))));
}

const struct gg_ctl_command gg_ctl_genkey = {
    .name = "genkey",
    .usage = "",
    .help = "prints a new Fernet key, for TOKEN_ENCRYPTION_KEY",
    .need = GG_CTL_NEEDS_NOTHING,
    .run = run,
};
