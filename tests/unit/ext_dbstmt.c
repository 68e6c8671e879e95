/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/base/buf.h"

#include <stdlib.h>
#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_err err;
static struct gg_db_result results[3];

static const struct gg_db_stmt insert = {
    "INSERT INTO ext_dbstmt (id, v) VALUES (?, ?) RETURNING id, v", false};
static const struct gg_db_stmt find = {"SELECT v FROM ext_dbstmt WHERE id=?", true};
static const struct gg_db_stmt silent = {"UPDATE ext_dbstmt SET v='x' WHERE id=?", true};
static const struct gg_db_stmt wrong = {"SELECT no_such_column FROM ext_dbstmt WHERE id=?", true};

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DROP TABLE IF EXISTS ext_dbstmt; CREATE TABLE ext_dbstmt"
                     " (id BIGINT NOT NULL PRIMARY KEY, v LONGTEXT NULL) ENGINE=InnoDB");
}

/* An insert, and another statement beside it. */
static bool put_and(const struct gg_db_stmt *second, int64_t id, struct gg_str v)
{
    const struct gg_db_value row[] = {gg_db_int(id), gg_db_text(v)};
    const struct gg_db_value key[] = {gg_db_int(id)};
    const struct gg_db_call calls[] = {GG_DB_CALL(insert, NULL, row), {second, NULL, key, 1}};

    err = (struct gg_err){.code = GG_OK};
    return gg_db_run_all(db, arena, &(struct gg_db_batch){calls, results, 2}, &err);
}

static int64_t count_questions(void)
{
    return strtoll(database_cell(db, arena,
                                 "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
                                 " WHERE VARIABLE_NAME = 'QUESTIONS'"),
                   NULL, 10);
}

/* Each sees what those before it have done. */
START_TEST(two_in_one_round_trip)
{
    set_up();
    ck_assert_msg(put_and(&find, 1, GG_STR("a")), "%s", err.log);
    int64_t before = count_questions();
    int64_t own = count_questions() - before;
    for (int64_t id = 2; id < 12; id++) {
        ck_assert_msg(put_and(&find, id, GG_STR("b;' END")), "%s", err.log);
        ck_assert_uint_eq(results[0].row_count, 1);
        ck_assert_int_eq(gg_db_cell_int(results[0].rows[0][0], -1), id);
        ck_assert_uint_eq(results[1].row_count, 1);
        ck_assert_gg_str(results[1].rows[0][0], "b;' END");
    }
    before = count_questions() - before - own;
    ck_assert_int_eq(before - own, 10);
    gg_arena_close(arena);
}
END_TEST

START_TEST(one_that_fails)
{
    const struct gg_db_value key[] = {gg_db_int(1)};

    set_up();
    /* The first one is done: each is a transaction of its own. */
    ck_assert(!put_and(&wrong, 1, GG_STR("a")));
    ck_assert_int_eq(err.code, GG_EDATABASE);
    ck_assert_uint_eq(results[0].row_count, 1);
    ck_assert_uint_eq(results[1].row_count, 0);
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(find, NULL, key), results, &err));
    ck_assert_uint_eq(results[0].row_count, 1);
    /* Behind one that failed none runs. */
    ck_assert(!put_and(&find, 1, GG_STR("b")));
    ck_assert_int_eq(gg_db_fault(db), GG_DB_DUPLICATE);
    ck_assert_ptr_null(strstr(err.log, "PRIMARY"));
    ck_assert_uint_eq(results[0].row_count + results[1].row_count, 0);
    ck_assert_msg(put_and(&find, 2, GG_STR("b")), "%s", err.log);
    gg_arena_close(arena);
}
END_TEST

/* A fault of ours in the midst of the answers: the next call has its own, on the same connection.
 */
/* mutant: src/ext/dbstmt.c: results[i], err)) { => results[i], err)) { return false; */
START_TEST(what_is_left_is_not_the_next_ones)
{
    struct gg_buf b;

    set_up();
    ck_assert_msg(put_and(&find, 1, GG_STR("a")), "%s", err.log);
    const char *id = database_cell(db, arena, "SELECT CONNECTION_ID()");
    gg_buf_init(&b, arena, GG_DB_CELL_BYTES_MAX + 1);
    for (size_t i = 0; i < GG_DB_CELL_BYTES_MAX + 1; i++)
        gg_buf_add_char(&b, 'x');
    ck_assert(!put_and(&find, 2, gg_buf_str(&b)));
    ck_assert_msg(put_and(&find, 3, GG_STR("c")), "%s", err.log);
    ck_assert_gg_str(results[1].rows[0][0], "c");
    /* One without rows among several is a fault of ours too. */
    ck_assert(!put_and(&silent, 4, GG_STR("d")));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    ck_assert_msg(put_and(&find, 5, GG_STR("e")), "%s", err.log);
    ck_assert_gg_str(results[1].rows[0][0], "e");
    ck_assert_str_eq(id, database_cell(db, arena, "SELECT CONNECTION_ID()"));
    gg_arena_close(arena);
}
END_TEST

/* Statements that fail with a conflict first, so many times; the count outlives what is taken back.
 */
static void make_conflicts(int times)
{
    database_run(db, "DROP FUNCTION IF EXISTS ext_dbstmt_fails; DROP TABLE IF EXISTS"
                     " ext_dbstmt_left; CREATE TABLE ext_dbstmt_left (n INT) ENGINE=Aria"
                     " TRANSACTIONAL=0");
    database_run(
        db, gg_arena_printf(arena,
                            "INSERT INTO ext_dbstmt_left VALUES (%d);"
                            "CREATE FUNCTION ext_dbstmt_fails() RETURNS INT BEGIN IF (SELECT n FROM"
                            " ext_dbstmt_left) > 0 THEN UPDATE ext_dbstmt_left SET n = n - 1;"
                            " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213; END IF; RETURN 0; END",
                            times));
}

#define COUNT_SQL \
    "INSERT INTO ext_dbstmt (id, v) VALUES (?, 1) ON DUPLICATE KEY UPDATE v = v + 1 RETURNING v"
#define FIND_SQL "FROM ext_dbstmt WHERE id=?"
static const struct gg_db_stmt count = {COUNT_SQL, true};
static const struct gg_db_stmt count_fails = {COUNT_SQL ", ext_dbstmt_fails()", true};
/* In the midst of its answer, and before and behind it, as the commit of one would. */
static const struct gg_db_stmt fails = {"SELECT v, ext_dbstmt_fails() " FIND_SQL, true};
static const struct gg_db_stmt fails_first = {
    "IF ext_dbstmt_fails() THEN SELECT 0; END IF; SELECT v " FIND_SQL, true};
static const struct gg_db_stmt fails_last = {
    "SELECT v " FIND_SQL "; IF ext_dbstmt_fails() THEN SELECT 0; END IF", true};

static bool count_and(const struct gg_db_stmt *first, const struct gg_db_stmt *second)
{
    const struct gg_db_value key[] = {gg_db_int(1)};
    const struct gg_db_call calls[] = {{first, NULL, key, 1}, {second, NULL, key, 1}};

    return gg_db_run_all(db, arena, &(struct gg_db_batch){calls, results, 2}, &err);
}

/* mutant: src/ext/dbstmt.c: store_result(s) != 0 => store_result(s) > 9 */
/* mutant: src/ext/dbstmt.c: next_result(s) > 0 => next_result(s) > 9 */
START_TEST(conflicts_are_tried_again_together)
{
    /* The first was taken back, and counts once; behind it, it was done, and is done again. */
    static const struct {
        const struct gg_db_stmt *calls[2];
        const char *counted;
    } cases[] = {{{&count_fails, &find}, "1"},
                 {{&count, &fails}, "5"},
                 {{&count, &fails_first}, "9"},
                 {{&count, &fails_last}, "13"}};

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_conflicts(3);
        ck_assert_msg(count_and(cases[i].calls[0], cases[i].calls[1]), "%s", err.log);
        ck_assert_gg_str(results[0].rows[0][0], cases[i].counted);
        ck_assert_gg_str(results[1].rows[0][0], cases[i].counted);
    }
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/ext/db.c: (may_repeat || batch->count == 1) => true */
START_TEST(what_runs_once_is_not_repeated_for_the_other)
{
    set_up();
    make_conflicts(1);
    ck_assert(!put_and(&fails, 1, GG_STR("a")));
    ck_assert_int_eq(gg_db_fault(db), GG_DB_CONFLICT);
    ck_assert_msg(put_and(&fails, 2, GG_STR("b")), "%s", err.log);
    gg_arena_close(arena);
}
END_TEST

START_TEST(none_and_too_many)
{
    const struct gg_db_value key[] = {gg_db_int(1)};
    const struct gg_db_call calls[] = {
        {&find, NULL, key, 1}, {&find, NULL, key, 1}, {&find, NULL, key, 1}};

    set_up();
    for (size_t n = 0; n < 4; n++) {
        bool fits = n > 0 && n <= GG_DB_BATCH_MAX;
        ck_assert(gg_db_run_all(db, arena, &(struct gg_db_batch){calls, results, n}, &err) == fits);
    }
    gg_arena_close(arena);
}
END_TEST

/* Short cells come with their row, longer ones one by one: rows of both, in turns. */
START_TEST(cells_of_each_length)
{
    enum { LONGEST = 300, ROWS = 60 };
    static const struct gg_db_stmt all = {
        "SELECT v, id, v FROM ext_dbstmt WHERE id > ? ORDER BY id", true};
    char text[LONGEST + 1];

    set_up();
    memset(text, 'x', LONGEST);
    for (size_t n = 0; n <= LONGEST; n++) {
        text[n / 2] = (char)('a' + n % 26);
        ck_assert(put_and(&find, (int64_t)n + 1, (struct gg_str){text, n}));
        ck_assert(n > 0 || results[1].rows[0][0].p != NULL);
        ck_assert_uint_eq(results[1].rows[0][0].n, n);
        ck_assert(n == 0 || memcmp(results[1].rows[0][0].p, text, n) == 0);
        text[n / 2] = 'x';
    }
    ck_assert(put_and(&find, LONGEST + 2, (struct gg_str){NULL, 0}));
    ck_assert_ptr_null(results[1].rows[0][0].p);
    const struct gg_db_value from[] = {gg_db_int(LONGEST + 2 - ROWS)};
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(all, NULL, from), &results[0], &err));
    ck_assert_uint_eq(results[0].row_count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const struct gg_str *row = results[0].rows[i];
        size_t n = (size_t)gg_db_cell_int(row[1], 0) - 1;
        ck_assert((row[0].p == NULL) == (i == ROWS - 1));
        ck_assert_uint_eq(row[0].n, i == ROWS - 1 ? 0 : n);
        ck_assert(gg_str_is_equal(row[0], row[2]));
    }
    gg_arena_close(arena);
}
END_TEST

/* As the server itself reckons. */
START_TEST(times)
{
    static const char *const cases[] = {
        "1970-01-01 00:00:00",        "1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999",
        "2000-02-29 12:34:56.789012", "2100-02-28 23:59:59",        "2100-03-01 00:00:00",
        "2026-12-31 23:59:59.999999", "2038-01-19 03:14:08",        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999", "2024-02-29 00:00:00",        "1600-03-01 00:00:00",
    };
    static const struct gg_db_stmt reckon = {
        "SELECT CAST(? AS DATETIME(6)), TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ?)", true};
    static const struct gg_db_stmt days = {
        "SELECT '1890-01-01 13:00:00' + INTERVAL seq DAY,"
        " TIMESTAMPDIFF(MICROSECOND, '1970-01-01', '1890-01-01 13:00:00' + INTERVAL seq DAY)"
        " FROM seq_0_to_99999_step_101",
        true};
    static const char *const none[] = {"0000-00-00 00:00:00",
                                       "2026-00-01 00:00:00",
                                       "2026-01-01",
                                       "2026-01-01T00:00:00",
                                       "2026-01-01 00:00",
                                       "2026-01-01 00:00:00.1",
                                       "2026-01-01 00:00:00.1234567",
                                       "2026-01-01 00:00:00 ",
                                       "-026-01-01 00:00:00",
                                       ""};

    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct gg_db_value value = gg_db_text(gg_str_of(cases[i]));
        const struct gg_db_value both[] = {value, value};
        ck_assert(gg_db_run(db, arena, GG_DB_CALL(reckon, NULL, both), &results[0], &err));
        const struct gg_str *row = results[0].rows[0];
        ck_assert_msg(gg_db_cell_us(row[0], 7) == gg_db_cell_int(row[1], -7), "%s", cases[i]);
        ck_assert(gg_db_cell_us(gg_str_of(cases[i]), 7) == gg_db_cell_int(row[1], -7));
    }
    ck_assert(gg_db_run(db, arena, (struct gg_db_call){.stmt = &days}, &results[0], &err));
    ck_assert_uint_gt(results[0].row_count, 900);
    for (size_t i = 0; i < results[0].row_count; i++)
        ck_assert(gg_db_cell_us(results[0].rows[i][0], 7) ==
                  gg_db_cell_int(results[0].rows[i][1], -7));
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(gg_db_cell_us(gg_str_of(none[i]), 7) == 7, "%s", none[i]);
    ck_assert(gg_db_cell_us((struct gg_str){NULL, 0}, 7) == 7);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/dbstmt", two_in_one_round_trip, one_that_fails, what_is_left_is_not_the_next_ones,
             conflicts_are_tried_again_together, what_runs_once_is_not_repeated_for_the_other,
             none_and_too_many, cells_of_each_length, times)
