/* SPDX-License-Identifier: MIT */
#include "gg/store/rate.h"

#include <math.h>
#include <string.h>

static const char *const words[GG_LIMITS] = {
    [GG_LIMIT_OAUTH_START] = "oauth_start",
    [GG_LIMIT_OAUTH_CALLBACK] = "oauth_callback",
    [GG_LIMIT_CALENDAR] = "calendar",
};

/*
 * The parameters are name, window, two windows, window, window, limit - 1. Assignments run from
 * left to right, each seeing those before it: `admitted` first says how many windows the row is
 * behind, 2 for more. A clock behind another host's, or a statement that waited for the row past
 * the end of its window, stays in the newer window, at its begin. Written with as few names and
 * functions as will do, since MariaDB resolves each of them every time, and without decimals. A
 * SELECT and no VALUES, so that a cell can come with it that is read without a lock.
 */
static const struct gg_db_stmt take = {
    "INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at)"
    " SELECT ?, UNIX_TIMESTAMP() DIV ?, 1, 0, 1, NOW() + INTERVAL ? SECOND"
    " ON DUPLICATE KEY UPDATE"
    " admitted = LEAST(2, GREATEST(VALUES(win) - win, 0)),"
    " prev = CASE admitted WHEN 0 THEN prev WHEN 1 THEN used ELSE 0 END,"
    " used = IF(admitted, 0, used),"
    " ends_at = IF(admitted, VALUES(ends_at), ends_at),"
    " win = GREATEST(win, VALUES(win)),"
    " admitted = used + prev"
    "  * LEAST(1, 1 - (UNIX_TIMESTAMP() - win * ? + MICROSECOND(NOW(6)) / 1e6) / ?) <= ?,"
    " used = used + admitted"
    " RETURNING admitted, used, prev, NOW(6)",
    true};

static const struct gg_db_stmt sweep = {"DELETE FROM rate_limits WHERE ends_at <= NOW() LIMIT 1000",
                                        true};

/* The sweep reads a range of ends_at, which MEMORY's usual hash cannot. */
#define KEY               ", DROP INDEX ends_at, ADD INDEX ends_at (ends_at)"
#define MOVE(engine, how) "ALTER TABLE rate_limits ENGINE=" engine KEY how
/* Aria's options stay with the table, of no use to it, until it is told to drop them. */
#define DROP_OPTIONS "; ALTER TABLE rate_limits TRANSACTIONAL=DEFAULT PAGE_CHECKSUM=DEFAULT"
#define MAKE_ROOM \
    "SET SESSION max_heap_table_size=GREATEST(@@GLOBAL.max_heap_table_size, 256 * 1024 * 1024); "

static const struct {
    const char *word;
    const char *name;
    const char *move;
} engines[GG_RATE_ENGINES] = {
    [GG_RATE_INNODB] = {"innodb", "InnoDB", MOVE("InnoDB", "") DROP_OPTIONS},
    [GG_RATE_ARIA] = {"aria", "Aria", MOVE("Aria TRANSACTIONAL=0", "")},
    [GG_RATE_MEMORY] = {"memory", "MEMORY", MAKE_ROOM MOVE("MEMORY", " USING BTREE")},
};

/* A server without Galera's code has none of these variables; one with it has them empty. */
static const struct gg_db_stmt find_place = {
    "SELECT (SELECT engine FROM information_schema.tables"
    " WHERE table_schema=DATABASE() AND table_name='rate_limits'),"
    " (SELECT COUNT(*) FROM information_schema.global_variables"
    " WHERE variable_name='WSREP_ON' AND variable_value='ON'"
    " OR variable_name='WSREP_CLUSTER_ADDRESS' AND variable_value<>''),"
    " @@GLOBAL.max_heap_table_size",
    true};

const char *gg_rate_word(enum gg_limit_id limit)
{
    return words[limit];
}

struct gg_str gg_rate_name(struct gg_arena *a, enum gg_limit_id limit, struct gg_subject who)
{
    return gg_str_of(
        gg_arena_printf(a, "%s:%s:%.*s", words[limit], who.realm->name, GG_STR_ARG(who.id)));
}

struct gg_rate gg_rate_judge(struct gg_limit limit, struct gg_rate_row row)
{
    double window = (double)limit.per_s;
    double part = row.elapsed_s / window;
    double most = (double)limit.requests;
    double used = (double)row.used;
    double prev = (double)row.prev;
    double left = floor(most - used - prev * (1 - part) + 1e-9);
    double wait;

    if (left >= 1)
        wait = window - row.elapsed_s;
    else if (used + 1 <= most)
        /* Later in this window: when used + 1 + prev * (1 - part) has come down to the limit. */
        wait = (1 - (most - 1 - used) / prev) * window - row.elapsed_s;
    else
        /* In the next one, where what is used now is what came before. */
        wait = window - row.elapsed_s + (1 - (most - 1) / used) * window;
    return (struct gg_rate){
        .admitted = row.admitted,
        .limit = limit.requests,
        .remaining = left > 0 ? (int64_t)left : 0,
        .reset_s = wait > 1 ? (int64_t)ceil(wait) : 1,
    };
}

struct gg_db_call gg_rate_call(struct gg_arena *a, struct gg_rate_key key)
{
    struct gg_db_value window = gg_db_int(key.limit.per_s);
    /* The window is part of the name: windows of another length are numbered otherwise. */
    const struct gg_db_value list[] = {
        gg_db_text(gg_str_of(
            gg_arena_printf(a, "%.*s/%lld", GG_STR_ARG(key.name), (long long)key.limit.per_s))),
        window,
        gg_db_int(2 * key.limit.per_s),
        window,
        window,
        gg_db_int(key.limit.requests - 1),
    };
    struct gg_db_value *values = gg_arena_alloc(a, sizeof list);

    memcpy(values, list, sizeof list);
    return (struct gg_db_call){&take, NULL, values, sizeof list / sizeof list[0]};
}

/* Of the window that a time is in. */
static double elapsed_s(int64_t now_us, int64_t window_s)
{
    return (double)(now_us % (window_s * 1000000)) / 1e6;
}

bool gg_rate_read(struct gg_rate_key key, const struct gg_db_result *rows, struct gg_rate *rate,
                  struct gg_err *err)
{
    if (rows->row_count != 1)
        return gg_fail(err, GG_EDATABASE, "a limit was not counted");
    const struct gg_str *row = rows->rows[0];
    int64_t now_us = gg_db_cell_us(row[3], INT64_MAX / 4);
    *rate = gg_rate_judge(key.limit, (struct gg_rate_row){
                                         .admitted = gg_db_cell_int(row[0], 0) == 1,
                                         .used = gg_db_cell_int(row[1], 0),
                                         .prev = gg_db_cell_int(row[2], 0),
                                         .elapsed_s = elapsed_s(now_us, key.limit.per_s),
                                     });
    rate->now_us = now_us;
    return true;
}

bool gg_rate_take(struct gg_db *db, struct gg_arena *a, struct gg_rate_key key,
                  struct gg_rate *rate, struct gg_err *err)
{
    struct gg_db_result rows;

    return gg_db_run(db, a, gg_rate_call(a, key), &rows, err) &&
           gg_rate_read(key, &rows, rate, err);
}

const char *gg_rate_engine_word(enum gg_rate_engine engine)
{
    return engines[engine].word;
}

const char *gg_rate_engine_name(enum gg_rate_engine engine)
{
    return engines[engine].name;
}

bool gg_rate_find_place(struct gg_db *db, struct gg_arena *a, struct gg_rate_place *place,
                        struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find_place}, &rows, err))
        return false;
    const struct gg_str *row = rows.rows[0];
    *place = (struct gg_rate_place){
        .engine = row[0].p,
        .is_galera = gg_db_cell_int(row[1], 0) > 0,
        .memory_bytes = gg_db_cell_int(row[2], 0),
    };
    return true;
}

bool gg_rate_is_in(const struct gg_rate_place *place, enum gg_rate_engine engine)
{
    return place->engine != NULL && strcmp(place->engine, engines[engine].name) == 0;
}

bool gg_rate_move(struct gg_db *db, enum gg_rate_engine engine, struct gg_err *err)
{
    return gg_db_run_script(db, engines[engine].move, err);
}

bool gg_rate_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count, struct gg_err *err)
{
    return gg_db_count(db, a, &sweep, count, err);
}

bool gg_rate_count(struct gg_db *db, struct gg_arena *a, int64_t *count, struct gg_err *err)
{
    static const struct gg_db_stmt all = {"SELECT COUNT(*) FROM rate_limits", true};

    return gg_db_find_int(db, a, (struct gg_db_call){.stmt = &all}, count, err);
}

/* From "NAME/" up to '0', which comes right after '/': the names with any window. Not LIKE: what
 * stands in a subject is no pattern, and one range of the key is all that is read and locked. */
static struct gg_db_call call_of(struct gg_arena *a, const struct gg_db_stmt *stmt,
                                 enum gg_limit_id limit, struct gg_subject who)
{
    struct gg_str name = gg_rate_name(a, limit, who);
    struct gg_db_value *range = gg_arena_alloc(a, 2 * sizeof *range);

    range[0] = gg_db_text(gg_str_of(gg_arena_printf(a, "%.*s/", GG_STR_ARG(name))));
    range[1] = gg_db_text(gg_str_of(gg_arena_printf(a, "%.*s0", GG_STR_ARG(name))));
    return (struct gg_db_call){stmt, NULL, range, 2};
}

bool gg_rate_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                      struct gg_err *err)
{
    static const struct gg_db_stmt of = {"SELECT k FROM rate_limits WHERE k >= ? AND k < ?", true};
    struct gg_db_result found;

    *count = 0;
    for (int i = 0; i < GG_LIMITS; i++) {
        if (!gg_db_run(db, a, call_of(a, &of, (enum gg_limit_id)i, who), &found, err))
            return false;
        *count += (int64_t)found.row_count;
    }
    return true;
}

bool gg_rate_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                     struct gg_err *err)
{
    static const struct gg_db_stmt of = {"DELETE FROM rate_limits WHERE k >= ? AND k < ?", true};
    struct gg_db_result done;

    *count = 0;
    for (int i = 0; i < GG_LIMITS; i++) {
        if (!gg_db_run(db, a, call_of(a, &of, (enum gg_limit_id)i, who), &done, err))
            return false;
        *count += (int64_t)done.affected;
    }
    return true;
}
