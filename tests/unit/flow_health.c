/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/health.h"

static struct stand_in s;
static struct gg_health parts[GG_HEALTH_PARTS];

/* Which part alone is at fault. */
static void check_fault(enum gg_health_part at)
{
    ck_assert(!gg_health_check(&s.call, parts));
    for (int i = 0; i < GG_HEALTH_PARTS; i++)
        ck_assert_msg((parts[i].fault != NULL) == (i == (int)at), "%s", parts[i].name);
}

START_TEST(parts_one_by_one)
{
    stand_in_open(&s);
    ck_assert(gg_health_check(&s.call, parts));
    s.ctx.is_configured = false;
    check_fault(GG_HEALTH_CONFIGURATION);
    s.ctx.is_configured = true;
    s.ctx.fernet.count = 0;
    check_fault(GG_HEALTH_ENCRYPTION);
    s.ctx.fernet.count = 1;
    s.ctx.db = NULL;
    check_fault(GG_HEALTH_DATABASE);
    struct gg_db_address away = *database_address();
    away.unix_socket = "/nonexistent";
    s.ctx.db = gg_db_open(&away);
    check_fault(GG_HEALTH_DATABASE);
    gg_db_close(s.ctx.db);
    stand_in_close(&s);
}
END_TEST

/* A key that went bad is noticed when the second is over, and not before. */
/* mutant: src/flow/health.c: if (now_ms < ctx->ready_until_ms) => if (now_ms < 0) */
/* mutant: src/flow/health.c: if (now_ms < ctx->ready_until_ms) => if (ctx->ready_until_ms > 0) */
START_TEST(readiness_is_looked_at_now_and_then)
{
    stand_in_open(&s);
    ck_assert(gg_health_is_ready(&s.call));
    s.ctx.fernet.count = 0;
    ck_assert(gg_health_is_ready(&s.call));
    gg_clock_sleep_ms(1050);
    ck_assert(!gg_health_is_ready(&s.call));
    s.ctx.fernet.count = 1;
    gg_clock_sleep_ms(1050);
    ck_assert(gg_health_is_ready(&s.call));
    stand_in_close(&s);
}
END_TEST

static const struct gg_health_value *value(const struct gg_health *part, const char *name)
{
    for (int i = 0; i < GG_HEALTH_VALUES_MAX; i++)
        if (part->values[i].name != NULL && gg_str_is(gg_str_of(part->values[i].name), name))
            return &part->values[i];
    ck_abort_msg("%s has no %s", part->name, name);
    return NULL;
}

START_TEST(the_secrets_end)
{
    struct gg_health deep[GG_HEALTH_DEEP_PARTS];
    const struct gg_health *secret = &deep[GG_HEALTH_CLIENT_SECRET];

    stand_in_open(&s);
    (void)gg_health_check(&s.call, parts);
    gg_health_look_deeper(&s.call, parts, deep);
    ck_assert_int_eq(value(secret, "expires")->type, GG_HEALTH_UNKNOWN);
    ck_assert_int_eq(value(secret, "days_left")->type, GG_HEALTH_UNKNOWN);
    ck_assert_ptr_null(secret->fault);
    s.conf.client_secret_expires_s = gg_clock_now_s() + 10 * 86400 + 60;
    gg_health_look_deeper(&s.call, parts, deep);
    ck_assert_int_eq(value(secret, "expires")->type, GG_HEALTH_TEXT);
    ck_assert_int_eq(value(secret, "days_left")->number, 10);
    ck_assert_ptr_null(secret->fault);
    s.conf.client_secret_expires_s = 86400;
    gg_health_look_deeper(&s.call, parts, deep);
    ck_assert_gg_str(value(secret, "expires")->text, "1970-01-02T00:00:00Z");
    ck_assert_int_lt(value(secret, "days_left")->number, 0);
    ck_assert_ptr_nonnull(secret->fault);
    stand_in_close(&s);
}
END_TEST

/* Where there is nothing to ask, nobody is asked, and nothing is known. */
START_TEST(what_is_not_known)
{
    struct gg_health deep[GG_HEALTH_DEEP_PARTS];

    stand_in_open(&s);
    s.ctx.is_configured = false;
    s.ctx.db = NULL;
    s.conf.tenant = NULL;
    (void)gg_health_check(&s.call, parts);
    gg_health_look_deeper(&s.call, parts, deep);
    ck_assert_int_eq(loopback_connections(s.microsoft), 0);
    ck_assert_int_eq(value(&parts[GG_HEALTH_DATABASE], "schema_version")->type, GG_HEALTH_UNKNOWN);
    ck_assert(deep[GG_HEALTH_DISCOVERY].fault != NULL && deep[GG_HEALTH_KEYS].fault != NULL);
    ck_assert_int_eq(value(&deep[GG_HEALTH_KEYS], "count")->type, GG_HEALTH_UNKNOWN);
    ck_assert_ptr_null(deep[GG_HEALTH_CLOCK].fault);
    ck_assert_int_eq(value(&deep[GG_HEALTH_CLOCK], "ahead_of_microsoft_s")->type,
                     GG_HEALTH_UNKNOWN);
    ck_assert_int_eq(value(&deep[GG_HEALTH_CLOCK], "ahead_of_database_s")->type, GG_HEALTH_UNKNOWN);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/health", parts_one_by_one, readiness_is_looked_at_now_and_then, the_secrets_end,
             what_is_not_known)
