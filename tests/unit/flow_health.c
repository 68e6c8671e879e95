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

GG_UNIT_MAIN("flow/health", parts_one_by_one)
