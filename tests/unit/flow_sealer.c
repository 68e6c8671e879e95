/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/audit.h"
#include "gg/flow/sealer.h"

static struct stand_in s;

static void note(int count)
{
    for (int i = 0; i < count; i++)
        gg_audit_note(&s.call, (struct gg_audit_event){.event = "token.use"});
    s.conf.audit_fails_closed = true;
    ck_assert(gg_audit_flush(&s.call, &s.err));
}

static struct gg_sealed seal(int64_t age_s)
{
    struct gg_sealed out;

    ck_assert_msg(gg_sealer_run(&s.call, age_s, &out, &s.err), "%s", s.err.log);
    return out;
}

START_TEST(each_seal_follows_the_one_before)
{
    stand_in_open(&s);
    struct gg_sealed out = seal(-1);
    ck_assert(out.head_number == 0 && out.spans == 0);
    note(3);
    ck_assert_uint_eq(seal(60).rows, 0);
    out = seal(-1);
    ck_assert(out.head_number == 1 && out.spans == 1 && out.rows == 3);
    note(2);
    ck_assert_uint_eq(seal(-1).rows, 2);
    ck_assert_str_eq(database_cell(s.ctx.db, s.arena,
                                   "SELECT COUNT(*) FROM audit_seals AS a JOIN audit_seals AS b"
                                   " ON b.number = a.number + 1 AND b.previous = a.mac"
                                   " AND b.first_id > a.last_id"),
                     "1");
    out = seal(-1);
    ck_assert(out.head_number == 2 && out.spans == 0 && out.head_mac.n == 43);
    stand_in_close(&s);
}
END_TEST

/* Older than a request may be, and than a clock may be behind. */
START_TEST(what_is_old_enough)
{
    struct gg_conf conf = {.request_deadline_s = 25};

    ck_assert_int_ge(gg_sealer_age_s(&conf), 25 + 10 + 60);
    conf.request_deadline_s = 300;
    ck_assert_int_ge(gg_sealer_age_s(&conf), 300 + 10 + 60);
}
END_TEST

static int race(void *arg, int n)
{
    (void)arg;
    (void)n;
    s.ctx.db = database_open(s.arena);
    return (int)seal(-1).rows;
}

START_TEST(a_race_seals_each_row_once)
{
    stand_in_open(&s);
    note(60);
    ck_assert_int_eq(database_run_processes(6, race, NULL), 60);
    ck_assert_str_eq(database_cell(s.ctx.db, s.arena, "SELECT SUM(row_count) FROM audit_seals"),
                     "60");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/sealer", each_seal_follows_the_one_before, what_is_old_enough,
             a_race_seals_each_row_once)
