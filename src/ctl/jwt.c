/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/base/jsonw.h"
#include "gg/ext/json.h"
#include "gg/flow/pair.h"

#include <string.h>

#define TTL_MAX_S (10LL * 365 * 86400)

struct claims {
    struct gg_str sub;
    struct gg_str type;
    struct gg_str scope;
    int64_t ttl_s;
};

static bool read_arguments(struct gg_ctl *c, struct claims *out)
{
    const struct gg_ctl_flag flags[] = {
        {"sub", .text = &out->sub},
        {"type", .text = &out->type},
        {"scope", .text = &out->scope},
        {"ttl", .number = &out->ttl_s, .min = 1, .max = TTL_MAX_S, .unit = "seconds"},
    };

    *out = (struct claims){.type = GG_STR("user"), .ttl_s = GG_PAIR_ACCESS_TTL_S};
    return gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) && c->argc == 1 &&
           out->sub.p != NULL;
}

static int sign(struct gg_ctl *c)
{
    const struct gg_conf *conf = &c->loaded.conf;
    struct claims claims;
    struct gg_str subject;
    struct gg_str jwt;
    struct gg_buf text;
    struct gg_jsonw w;
    struct gg_err err;

    if (!read_arguments(c, &claims))
        return gg_ctl_misuse(c, "needs --sub");
    const struct gg_realm *realm = gg_realm_find_type(claims.type);
    if (realm == NULL)
        return gg_ctl_misuse(c, "--type is user or teacher");
    if (!realm->parse_subject(c->arena, claims.sub, &subject))
        return gg_ctl_misuse(c, "--sub is a number for a user, a UUID for a teacher");
    gg_buf_init(&text, c->arena, 4096);
    gg_jsonw_init(&w, &text);
    gg_jsonw_open(&w, '{');
    gg_jsonw_put(&w, "sub", subject);
    gg_jsonw_put(&w, "type", claims.type);
    if (claims.scope.p != NULL)
        gg_jsonw_put(&w, "scope", claims.scope);
    gg_jsonw_put_int(&w, "iat", gg_clock_now_s());
    gg_jsonw_put_int(&w, "exp", gg_clock_now_s() + claims.ttl_s);
    if (conf->jwt_issuer != NULL)
        gg_jsonw_put_text(&w, "iss", conf->jwt_issuer);
    if (conf->jwt_audience != NULL)
        gg_jsonw_put_text(&w, "aud", conf->jwt_audience);
    gg_jsonw_close(&w, '}');
    if (gg_buf_is_full(&text))
        return gg_ctl_fail("the claims are too long");
    if (!gg_jwt_sign(c->arena, c->ctx.jwt_key, gg_buf_str(&text), &jwt, &err))
        return gg_ctl_fail("%s", err.log);
    return gg_ctl_write(gg_str_of(gg_arena_printf(c->arena, "%.*s\n", GG_STR_ARG(jwt))));
}

static int verify(struct gg_ctl *c)
{
    struct gg_str text;
    struct gg_caller caller;
    struct gg_jwt jwt;
    struct gg_err err;

    if (c->argc > 1)
        return gg_ctl_misuse(c, "reads standard input");
    if (!gg_ctl_read(c, 2 * GG_JWT_BYTES_MAX, &text))
        return gg_ctl_fail("standard input cannot be read, or is too long");
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    text = gg_str_trim(text);
    if (!gg_pair_check(&c->call, gg_secret_of(text), &caller, &err) ||
        !gg_jwt_parse(c->arena, text, GG_JWT_BYTES_MAX, &jwt, &err))
        return gg_ctl_fail("it is not valid: %s", err.log);
    struct gg_str claims = gg_json_print(c->arena, jwt.claims);
    return gg_ctl_write(gg_str_of(gg_arena_printf(c->arena, "%.*s\n", GG_STR_ARG(claims))));
}

static const struct gg_ctl_verb verbs[] = {
    {"sign", "--sub S [--type user|teacher] [--scope S] [--ttl SECONDS]", "makes a caller's JWT",
     GG_CTL_NEEDS_JWT, sign},
    {"verify", "<JWT", "checks one from standard input and prints its claims", GG_CTL_NEEDS_JWT,
     verify},
    {0},
};

const struct gg_ctl_command gg_ctl_jwt = {
    .name = "jwt",
    .help = "makes a caller's JWT; checks one from standard input and prints its claims",
    .verbs = verbs,
};
