/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/base/clock.h"
#include "gg/store/rate.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;
static struct gg_db *db;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM rate_limits");
}

static struct gg_rate take(const char *name, int64_t requests, int64_t per_s)
{
    struct gg_rate_key key = {gg_str_of(name), {requests, per_s}};
    struct gg_rate rate;
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_rate_take(db, arena, key, &rate, &err), "%s", err.log);
    ck_assert_int_ge(rate.reset_s, 1);
    ck_assert_int_eq(rate.limit, requests);
    return rate;
}

START_TEST(judgements)
{
    static const struct {
        struct gg_limit limit;
        struct gg_rate_row row;
        int64_t remaining;
        int64_t reset_s;
    } cases[] = {
        {{10, 60}, {true, 1, 0, 0}, 9, 60},
        {{10, 60}, {true, 1, 0, 59.5}, 9, 1},
        {{10, 60}, {true, 9, 0, 30}, 1, 30},
        /* Used up: the next window lets in one when 1 + 10 * (1 - part) <= 10. */
        {{10, 60}, {true, 10, 0, 30}, 0, 36},
        {{10, 60}, {false, 10, 0, 30}, 0, 36},
        {{1, 60}, {true, 1, 0, 0}, 0, 120},
        {{1, 1}, {true, 1, 0, 0.5}, 0, 2},
        /* After a full window: one more when 10 * (1 - part) has come down by one. */
        {{10, 60}, {false, 0, 10, 0}, 0, 6},
        {{10, 60}, {true, 1, 10, 6}, 0, 6},
        {{10, 60}, {true, 1, 10, 59}, 8, 1},
        {{10, 60}, {false, 5, 10, 29}, 0, 7},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_rate rate = gg_rate_judge(cases[i].limit, cases[i].row);
        ck_assert_msg(rate.admitted == cases[i].row.admitted, "case %zu", i);
        ck_assert_msg(rate.remaining == cases[i].remaining, "case %zu: remaining %lld", i,
                      (long long)rate.remaining);
        ck_assert_msg(rate.reset_s == cases[i].reset_s, "case %zu: reset %lld", i,
                      (long long)rate.reset_s);
    }
}
END_TEST

/* The rule itself: would the row let one more in, `later_s` after it was read? */
static bool admits(struct gg_limit limit, struct gg_rate_row row, double later_s)
{
    double window = (double)limit.per_s;
    double at = row.elapsed_s + later_s;
    double windows = floor(at / window);
    double used = windows < 1 ? (double)row.used : 0;
    double prev = windows < 1 ? (double)row.prev : windows < 2 ? (double)row.used : 0;
    double part = (at - windows * window) / window;

    return used + 1 + prev * (1 - part) <= (double)limit.requests + 1e-9;
}

/* Whoever waits as long as was said comes in; a second less may be too early, never needless. */
static void check_promise(struct gg_limit limit, struct gg_rate_row row)
{
    struct gg_rate rate = gg_rate_judge(limit, row);

    ck_assert_msg(rate.reset_s >= 1 && rate.reset_s <= 2 * limit.per_s, "reset %lld",
                  (long long)rate.reset_s);
    ck_assert_msg(admits(limit, row, (double)rate.reset_s),
                  "%lld/%lld used=%lld prev=%lld at %f: not let in after %lld s",
                  (long long)limit.requests, (long long)limit.per_s, (long long)row.used,
                  (long long)row.prev, row.elapsed_s, (long long)rate.reset_s);
    ck_assert((rate.remaining > 0) == admits(limit, row, 0));
    if (rate.remaining == 0 && rate.reset_s > 1)
        ck_assert_msg(!admits(limit, row, (double)rate.reset_s - 1.001),
                      "%lld/%lld used=%lld prev=%lld at %f: a needless wait of %lld s",
                      (long long)limit.requests, (long long)limit.per_s, (long long)row.used,
                      (long long)row.prev, row.elapsed_s, (long long)rate.reset_s);
}

START_TEST(waiting_is_enough)
{
    static const struct gg_limit limits[] = {{1, 1},   {1, 60},    {2, 10},
                                             {10, 60}, {20, 3600}, {7, 3}};

    for (size_t i = 0; i < COUNT(limits); i++)
        for (int64_t used = 0; used <= limits[i].requests; used++)
            for (int64_t prev = 0; prev <= limits[i].requests; prev++)
                for (int step = 0; step < 16; step++) {
                    struct gg_rate_row row = {false, used, prev,
                                              (double)limits[i].per_s * (step + 0.37) / 16};
                    check_promise(limits[i], row);
                }
}
END_TEST

START_TEST(counting)
{
    set_up();
    for (int i = 1; i <= 3; i++) {
        struct gg_rate rate = take("a", 3, 3600);
        ck_assert(rate.admitted);
        ck_assert_int_eq(rate.remaining, 3 - i);
    }
    for (int i = 0; i < 3; i++)
        ck_assert(!take("a", 3, 3600).admitted);
    /* What was refused does not count, other names and lengths are others. */
    ck_assert_str_eq(database_cell(db, arena, "SELECT used FROM rate_limits WHERE k='a/3600'"),
                     "3");
    ck_assert(take("b", 3, 3600).admitted);
    ck_assert(take("a", 3, 7200).admitted);
    gg_arena_close(arena);
}
END_TEST

/* Rows as another moment would have left them: `win` windows ago, with used and prev. */
static void put_row(int ago, int used, int prev)
{
    database_run(db, gg_arena_printf(arena,
                                     "REPLACE INTO rate_limits VALUES ('w/1000000',"
                                     " FLOOR(UNIX_TIMESTAMP() / 1000000) - %d, %d, %d, 1, NOW())",
                                     ago, used, prev));
}

START_TEST(windows)
{
    set_up();
    double elapsed =
        strtod(database_cell(db, arena, "SELECT MOD(UNIX_TIMESTAMP(), 1000000) / 1000000"), NULL);
    /* The window before counts for the part of it that still is in sight. */
    put_row(1, 1000, 7);
    struct gg_rate rate = take("w", 1000, 1000000);
    ck_assert(rate.admitted == (1 + 1000 * (1 - elapsed) <= 1000));
    ck_assert_str_eq(database_cell(db, arena, "SELECT prev FROM rate_limits"), "1000");
    ck_assert_int_ge(rate.remaining, (int64_t)(1000 * elapsed) - 2);
    ck_assert_int_le(rate.remaining, (int64_t)(1000 * elapsed) + 1);
    /* The one before that does not. */
    put_row(2, 1000, 1000);
    rate = take("w", 1000, 1000000);
    ck_assert(rate.admitted);
    ck_assert_int_eq(rate.remaining, 999);
    /* A row of a clock that is ahead stays, and goes on being counted. */
    put_row(-1, 999, 0);
    ck_assert(take("w", 1000, 1000000).admitted);
    ck_assert(!take("w", 1000, 1000000).admitted);
    gg_arena_close(arena);
}
END_TEST

/* The whole of the window before counts for a clock that has not yet come to the row's window. */
/* mutant: src/store/rate.c: LEAST(1, 1 - => LEAST(9, 1 - */
START_TEST(a_clock_behind_is_at_its_begin)
{
    set_up();
    put_row(-2, 499, 500);
    ck_assert(take("w", 1000, 1000000).admitted);
    ck_assert(!take("w", 1000, 1000000).admitted);
    ck_assert_str_eq(database_cell(db, arena, "SELECT CONCAT(used, ' ', prev) FROM rate_limits"),
                     "500 500");
    gg_arena_close(arena);
}
END_TEST

struct crowd {
    int64_t limit;
    int tries;
};

/* How many of its tries were let in. */
static int try_often(void *arg, int n)
{
    const struct crowd *crowd = arg;
    int admitted = 0;

    (void)n;
    arena = gg_arena_open();
    db = database_open(arena);
    for (int i = 0; i < crowd->tries; i++)
        admitted += take("crowd", crowd->limit, 100000).admitted;
    gg_arena_close(arena);
    return admitted;
}

/* From the last one to InnoDB, in which the other tests find it. */
static enum gg_rate_engine engine_of(int turn)
{
    return (enum gg_rate_engine)(GG_RATE_ENGINES - 1 - turn);
}

static void move_to(enum gg_rate_engine engine)
{
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_rate_move(db, engine, &err), "%s: %s", gg_rate_engine_name(engine), err.log);
}

/* Whatever its engine. */
START_TEST(crowds_get_exactly_the_limit)
{
    struct crowd crowd = {50, 40};

    for (int i = 0; i < GG_RATE_ENGINES; i++) {
        set_up();
        move_to(engine_of(i));
        ck_assert_int_eq(database_run_processes(8, try_often, &crowd), 50);
        ck_assert_str_eq(database_cell(db, arena, "SELECT used FROM rate_limits"), "50");
        gg_arena_close(arena);
    }
}
END_TEST

static void check_in(enum gg_rate_engine engine)
{
    struct gg_err err = {.code = GG_OK};
    struct gg_rate_place place;

    ck_assert_msg(gg_rate_find_place(db, arena, &place, &err), "%s", err.log);
    ck_assert_str_eq(place.engine, gg_rate_engine_name(engine));
    for (int i = 0; i < GG_RATE_ENGINES; i++)
        ck_assert(gg_rate_is_in(&place, (enum gg_rate_engine)i) == (i == (int)engine));
    ck_assert(!place.is_galera && place.memory_bytes == GG_RATE_MEMORY_BYTES_DEFAULT);
}

/* mutant: src/store/rate.c: MOVE("MEMORY", " USING BTREE") => MOVE("MEMORY", "") */
/* mutant: src/store/rate.c: TRANSACTIONAL=DEFAULT PAGE_CHECKSUM=DEFAULT => COMMENT='' */
/* From each engine to each: rows stay, the sweep has its key, and nothing of Aria is left. */
START_TEST(engines_are_changed)
{
    static const enum gg_rate_engine way[] = {GG_RATE_ARIA,   GG_RATE_INNODB, GG_RATE_MEMORY,
                                              GG_RATE_INNODB, GG_RATE_MEMORY, GG_RATE_ARIA,
                                              GG_RATE_MEMORY, GG_RATE_INNODB};
    const char *options = "SELECT create_options FROM information_schema.tables"
                          " WHERE table_schema=DATABASE() AND table_name='rate_limits'";

    set_up();
    check_in(GG_RATE_INNODB);
    (void)take("a", 5, 3600);
    for (size_t i = 0; i < COUNT(way); i++) {
        move_to(way[i]);
        check_in(way[i]);
        ck_assert_int_eq(take("a", 50, 3600).remaining, 50 - 2 - (int)i);
        ck_assert_str_eq(database_cell(db, arena,
                                       "SELECT index_type FROM information_schema.statistics"
                                       " WHERE table_schema=DATABASE() AND index_name='ends_at'"),
                         "BTREE");
        if (way[i] == GG_RATE_INNODB)
            ck_assert_str_eq(database_cell(db, arena, options), "");
    }
    gg_arena_close(arena);
}
END_TEST

/* So many as one is told, and not many more. */
START_TEST(a_table_in_memory_has_the_room_that_is_said)
{
    struct gg_rate_key key = {GG_STR("new"), {5, 3600}};
    struct gg_err err = {.code = GG_OK};
    struct gg_rate rate;
    uint64_t swept;

    set_up();
    database_run(db, "SET SESSION max_heap_table_size = 4 * 1024 * 1024;"
                     "ALTER TABLE rate_limits ENGINE=MEMORY, DROP INDEX ends_at,"
                     " ADD INDEX ends_at (ends_at) USING BTREE");
    ck_assert(!gg_db_run_script(db,
                                "INSERT INTO rate_limits SELECT CONCAT('calendar:main:', seq,"
                                " '/60'), 1, 1, 0, 1, NOW() FROM seq_1_to_100000",
                                &err));
    double said = 4.0 * 1024 * 1024 / GG_RATE_MEMORY_ROW_BYTES;
    double rows = strtod(database_cell(db, arena, "SELECT COUNT(*) FROM rate_limits"), NULL);
    ck_assert_msg(said <= rows && rows < 1.1 * said, "%f rows, %f were said", rows, said);
    ck_assert(!gg_rate_take(db, arena, key, &rate, &err));
    ck_assert_int_eq(gg_db_fault(db), GG_DB_FULL);
    ck_assert(gg_rate_sweep(db, arena, &swept, &err) && swept == 1000);
    ck_assert(take("new", 5, 3600).admitted);
    database_run(db, "DELETE FROM rate_limits");
    move_to(GG_RATE_INNODB);
    gg_arena_close(arena);
}
END_TEST

START_TEST(old_rows_are_swept)
{
    uint64_t count;
    struct gg_err err;

    for (int i = 0; i < GG_RATE_ENGINES; i++) {
        set_up();
        move_to(engine_of(i));
        (void)take("fresh", 5, 3600);
        database_run(
            db, "INSERT INTO rate_limits VALUES ('old/1', 1, 1, 0, 1, NOW() - INTERVAL 1 SECOND)");
        ck_assert(gg_rate_sweep(db, arena, &count, &err));
        ck_assert_uint_eq(count, 1);
        ck_assert_str_eq(database_cell(db, arena, "SELECT GROUP_CONCAT(k) FROM rate_limits"),
                         "fresh/3600");
        gg_arena_close(arena);
    }
}
END_TEST

/* Of limit i, as many rows as there are users. */
static void put_users(int users)
{
    for (int i = 0; i < GG_LIMITS; i++)
        database_run(
            db, gg_arena_printf(arena,
                                "INSERT INTO rate_limits SELECT CONCAT('%s:main:', seq, '/60'),"
                                " 1, 1, 0, 1, NOW() FROM seq_100_to_%d",
                                gg_rate_word((enum gg_limit_id)i), 99 + users));
}

static void check_of(const char *id, int64_t want)
{
    struct gg_subject who = {gg_realm(GG_REALM_MAIN), gg_str_of(id)};
    struct gg_err err = {.code = GG_OK};
    int64_t count = -1;

    ck_assert_msg(gg_rate_count_of(db, arena, who, &count, &err), "%s", err.log);
    ck_assert_msg(count == want, "%s: %lld", id, (long long)count);
    ck_assert_msg(gg_rate_drop_of(db, arena, who, &count, &err), "%s", err.log);
    ck_assert_msg(count == want, "%s: %lld", id, (long long)count);
}

START_TEST(rows_of_one_user)
{
    struct gg_subject seven = {gg_realm(GG_REALM_BETA), GG_STR("7")};

    for (int i = 0; i < GG_RATE_ENGINES; i++) {
        set_up();
        move_to(engine_of(i));
        put_users(900);
        ck_assert_gg_str(gg_rate_name(arena, GG_LIMIT_CALENDAR, seven), "calendar:beta:7");
        /* Any window, and no name that only looks alike. */
        (void)take("calendar:main:500", 5, 3600);
        (void)take("calendar:main:5000", 5, 3600);
        (void)take("calendar:main:500:x", 5, 3600);
        (void)take("calendar:beta:500", 5, 3600);
        check_of("500", GG_LIMITS + 1);
        check_of("500", 0);
        check_of("50_", 0);
        check_of("%", 0);
        ck_assert_str_eq(database_cell(db, arena, "SELECT COUNT(*) FROM rate_limits"), "2700");
        gg_arena_close(arena);
    }
}
END_TEST

/* mutant: src/store/rate.c: E FROM rate_limits WHERE k => E FROM rate_limits WHERE TRIM(k) */
/* Whoever is deleted waits for nobody's request. */
START_TEST(other_users_rows_are_not_locked)
{
    struct gg_db *other;

    set_up();
    put_users(900);
    other = database_open(arena);
    database_run(other, "START TRANSACTION; SELECT * FROM rate_limits WHERE"
                        " k = 'calendar:main:300/60' FOR UPDATE");
    database_run(db, "SET SESSION innodb_lock_wait_timeout = 1");
    check_of("500", GG_LIMITS);
    database_run(other, "ROLLBACK");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/rate", judgements, waiting_is_enough, counting, windows,
             a_clock_behind_is_at_its_begin, crowds_get_exactly_the_limit, engines_are_changed,
             a_table_in_memory_has_the_room_that_is_said, old_rows_are_swept, rows_of_one_user,
             other_users_rows_are_not_locked)
