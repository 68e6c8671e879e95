/* SPDX-License-Identifier: MIT */
#include "gg/ext/dbstmt.h"

#include <mysql.h>
#include <mysqld_error.h>
#include <string.h>

#define ROWS_MAX   1000
#define CELL_BYTES 128

/* The number of the next n digits; -1 when they are none. */
static int64_t take_digits(struct gg_str *s, size_t n)
{
    int64_t v = 0;

    if (s->n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return -1;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = gg_str_skip(*s, n);
    return v;
}

static int64_t take_field(struct gg_str *s, char before, size_t n)
{
    if (s->n == 0 || s->p[0] != before)
        return -1;
    *s = gg_str_skip(*s, 1);
    return take_digits(s, n);
}

/* Days since 1970 in the Gregorian calendar; months before March belong to the year before. */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

int64_t gg_db_cell_us(struct gg_str cell, int64_t otherwise)
{
    struct gg_str s = cell;
    int64_t year = take_digits(&s, 4);
    int64_t month = take_field(&s, '-', 2);
    int64_t day = take_field(&s, '-', 2);
    int64_t hour = take_field(&s, ' ', 2);
    int64_t minute = take_field(&s, ':', 2);
    int64_t second = take_field(&s, ':', 2);
    int64_t us = s.n == 0 ? 0 : take_field(&s, '.', 6);

    /* MariaDB has a DATETIME of nought days, which is no time. */
    if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0 || us < 0 ||
        s.n > 0)
        return otherwise;
    return (((count_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000 +
           us;
}

void gg_dbstmt_close(struct gg_dbstmt_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        (void)mysql_stmt_close(set->kept[i].handle);
    set->count = 0;
}

/* Of a statement, or of the connection where that is NULL. */
static bool fail_of(struct gg_dbstmt_set *set, MYSQL_STMT *s, const char *doing, struct gg_err *err)
{
    const char *text = s == NULL ? mysql_error(set->mysql) : mysql_stmt_error(s);

    set->code = s == NULL ? mysql_errno(set->mysql) : mysql_stmt_errno(s);
    /* These repeat a value, whose it may be. */
    if (set->code == ER_DUP_ENTRY || set->code == ER_TRUNCATED_WRONG_VALUE ||
        set->code == ER_TRUNCATED_WRONG_VALUE_FOR_FIELD)
        text = "a value does not fit";
    (void)gg_fail(err, GG_EDATABASE, "%s: %u %s", doing, set->code, text);
    err->retry_after_s = 5;
    return false;
}

bool gg_dbstmt_fail(struct gg_dbstmt_set *set, const char *doing, struct gg_err *err)
{
    return fail_of(set, NULL, doing, err);
}

/* A statement as it is kept, without its handle. */
static struct gg_dbstmt name_of(const struct gg_db_pair *pair)
{
    return (struct gg_dbstmt){
        .stmt = pair->call.stmt,
        .realm = pair->call.realm,
        .cell_stmt = pair->cell.stmt,
        .cell_realm = pair->cell.realm,
    };
}

static bool is_same(const struct gg_dbstmt *a, const struct gg_dbstmt *b)
{
    return a->stmt == b->stmt && a->realm == b->realm && a->cell_stmt == b->cell_stmt &&
           a->cell_realm == b->cell_realm;
}

static struct gg_str text_of(struct gg_arena *a, const struct gg_db_pair *pair)
{
    struct gg_str sql = gg_realm_fill(a, pair->call.realm, pair->call.stmt->sql);

    if (pair->cell.stmt == NULL)
        return sql;
    struct gg_str cell = gg_realm_fill(a, pair->cell.realm, pair->cell.stmt->sql);
    return gg_str_of(gg_arena_printf(a, "%.*s, (%.*s)", GG_STR_ARG(sql), GG_STR_ARG(cell)));
}

static MYSQL_STMT *prepare(struct gg_dbstmt_set *set, struct gg_arena *a,
                           const struct gg_db_pair *pair, struct gg_err *err)
{
    struct gg_dbstmt wanted = name_of(pair);

    for (size_t i = 0; i < set->count; i++)
        if (is_same(&set->kept[i], &wanted))
            return set->kept[i].handle;
    if (set->count == GG_DBSTMT_MAX) {
        (void)gg_fail(err, GG_EINTERNAL, "too many statements");
        return NULL;
    }
    struct gg_str sql = text_of(a, pair);
    MYSQL_STMT *s = mysql_stmt_init(set->mysql);
    if (s == NULL || mysql_stmt_prepare(s, sql.p, sql.n) != 0) {
        (void)fail_of(set, NULL, "prepare", err);
        if (s != NULL)
            (void)mysql_stmt_close(s);
        return NULL;
    }
    wanted.handle = s;
    set->kept[set->count++] = wanted;
    return s;
}

/* MariaDB's type for a parameter; its buffers are borrowed from the values. */
static void bind_value(MYSQL_BIND *bind, const struct gg_db_value *v)
{
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_NULL};
    if (v->type == GG_DB_INT) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)&v->number;
    } else if (v->type == GG_DB_TEXT) {
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = (void *)v->text.p;
        bind->buffer_length = v->text.n;
    }
}

/* Where a row's cells are fetched to: most are short, a longer one is fetched once more. */
struct cells {
    MYSQL_BIND binds[GG_DB_COLUMNS_MAX];
    struct {
        unsigned long length;
        my_bool is_null;
        char bytes[CELL_BYTES];
    } of[GG_DB_COLUMNS_MAX];
};

static bool bind_cells(MYSQL_STMT *s, struct cells *cells, unsigned columns)
{
    memset(cells->binds, 0, columns * sizeof cells->binds[0]);
    for (unsigned i = 0; i < columns; i++) {
        cells->binds[i].buffer_type = MYSQL_TYPE_STRING;
        cells->binds[i].buffer = cells->of[i].bytes;
        cells->binds[i].buffer_length = CELL_BYTES;
        cells->binds[i].length = &cells->of[i].length;
        cells->binds[i].is_null = &cells->of[i].is_null;
    }
    return mysql_stmt_bind_result(s, cells->binds) == 0;
}

/* One cell of the row that was just fetched. */
static bool take_cell(MYSQL_STMT *s, struct gg_arena *a, struct cells *cells, unsigned column,
                      struct gg_str *out)
{
    unsigned long length = cells->of[column].length;

    *out = (struct gg_str){NULL, 0};
    if (cells->of[column].is_null)
        return true;
    if (length > GG_DB_CELL_BYTES_MAX)
        return false;
    if (length <= CELL_BYTES) {
        *out = (struct gg_str){gg_arena_copy(a, cells->of[column].bytes, length), length};
        return true;
    }
    char *p = gg_arena_alloc(a, length + 1);
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = p, .buffer_length = length, .length = &length};
    *out = (struct gg_str){p, length};
    return mysql_stmt_fetch_column(s, &bind, column, 0) == 0 && length == out->n;
}

static bool fetch_rows(struct gg_dbstmt_set *set, MYSQL_STMT *s, struct gg_arena *a,
                       struct gg_db_result *result, struct gg_err *err)
{
    unsigned columns = mysql_stmt_field_count(s);
    size_t rows = (size_t)mysql_stmt_num_rows(s);
    struct cells cells;

    if (columns > GG_DB_COLUMNS_MAX)
        return gg_fail(err, GG_EINTERNAL, "%u columns", columns);
    rows = rows > ROWS_MAX ? ROWS_MAX : rows;
    result->rows = gg_arena_alloc(a, rows * sizeof *result->rows);
    if (!bind_cells(s, &cells, columns))
        return fail_of(set, s, "bind", err);
    for (size_t i = 0; i < rows; i++) {
        int got = mysql_stmt_fetch(s);
        if (got != 0 && got != MYSQL_DATA_TRUNCATED)
            return fail_of(set, s, "fetch", err);
        for (unsigned c = 0; c < columns; c++)
            if (!take_cell(s, a, &cells, c, &result->rows[i][c]))
                return gg_fail(err, GG_EDATABASE, "column %u cannot be read or is too large", c);
        result->row_count++;
    }
    return true;
}

static bool take_rows(struct gg_dbstmt_set *set, MYSQL_STMT *s, struct gg_arena *a,
                      struct gg_db_result *result, struct gg_err *err)
{
    /* On Galera a certification failure of INSERT … RETURNING shows here, not in execute. */
    if (mysql_stmt_store_result(s) != 0)
        return fail_of(set, s, "store", err);
    bool ok = fetch_rows(set, s, a, result, err);
    (void)mysql_stmt_free_result(s);
    return ok;
}

static bool bind_and_execute(struct gg_dbstmt_set *set, MYSQL_STMT *s,
                             const struct gg_db_pair *pair, struct gg_err *err)
{
    MYSQL_BIND binds[GG_DB_VALUES_MAX];
    size_t own = pair->call.count;
    size_t count = own + pair->cell.count;

    if (count > GG_DB_VALUES_MAX || mysql_stmt_param_count(s) != count)
        return gg_fail(err, GG_EINTERNAL, "a statement's parameters do not match");
    for (size_t i = 0; i < count; i++)
        bind_value(&binds[i], i < own ? &pair->call.values[i] : &pair->cell.values[i - own]);
    if (count > 0 && mysql_stmt_bind_param(s, binds) != 0)
        return fail_of(set, s, "bind", err);
    return mysql_stmt_execute(s) == 0 || fail_of(set, s, "execute", err);
}

bool gg_dbstmt_run(struct gg_dbstmt_set *set, struct gg_arena *a, const struct gg_db_pair *pair,
                   struct gg_db_result *result, struct gg_err *err)
{
    set->code = 0;
    *result = (struct gg_db_result){0};
    MYSQL_STMT *s = prepare(set, a, pair, err);
    if (s == NULL || !bind_and_execute(set, s, pair, err))
        return false;
    result->affected = mysql_stmt_affected_rows(s);
    return mysql_stmt_field_count(s) == 0 || take_rows(set, s, a, result, err);
}
