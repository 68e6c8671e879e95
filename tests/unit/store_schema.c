/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/base/clock.h"
#include "gg/store/schema.h"

#include <unistd.h>

static struct gg_arena *arena;
static struct gg_db *db;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DROP TABLE IF EXISTS schema_migrations, schema_lock, schema_test");
}

static void lock(struct gg_db *of)
{
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_schema_lock(of, 5, &err), "%s", err.log);
}

/* mutant: src/store/schema.c: gg_db_fault(db) == GG_DB_DUPLICATE) => false) */
START_TEST(migrations_are_recorded)
{
    struct gg_migrations *applied = NULL;
    const struct gg_migration second = {
        .version = 2,
        .name = "002_b.sql",
        .sql = GG_STR(
            "CREATE TABLE IF NOT EXISTS schema_test (a INT); INSERT INTO schema_test VALUES (7);"),
        .sha256 = GG_STR("hash"),
    };
    const struct gg_migration broken = {.version = 3,
                                        .name = "003_c.sql",
                                        .sql = GG_STR("SELECT 1; NONSENSE;"),
                                        .sha256 = GG_STR("x")};
    struct gg_err err = {.code = GG_OK};

    set_up();
    applied = gg_arena_alloc(arena, sizeof *applied);
    ck_assert(gg_schema_find(db, arena, applied, &err) && applied->count == 0);
    struct gg_db *locked = database_open(arena);
    lock(locked);
    ck_assert(gg_schema_find(db, arena, applied, &err) && applied->count == 0);
    ck_assert_msg(gg_schema_apply(db, arena, &second, &err), "%s", err.log);
    ck_assert_str_eq(database_cell(db, arena, "SELECT a FROM schema_test"), "7");
    /* By another node of a cluster somebody may have done it at the same time. */
    ck_assert_msg(gg_schema_apply(db, arena, &second, &err), "%s", err.log);
    /* A script that fails is not recorded. */
    ck_assert(!gg_schema_apply(db, arena, &broken, &err));
    ck_assert_int_eq(err.code, GG_EDATABASE);
    ck_assert(gg_schema_find(db, arena, applied, &err));
    ck_assert_uint_eq(applied->count, 1);
    ck_assert_int_eq(applied->rows[0].version, 2);
    ck_assert_str_eq(applied->rows[0].name, "002_b.sql");
    ck_assert_gg_str(applied->rows[0].sha256, "hash");
    gg_arena_close(arena);
}
END_TEST

static const char *count_rows(const char *sql)
{
    return database_cell(db, arena, sql);
}

/* 1 when nobody else's row came between two looks. */
static int migrate(void *arg, int n)
{
    (void)arg;
    arena = gg_arena_open();
    db = database_open(arena);
    struct gg_db *locked = database_open(arena);
    lock(locked);
    const char *before = count_rows("SELECT COUNT(*) FROM schema_test");
    gg_clock_sleep_ms(100);
    bool alone = gg_str_is(gg_str_of(before), count_rows("SELECT COUNT(*)  FROM schema_test"));
    database_run(db, "INSERT INTO schema_test VALUES (1)");
    if (n == 0)
        _exit(alone ? 1 : 0); /* without letting go, as when it was killed */
    gg_arena_close(arena);
    return alone ? 1 : 0;
}

START_TEST(one_migrates_at_a_time)
{
    set_up();
    database_run(db, "CREATE TABLE schema_test (a INT)");
    ck_assert_int_eq(database_run_processes(4, migrate, NULL), 4);
    gg_arena_close(arena);
}
END_TEST

START_TEST(waiting_ends)
{
    struct gg_err err = {.code = GG_OK};

    set_up();
    struct gg_db *holder = database_open(arena);
    lock(holder);
    struct gg_db *waiter = database_open(arena);
    ck_assert(!gg_schema_lock(waiter, 1, &err));
    ck_assert_int_eq(err.code, GG_EDATABASE);
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_probe_needs_our_tables)
{
    struct gg_err err = {.code = GG_OK};

    set_up();
    ck_assert_msg(gg_schema_probe(db, arena, &err), "%s", err.log);
    database_run(db, "RENAME TABLE rate_limits TO rate_limits_away");
    bool ok = gg_schema_probe(db, arena, &err);
    database_run(db, "RENAME TABLE rate_limits_away TO rate_limits");
    ck_assert(!ok && err.code == GG_EDATABASE);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/schema", migrations_are_recorded, one_migrates_at_a_time, waiting_ends,
             the_probe_needs_our_tables)
