/* SPDX-License-Identifier: MIT */
#include "gg/flow/health.h"

#include "gg/base/log.h"
#include "gg/store/schema.h"

static const char *check_configuration(struct gg_call *c)
{
    return c->ctx->is_configured ? NULL : "a setting is missing or bad; the log names it";
}

static const char *check_database(struct gg_call *c)
{
    struct gg_err err;

    if (c->ctx->db == NULL)
        return "there is no address";
    return gg_schema_probe(c->ctx->db, c->arena, &err) ? NULL
                                                       : "cannot be reached, or is not migrated";
}

static const char *check_encryption(struct gg_call *c)
{
    const struct gg_secret text = {"graphgate", 9};
    struct gg_secret back;
    struct gg_str token;
    struct gg_err err;

    if (c->ctx->fernet.count == 0)
        return "there is no key";
    return gg_fernet_encrypt(&c->ctx->fernet, c->arena, text, &token, &err) &&
                   gg_fernet_decrypt(&c->ctx->fernet, c->arena, token, &back, &err) &&
                   gg_secret_is_equal(text, back)
               ? NULL
               : "the key fails a round trip";
}

static const struct {
    const char *name;
    const char *(*check)(struct gg_call *c);
} parts_table[GG_HEALTH_PARTS] = {
    [GG_HEALTH_CONFIGURATION] = {"configuration", check_configuration},
    [GG_HEALTH_DATABASE] = {"database", check_database},
    [GG_HEALTH_ENCRYPTION] = {"encryption", check_encryption},
};

bool gg_health_check(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS])
{
    bool ok = true;

    for (int i = 0; i < GG_HEALTH_PARTS; i++) {
        int64_t start_ms = gg_clock_mono_ms();
        parts[i].name = parts_table[i].name;
        parts[i].fault = parts_table[i].check(c);
        parts[i].took_ms = gg_clock_mono_ms() - start_ms;
        if (parts[i].fault != NULL)
            gg_log(GG_ERROR, "health", "part=%s reason=\"%s\"", parts[i].name, parts[i].fault);
        ok = ok && parts[i].fault == NULL;
    }
    return ok;
}
