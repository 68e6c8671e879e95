/* SPDX-License-Identifier: MIT */
#include "gg/store/audit.h"

#define COLUMNS 12
/* No text of 36 characters stands behind it, also where somebody else made it. */
#define LAST_12    "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"
#define BEHIND_ALL LAST_12 LAST_12 LAST_12 "\x7f"
#define INSERT \
    "INSERT INTO audit_log (id, at, event, realm, subject, actor, address, request_id, result," \
    " detail, key_fingerprint, mac) VALUES "
#define ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#define ROWS_2  ROW ", " ROW
#define ROWS_4  ROWS_2 ", " ROWS_2
#define ROWS_8  ROWS_4 ", " ROWS_4
#define ROWS_32 ROWS_8 ", " ROWS_8 ", " ROWS_8 ", " ROWS_8

/* A statement for each size, the largest first; what is of another one is split. */
static const struct size {
    size_t count;
    struct gg_db_stmt stmt;
} sizes[] = {
    {32, {INSERT ROWS_32, true}},        {8, {INSERT ROWS_8, true}}, {4, {INSERT ROWS_4, true}},
    {3, {INSERT ROWS_2 ", " ROW, true}}, {2, {INSERT ROWS_2, true}},
};
static const struct gg_db_stmt put_row = {INSERT ROW, true};

static const struct gg_db_stmt find_mac = {"SELECT mac FROM audit_log WHERE id=?", true};

/* A filter that is NULL is a constant to the optimiser: what is left uses the index it can. */
#define FIND \
    "SELECT id, DATE_FORMAT(at, '%Y-%m-%dT%H:%i:%s.%f'), event, realm, subject, actor, address," \
    " request_id, result, detail, key_fingerprint, mac FROM audit_log" \
    " WHERE id > ? AND id < ? AND (? IS NULL OR realm=?) AND (? IS NULL OR subject=?)" \
    " AND (? IS NULL OR actor=?) AND (? IS NULL OR event=?) AND (? IS NULL OR result=?)" \
    " AND (? IS NULL OR request_id=?)"

static const struct gg_db_stmt find_forwards = {FIND " ORDER BY id LIMIT ?", true};
static const struct gg_db_stmt find_backwards = {FIND " ORDER BY id DESC LIMIT ?", true};

static const struct gg_db_stmt drop = {"DELETE FROM audit_log WHERE id <= ? ORDER BY id LIMIT 1000",
                                       true};

static const struct gg_db_stmt find_now = {
    "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)", true};

static void set_values(struct gg_db_value *values, const struct gg_audit_row *r)
{
    const struct gg_str cells[COLUMNS] = {r->id,      r->at,     r->event,           r->realm,
                                          r->subject, r->actor,  r->address,         r->request_id,
                                          r->result,  r->detail, r->key_fingerprint, r->mac};

    for (size_t i = 0; i < COLUMNS; i++)
        values[i] = gg_db_text(cells[i]);
}

/* An insert that is repeated after a lost connection may find its own rows. Not so another's. */
static bool has_come_through(struct gg_db *db, struct gg_arena *a, const struct gg_audit_row *row,
                             struct gg_err *err)
{
    struct gg_db_value key = gg_db_text(row->id);
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){&find_mac, NULL, &key, 1}, &found, err))
        return false;
    if (found.row_count == 1 && gg_str_is_equal(found.rows[0][0], row->mac))
        return true;
    return gg_fail(err, GG_EINTERNAL, "the id of a row of the audit is taken");
}

static bool put_one(struct gg_db *db, struct gg_arena *a, const struct gg_audit_row *row,
                    struct gg_err *err)
{
    struct gg_db_value values[COLUMNS];
    struct gg_db_result done;

    set_values(values, row);
    return gg_db_run(db, a, (struct gg_db_call){&put_row, NULL, values, COLUMNS}, &done, err) ||
           (gg_db_fault(db) == GG_DB_DUPLICATE && has_come_through(db, a, row, err));
}

/* Some of them may be there already: then each by itself. */
static bool put_some(struct gg_db *db, struct gg_arena *a, const struct size *size,
                     const struct gg_audit_row *rows, struct gg_err *err)
{
    size_t n = size->count * COLUMNS;
    struct gg_db_value *values = gg_arena_alloc(a, n * sizeof *values);
    struct gg_db_result done;

    for (size_t i = 0; i < size->count; i++)
        set_values(values + i * COLUMNS, &rows[i]);
    if (gg_db_run(db, a, (struct gg_db_call){&size->stmt, NULL, values, n}, &done, err))
        return true;
    if (gg_db_fault(db) != GG_DB_DUPLICATE)
        return false;
    for (size_t i = 0; i < size->count; i++)
        if (!put_one(db, a, &rows[i], err))
            return false;
    return true;
}

bool gg_audit_put(struct gg_db *db, struct gg_arena *a, const struct gg_audit_row *rows,
                  size_t count, struct gg_err *err)
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (; count >= sizes[i].count; count -= sizes[i].count, rows += sizes[i].count)
            if (!put_some(db, a, &sizes[i], rows, err))
                return false;
    return count == 0 || put_one(db, a, rows, err);
}

static struct gg_audit_row take_row(const struct gg_str *cells)
{
    return (struct gg_audit_row){
        .id = cells[0],
        .at = cells[1],
        .event = cells[2],
        .realm = cells[3],
        .subject = cells[4],
        .actor = cells[5],
        .address = cells[6],
        .request_id = cells[7],
        .result = cells[8],
        .detail = cells[9],
        .key_fingerprint = cells[10],
        .mac = cells[11],
    };
}

bool gg_audit_find(struct gg_db *db, struct gg_arena *a, const struct gg_audit_filter *filter,
                   struct gg_audit_page *page, struct gg_err *err)
{
    const struct gg_str wanted[] = {filter->realm, filter->subject, filter->actor,
                                    filter->event, filter->result,  filter->request_id};
    struct gg_db_value values[3 + 2 * (sizeof wanted / sizeof wanted[0])];
    struct gg_db_result found;
    size_t n = 0;

    values[n++] = gg_db_text(filter->after.p == NULL ? GG_STR("") : filter->after);
    values[n++] = gg_db_text(filter->before.p == NULL ? GG_STR(BEHIND_ALL) : filter->before);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        values[n++] = gg_db_text(wanted[i]);
        values[n++] = gg_db_text(wanted[i]);
    }
    values[n++] =
        gg_db_int(page->limit < GG_AUDIT_PAGE_MAX ? page->limit : (int64_t)GG_AUDIT_PAGE_MAX);
    const struct gg_db_stmt *stmt = page->is_backwards ? &find_backwards : &find_forwards;
    if (!gg_db_run(db, a, (struct gg_db_call){stmt, NULL, values, n}, &found, err))
        return false;
    page->rows = gg_arena_alloc(a, found.row_count * sizeof *page->rows);
    page->count = found.row_count;
    for (size_t i = 0; i < found.row_count; i++)
        page->rows[i] = take_row(found.rows[i]);
    return true;
}

bool gg_audit_drop(struct gg_db *db, struct gg_arena *a, struct gg_str last_id, uint64_t *count,
                   struct gg_err *err)
{
    struct gg_db_value value = gg_db_text(last_id);
    struct gg_db_result done;

    if (!gg_db_run(db, a, (struct gg_db_call){&drop, NULL, &value, 1}, &done, err))
        return false;
    *count = done.affected;
    return true;
}

bool gg_audit_find_now(struct gg_db *db, struct gg_arena *a, int64_t *now_us, struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find_now}, &found, err))
        return false;
    *now_us = found.row_count == 1 ? gg_db_cell_int(found.rows[0][0], -1) : -1;
    return *now_us >= 0 || gg_fail(err, GG_EDATABASE, "the database has no time");
}

bool gg_audit_count(struct gg_db *db, struct gg_arena *a, int64_t *count, struct gg_err *err)
{
    static const struct gg_db_stmt all = {"SELECT COUNT(*) FROM audit_log", true};

    return gg_db_find_int(db, a, (struct gg_db_call){.stmt = &all}, count, err);
}
