/* SPDX-License-Identifier: MIT */
#include "gg/flow/health.h"

#include "gg/base/log.h"
#include "gg/flow/keyset.h"
#include "gg/flow/skew.h"
#include "gg/proto/time.h"
#include "gg/store/schema.h"

#define READY_MS 1000

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
        parts[i] = (struct gg_health){.name = parts_table[i].name};
        parts[i].fault = parts_table[i].check(c);
        parts[i].took_ms = gg_clock_mono_ms() - start_ms;
        if (parts[i].fault != NULL)
            gg_log(GG_ERROR, "health", "part=%s reason=\"%s\"", parts[i].name, parts[i].fault);
        ok = ok && parts[i].fault == NULL;
    }
    return ok;
}

bool gg_health_is_ready(struct gg_call *c)
{
    struct gg_ctx *ctx = c->ctx;
    struct gg_health parts[GG_HEALTH_PARTS];
    int64_t now_ms = gg_clock_mono_ms();

    if (now_ms < ctx->ready_until_ms)
        return ctx->is_ready;
    ctx->is_ready = gg_health_check(c, parts);
    int64_t end_ms = gg_clock_mono_ms();
    int64_t took_ms = end_ms - now_ms;
    ctx->ready_at_s = gg_clock_now_s();
    ctx->ready_until_ms = end_ms + (took_ms > READY_MS ? took_ms : READY_MS);
    return ctx->is_ready;
}

static struct gg_health_value number(const char *name, bool is_known, int64_t n)
{
    return (struct gg_health_value){
        .name = name, .type = is_known ? GG_HEALTH_NUMBER : GG_HEALTH_UNKNOWN, .number = n};
}

void gg_health_look_at_keys(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS])
{
    const struct gg_fernet *f = &c->ctx->fernet;
    struct gg_str *names = gg_arena_alloc(c->arena, GG_FERNET_KEYS_MAX * sizeof *names);
    char name[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err err;
    size_t count = 0;

    while (count < f->count && gg_fernet_fingerprint(f, count, name, &err))
        names[count++] = gg_str_of(gg_arena_strdup(c->arena, name));
    parts[GG_HEALTH_ENCRYPTION].values[0] = (struct gg_health_value){
        .name = "keys", .type = GG_HEALTH_LIST, .number = (int64_t)count, .list = names};
}

static void look_at_schema(struct gg_call *c, struct gg_health *part)
{
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);
    struct gg_err err;
    bool is_known = part->fault == NULL && gg_schema_find(c->ctx->db, c->arena, applied, &err) &&
                    applied->count > 0;

    part->values[0] = number("schema_version", is_known,
                             is_known ? applied->rows[applied->count - 1].version : 0);
}

static void ask_microsoft(struct gg_call *c, struct gg_health *discovery, struct gg_health *keys,
                          struct gg_keyset_probe *found)
{
    *found =
        (struct gg_keyset_probe){.discovery_fault = "not asked, as a setting is missing or bad"};
    if (c->ctx->is_configured)
        gg_keyset_probe(c, found);
    else
        found->keys_fault = found->discovery_fault;
    *discovery = (struct gg_health){
        .name = "discovery", .fault = found->discovery_fault, .took_ms = found->discovery_ms};
    *keys =
        (struct gg_health){.name = "keys", .fault = found->keys_fault, .took_ms = found->keys_ms};
    keys->values[0] = number("count", found->keys_fault == NULL, (int64_t)found->key_count);
}

static bool is_off(int64_t ahead_s)
{
    return ahead_s > GG_SKEW_S_MAX || ahead_s < -GG_SKEW_S_MAX;
}

/* Of whom one cannot ask the time, nothing is known: that alone is no fault of the clock. */
static void look_at_clock(struct gg_call *c, const struct gg_keyset_probe *found, bool has_db,
                          struct gg_health *clock)
{
    struct gg_err err;
    int64_t start_ms = gg_clock_mono_ms();
    int64_t database_s = 0;
    bool knows_db = has_db && gg_skew_of_database(c, &database_s, &err);
    *clock = (struct gg_health){.name = "clock", .took_ms = gg_clock_mono_ms() - start_ms};
    clock->values[0] = number("ahead_of_microsoft_s", found->has_date, found->ahead_s);
    clock->values[1] = number("ahead_of_database_s", knows_db, database_s);
    if (found->has_date && is_off(found->ahead_s))
        clock->fault = "this machine's clock and Microsoft's are over a minute apart";
    else if (knows_db && is_off(database_s))
        clock->fault = "this machine's clock and the database's are over a minute apart";
}

static void look_at_secret(struct gg_call *c, struct gg_health *secret)
{
    int64_t end_s = c->ctx->conf->client_secret_expires_s;
    int64_t left_s = end_s - gg_clock_now_s();

    *secret = (struct gg_health){.name = "client_secret"};
    secret->values[0] = number("expires", false, 0);
    if (end_s > 0) {
        secret->values[0].type = GG_HEALTH_TEXT;
        secret->values[0].text = gg_time_format_utc(c->arena, end_s);
    }
    secret->values[1] = number("days_left", end_s > 0, left_s / 86400);
    if (end_s > 0 && left_s <= 0)
        secret->fault = "the day of MSCLIENTSECRET_EXPIRES has passed";
}

void gg_health_look_deeper(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS],
                           struct gg_health deep[GG_HEALTH_DEEP_PARTS])
{
    struct gg_health *database = &parts[GG_HEALTH_DATABASE];
    struct gg_keyset_probe found;

    look_at_schema(c, database);
    ask_microsoft(c, &deep[GG_HEALTH_DISCOVERY], &deep[GG_HEALTH_KEYS], &found);
    look_at_clock(c, &found, database->fault == NULL, &deep[GG_HEALTH_CLOCK]);
    look_at_secret(c, &deep[GG_HEALTH_CLIENT_SECRET]);
    for (int i = GG_HEALTH_CLOCK; i < GG_HEALTH_DEEP_PARTS; i++)
        if (deep[i].fault != NULL)
            gg_log(GG_ERROR, "health", "part=%s reason=\"%s\"", deep[i].name, deep[i].fault);
}
