/* SPDX-License-Identifier: MIT */
/* What it finds is tried end to end, in tests/e2e/test_audit_chain.py; here how it counts. */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/audit.h"
#include "gg/flow/auditor.h"
#include "gg/flow/sealer.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

static struct stand_in s;
static char last_fault[600];

static void keep_fault(void *arg, const char *fault)
{
    (void)arg;
    (void)snprintf(last_fault, sizeof last_fault, "%s", fault);
}

static void set_up(void)
{
    struct gg_sealed sealed;

    stand_in_open(&s);
    s.conf.audit_fails_closed = true;
    for (int i = 0; i < 7; i++) {
        gg_audit_note(&s.call, (struct gg_audit_event){.event = "token.use"});
        if (i == 4)
            ck_assert(gg_audit_flush(&s.call, &s.err) &&
                      gg_sealer_run(&s.call, -1, &sealed, &s.err));
    }
    ck_assert(gg_audit_flush(&s.call, &s.err));
}

static struct gg_auditor run(struct gg_auditor v)
{
    v.tell = keep_fault;
    last_fault[0] = '\0';
    ck_assert_msg(gg_auditor_run(&s.call, &v, &s.err), "%s", s.err.log);
    return v;
}

START_TEST(what_it_counts)
{
    set_up();
    struct gg_auditor v = run((struct gg_auditor){0});
    ck_assert_msg(v.faults == 0, "%s", last_fault);
    ck_assert(v.rows == 7 && v.unsealed == 2 && v.late == 0 && v.seals == 1 && v.removed == 0);
    ck_assert_int_eq(v.last_number, 1);
    ck_assert_uint_eq(run((struct gg_auditor){.head_number = 1, .head_mac = v.last_mac}).faults, 0);
    ck_assert_uint_eq(run((struct gg_auditor){.head_number = 1, .head_mac = GG_STR("x")}).faults,
                      1);
    ck_assert_uint_eq(run((struct gg_auditor){.head_number = 2, .head_mac = v.last_mac}).faults, 1);
    stand_in_close(&s);
}
END_TEST

START_TEST(a_fault_is_told)
{
    set_up();
    database_run(s.ctx.db, "DELETE FROM audit_log ORDER BY id LIMIT 1");
    struct gg_auditor v = run((struct gg_auditor){0});
    ck_assert(v.faults == 1 && v.rows == 6);
    ck_assert_ptr_nonnull(strstr(last_fault, ": removed (seal 1 has it)"));
    stand_in_close(&s);
}
END_TEST

START_TEST(what_it_removes)
{
    set_up();
    struct gg_auditor v = run((struct gg_auditor){.remove_before = GG_STR("g"), .is_dry = true});
    ck_assert(v.removing_seals == 1 && v.removing_rows == 5);
    v = run((struct gg_auditor){.remove_before = GG_STR("0")});
    ck_assert(v.removing_seals == 0 && v.seals == 0);
    v = run((struct gg_auditor){.remove_before = GG_STR("g")});
    ck_assert(v.removing_seals == 1 && v.removing_rows == 5 && v.faults == 0);
    v = run((struct gg_auditor){0});
    ck_assert_msg(v.faults == 0, "%s", last_fault);
    ck_assert(v.rows == 2 && v.removed == 1);
    stand_in_close(&s);
}
END_TEST

/* The number of the last seal is whoever's who may write to the database. */
START_TEST(the_greatest_number)
{
    set_up();
    database_run(s.ctx.db, "UPDATE audit_seals SET number = 9223372036854775807");
    struct gg_auditor v = run((struct gg_auditor){0});
    ck_assert_uint_ge(v.faults, 2);
    ck_assert_int_eq(v.last_number, INT64_MAX);
    stand_in_close(&s);
}
END_TEST

/* However many rows somebody puts there: telling them needs no memory that grows. */
START_TEST(a_flood_of_rows)
{
    set_up();
    database_run(s.ctx.db,
                 "INSERT INTO audit_log (id, at, event, result, key_fingerprint, mac)"
                 " SELECT CONCAT('g', seq), NOW(6), 'x', 'ok', 'x', 'x' FROM seq_1_to_20000");
    size_t before = mallinfo2().uordblks;
    struct gg_auditor v = run((struct gg_auditor){0});
    ck_assert_uint_eq(v.faults, 20000);
    ck_assert_uint_lt(mallinfo2().uordblks, before + (size_t)256 * 1024);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/auditor", what_it_counts, a_fault_is_told, what_it_removes, the_greatest_number,
             a_flood_of_rows)
