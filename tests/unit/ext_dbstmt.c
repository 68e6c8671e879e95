/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/base/buf.h"

#include <stdlib.h>
#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_err err;
static struct gg_db_result rows;

#define PUT_SQL "INSERT INTO ext_dbstmt (id, v) SELECT ?, ?"
static const struct gg_db_stmt insert = {PUT_SQL " RETURNING id, v", false};
static const struct gg_db_stmt put_again = {
    PUT_SQL " ON DUPLICATE KEY UPDATE v = CONCAT(v, 'x') RETURNING id, v", true};
static const struct gg_db_stmt find = {"SELECT v FROM ext_dbstmt_other WHERE id=?", true};
static const struct gg_db_stmt find_once = {"SELECT v FROM ext_dbstmt_other WHERE id=?", false};
static const struct gg_db_stmt find_many = {"SELECT v FROM ext_dbstmt_other WHERE id<>?", true};
static const struct gg_db_stmt wrong = {"SELECT no_such_column FROM ext_dbstmt_other WHERE id=?",
                                        true};

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DROP TABLE IF EXISTS ext_dbstmt, ext_dbstmt_other; CREATE TABLE ext_dbstmt"
                     " (id BIGINT NOT NULL PRIMARY KEY, v LONGTEXT NULL) ENGINE=InnoDB;"
                     "CREATE TABLE ext_dbstmt_other LIKE ext_dbstmt;"
                     "INSERT INTO ext_dbstmt_other VALUES (1, 'one'), (2, NULL), (3, '')");
}

/* A row is put, and the cell of `key` comes with it. */
static bool put_and(const struct gg_db_stmt *put, const struct gg_db_stmt *cell, int64_t id,
                    int64_t key)
{
    const struct gg_db_value row[] = {gg_db_int(id), gg_db_text(GG_STR("a"))};
    const struct gg_db_value of[] = {gg_db_int(key)};

    err = (struct gg_err){.code = GG_OK};
    return gg_db_run_pair(db, arena, &(struct gg_db_pair){{put, NULL, row, 2}, {cell, NULL, of, 1}},
                          &rows, &err);
}

static int64_t count_questions(void)
{
    return strtoll(database_cell(db, arena,
                                 "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
                                 " WHERE VARIABLE_NAME = 'QUESTIONS'"),
                   NULL, 10);
}

START_TEST(a_cell_comes_in_the_same_round_trip)
{
    static const struct {
        int64_t key;
        const char *cell;
    } cases[] = {{1, "one"}, {2, NULL}, {3, ""}, {4, NULL}, {1, "one"}};

    set_up();
    ck_assert_msg(put_and(&insert, &find, 100, 1), "%s", err.log);
    int64_t before = count_questions();
    int64_t own = count_questions() - before;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(put_and(&insert, &find, (int64_t)i, cases[i].key), "%s", err.log);
        ck_assert_uint_eq(rows.row_count, 1);
        ck_assert_int_eq(gg_db_cell_int(rows.rows[0][0], -1), (int64_t)i);
        ck_assert_gg_str(rows.rows[0][1], "a");
        ck_assert_int_eq(rows.rows[0][2].p == NULL, cases[i].cell == NULL);
        if (cases[i].cell != NULL)
            ck_assert_gg_str(rows.rows[0][2], cases[i].cell);
    }
    before = count_questions() - before - own;
    ck_assert_int_eq(before - own, (int64_t)COUNT(cases));
    gg_arena_close(arena);
}
END_TEST

/* They are one: where either fails, nothing is done, and the next has the same connection. */
START_TEST(one_that_fails)
{
    set_up();
    ck_assert_msg(put_and(&insert, &find, 1, 1), "%s", err.log);
    const char *id = database_cell(db, arena, "SELECT CONNECTION_ID()");
    ck_assert(!put_and(&insert, &wrong, 2, 1));
    ck_assert_int_eq(err.code, GG_EDATABASE);
    ck_assert(!put_and(&insert, &find_many, 2, 100));
    ck_assert(!put_and(&insert, &find, 1, 1));
    ck_assert_int_eq(gg_db_fault(db), GG_DB_DUPLICATE);
    ck_assert_ptr_null(strstr(err.log, "PRIMARY"));
    ck_assert_uint_eq(rows.row_count, 0);
    ck_assert_str_eq(database_cell(db, arena, "SELECT COUNT(*) FROM ext_dbstmt"), "1");
    ck_assert_msg(put_and(&insert, &find, 2, 1), "%s", err.log);
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

/* In the midst of the answer, as the certification of a Galera node would. */
static const struct gg_db_stmt fails = {
    "SELECT IF(ext_dbstmt_fails(), 0, v) FROM ext_dbstmt_other WHERE id=?", true};

/* mutant: src/ext/dbstmt.c: store_result(s) != 0 => store_result(s) > 9 */
START_TEST(conflicts_are_tried_again_together)
{
    set_up();
    make_conflicts(3);
    ck_assert_msg(put_and(&put_again, &fails, 1, 1), "%s", err.log);
    /* What was taken back counts for nothing. */
    ck_assert_gg_str(rows.rows[0][1], "a");
    ck_assert_gg_str(rows.rows[0][2], "one");
    gg_arena_close(arena);
}
END_TEST

/* Whoever has it without the other must not be given its handle. */
START_TEST(a_statement_is_kept_for_its_cell)
{
    const struct gg_db_value row[] = {gg_db_int(1), gg_db_text(GG_STR("a"))};

    set_up();
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(put_again, NULL, row), &rows, &err));
    ck_assert(put_and(&put_again, &find, 2, 1));
    ck_assert_gg_str(rows.rows[0][2], "one");
    ck_assert(put_and(&put_again, &find_once, 3, 3));
    ck_assert_gg_str(rows.rows[0][2], "");
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(put_again, NULL, row), &rows, &err));
    ck_assert_gg_str(rows.rows[0][1], "ax");
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
        const struct gg_db_value put[] = {gg_db_int((int64_t)n + 1),
                                          gg_db_text((struct gg_str){text, n})};
        ck_assert(gg_db_run(db, arena, GG_DB_CALL(insert, NULL, put), &rows, &err));
        ck_assert(n > 0 || rows.rows[0][1].p != NULL);
        ck_assert_uint_eq(rows.rows[0][1].n, n);
        ck_assert(n == 0 || memcmp(rows.rows[0][1].p, text, n) == 0);
        text[n / 2] = 'x';
    }
    const struct gg_db_value none[] = {gg_db_int(LONGEST + 2),
                                       gg_db_text((struct gg_str){NULL, 0})};
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(insert, NULL, none), &rows, &err));
    ck_assert_ptr_null(rows.rows[0][1].p);
    const struct gg_db_value from[] = {gg_db_int(LONGEST + 2 - ROWS)};
    ck_assert(gg_db_run(db, arena, GG_DB_CALL(all, NULL, from), &rows, &err));
    ck_assert_uint_eq(rows.row_count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const struct gg_str *row = rows.rows[i];
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
        ck_assert(gg_db_run(db, arena, GG_DB_CALL(reckon, NULL, both), &rows, &err));
        const struct gg_str *row = rows.rows[0];
        ck_assert_msg(gg_db_cell_us(row[0], 7) == gg_db_cell_int(row[1], -7), "%s", cases[i]);
        ck_assert(gg_db_cell_us(gg_str_of(cases[i]), 7) == gg_db_cell_int(row[1], -7));
    }
    ck_assert(gg_db_run(db, arena, (struct gg_db_call){.stmt = &days}, &rows, &err));
    ck_assert_uint_gt(rows.row_count, 900);
    for (size_t i = 0; i < rows.row_count; i++)
        ck_assert(gg_db_cell_us(rows.rows[i][0], 7) == gg_db_cell_int(rows.rows[i][1], -7));
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(gg_db_cell_us(gg_str_of(none[i]), 7) == 7, "%s", none[i]);
    ck_assert(gg_db_cell_us((struct gg_str){NULL, 0}, 7) == 7);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/dbstmt", a_cell_comes_in_the_same_round_trip, one_that_fails,
             conflicts_are_tried_again_together, a_statement_is_kept_for_its_cell,
             cells_of_each_length, times)
