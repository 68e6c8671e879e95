/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/audit.h"
#include "gg/flow/sealer.h"
#include "gg/store/chain.h"

#include <string.h>

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

static void forge(const char *number)
{
    database_run(s.ctx.db,
                 gg_arena_printf(s.arena,
                                 "INSERT INTO audit_seals (number, first_id, last_id, row_count,"
                                 " rows_hash, previous, made_at, made_by, key_fingerprint, mac)"
                                 " SELECT %s, '~', '~', 1, 'x', mac, NOW(6), 'x', key_fingerprint,"
                                 " mac FROM audit_seals WHERE number = 1",
                                 number));
}

/* Behind what somebody else put there nothing is sealed, and that is said. */
START_TEST(no_seal_follows_a_forged_one)
{
    static const char *const numbers[] = {"2", "9223372036854775807"};
    struct gg_sealed out;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        stand_in_open(&s);
        note(3);
        (void)seal(-1);
        note(2);
        forge(numbers[i]);
        ck_assert(!gg_sealer_run(&s.call, -1, &out, &s.err));
        ck_assert_ptr_nonnull(strstr(s.err.log, numbers[i]));
        ck_assert_ptr_nonnull(strstr(s.err.log, "not made by graphgate"));
        database_run(s.ctx.db, "DELETE FROM audit_seals WHERE first_id = '~'");
        ck_assert_uint_eq(seal(-1).rows, 2);
        stand_in_close(&s);
    }
}
END_TEST

/* Behind the greatest number there is none, were the seal as good as it may be. */
START_TEST(no_seal_follows_the_greatest_number)
{
    struct gg_audit_seal last = {.number = INT64_MAX,
                                 .first_id = GG_STR("~"),
                                 .last_id = GG_STR("~"),
                                 .previous = GG_STR("x"),
                                 .made_at = GG_STR("2026-01-01T00:00:00.000000"),
                                 .made_by = GG_STR("x"),
                                 .listing = GG_STR("")};
    struct gg_sealed out;
    bool added;

    stand_in_open(&s);
    ck_assert(gg_audit_sign_seal(&s.ctx.audit_keys, s.arena, &last, &s.err));
    ck_assert_msg(gg_chain_put(s.ctx.db, s.arena, &last, &added, &s.err) && added, "%s", s.err.log);
    ck_assert(!gg_sealer_run(&s.call, -1, &out, &s.err));
    stand_in_close(&s);
}
END_TEST

/* Below 1 there is no seal's number: it counts as none. */
START_TEST(a_forged_seal_before_the_first_is_none)
{
    stand_in_open(&s);
    note(3);
    database_run(s.ctx.db,
                 "INSERT INTO audit_seals (number, first_id, last_id, row_count, rows_hash,"
                 " previous, made_at, made_by, key_fingerprint, mac) VALUES"
                 " (0, '~', '~', 1, 'x', '', NOW(6), 'x', 'x', '')");
    ck_assert_uint_eq(seal(-1).rows, 3);
    stand_in_close(&s);
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
             no_seal_follows_a_forged_one, no_seal_follows_the_greatest_number,
             a_forged_seal_before_the_first_is_none, a_race_seals_each_row_once)
