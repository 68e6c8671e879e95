/* SPDX-License-Identifier: MIT */
#include "ctl.h"

static int run_encrypt(struct gg_ctl *c)
{
    struct gg_str text;
    struct gg_str token;
    struct gg_err err;

    if (c->argc > 1)
        return gg_ctl_misuse(c, "takes no arguments");
    if (!gg_ctl_read(c, GG_FERNET_IN_BYTES_MAX, &text))
        return gg_ctl_fail("standard input cannot be read, or is over 1 MiB");
    if (!gg_fernet_encrypt(&c->ctx.fernet, c->arena, gg_secret_of(text), &token, &err))
        return gg_ctl_fail("%s", err.log);
    return gg_ctl_write(gg_str_of(gg_arena_printf(c->arena, "%.*s\n", GG_STR_ARG(token))));
}

static int run_decrypt(struct gg_ctl *c)
{
    struct gg_str token;
    struct gg_secret text;
    struct gg_err err;

    if (c->argc > 1)
        return gg_ctl_misuse(c, "takes no arguments");
    if (!gg_ctl_read(c, 2 * GG_FERNET_IN_BYTES_MAX, &token))
        return gg_ctl_fail("standard input cannot be read, or is over 2 MiB");
    while (token.n > 0 && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r'))
        token.n--;
    if (!gg_fernet_decrypt(&c->ctx.fernet, c->arena, gg_str_trim(token), &text, &err))
        return gg_ctl_fail("it does not decrypt: %s", err.log);
    return gg_ctl_write(gg_secret_reveal(text));
}

const struct gg_ctl_command gg_ctl_encrypt = {
    .name = "encrypt",
    .usage = "<TEXT >TOKEN",
    .help = "encrypts standard input, every byte of it, with the first configured key",
    .need = GG_CTL_NEEDS_KEYS,
    .run = run_encrypt,
};

const struct gg_ctl_command gg_ctl_decrypt = {
    .name = "decrypt",
    .usage = "<TOKEN >TEXT",
    .help = "decrypts standard input with whichever configured key fits",
    .need = GG_CTL_NEEDS_KEYS,
    .run = run_decrypt,
};
