/* SPDX-License-Identifier: MIT */
#include "gg/store/schema.h"

#include "gg/base/clock.h"

static const char make_tables[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version INT NOT NULL PRIMARY KEY,"
    " name VARCHAR(255) NOT NULL,"
    " sha256 CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
    " applied_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;"
    "CREATE TABLE IF NOT EXISTS schema_lock (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB;"
    "INSERT IGNORE INTO schema_lock (id) VALUES (1)";

static const struct gg_db_stmt has_table = {
    "SELECT 1 FROM information_schema.tables"
    " WHERE table_schema=DATABASE() AND table_name='schema_migrations'",
    true};

static const struct gg_db_stmt find = {
    "SELECT version, name, sha256 FROM schema_migrations ORDER BY version", true};

/* Every table, and of the ones that may be older than graphgate what it added. */
#define ADDED \
    "refresh_lease, refresh_lease_until, refresh_failure, refresh_failed_until, refresh_after," \
    " inactive_reason, key_fingerprint, seal, connected_at"
#define IDENTITY "tenant_id, microsoft_id, email, full_name"
static const struct gg_db_stmt probe = {
    "SELECT EXISTS (SELECT " ADDED " FROM microsoft_oauth_tokens),"
    " EXISTS (SELECT " ADDED " FROM beta_microsoft_oauth_tokens),"
    " EXISTS (SELECT " IDENTITY " FROM users), EXISTS (SELECT " IDENTITY " FROM beta_teachers),"
    " EXISTS (SELECT 1 FROM login_states), EXISTS (SELECT 1 FROM session_codes),"
    " EXISTS (SELECT 1 FROM refresh_families), EXISTS (SELECT 1 FROM rate_limits),"
    " EXISTS (SELECT 1 FROM signing_keys),"
    " EXISTS (SELECT 1 FROM audit_log), EXISTS (SELECT 1 FROM audit_seals)",
    true};

static const struct gg_db_stmt find_now = {"SELECT UNIX_TIMESTAMP()", true};

/* In one script: a lock that is tried again alone, outside the transaction, would lock nothing. */
static const char lock_row[] =
    "START TRANSACTION; SELECT id FROM schema_lock WHERE id=1 FOR UPDATE";

static const struct gg_db_stmt record = {
    "INSERT INTO schema_migrations (version, name, sha256) VALUES (?, ?, ?)", false};

bool gg_schema_find(struct gg_db *db, struct gg_arena *a, struct gg_migrations *applied,
                    struct gg_err *err)
{
    struct gg_db_result rows;

    applied->count = 0;
    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &has_table}, &rows, err))
        return false;
    if (rows.row_count == 0)
        return true;
    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find}, &rows, err))
        return false;
    for (size_t i = 0; i < rows.row_count && i < GG_SCHEMA_MIGRATIONS_MAX; i++)
        applied->rows[applied->count++] = (struct gg_migration){
            .version = gg_db_cell_int(rows.rows[i][0], 0),
            .name = rows.rows[i][1].p,
            .sha256 = rows.rows[i][2],
        };
    return true;
}

bool gg_schema_probe(struct gg_db *db, struct gg_arena *a, struct gg_err *err)
{
    struct gg_db_result rows;

    return gg_db_run(db, a, (struct gg_db_call){.stmt = &probe}, &rows, err);
}

bool gg_schema_find_now(struct gg_db *db, struct gg_arena *a, int64_t *now_s, struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find_now}, &rows, err))
        return false;
    *now_s = gg_db_cell_int(rows.rows[0][0], 0);
    return true;
}

bool gg_schema_lock(struct gg_db *lock, int wait_s, struct gg_err *err)
{
    struct gg_deadline deadline = gg_deadline_in((int64_t)wait_s * 1000);

    bool has_tables = false;

    for (;;) {
        has_tables = has_tables || gg_db_run_script(lock, make_tables, err);
        /* On Galera another node's migration is in the way of making them. */
        if (!has_tables && gg_db_fault(lock) != GG_DB_CONFLICT)
            return false;
        if (has_tables && gg_db_run_script(lock, lock_row, err))
            return true;
        if (gg_deadline_left_ms(deadline) == 0)
            return false;
        gg_clock_sleep_ms(200);
    }
}

bool gg_schema_apply(struct gg_db *db, struct gg_arena *a, const struct gg_migration *migration,
                     struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_int(migration->version),
                                   gg_db_text(gg_str_of(migration->name)),
                                   gg_db_text(migration->sha256)};
    struct gg_db_result done;

    /* No lock spans a Galera cluster: by another node another may have done the same just now. */
    return gg_db_run_script(db, migration->sql.p, err) &&
           (gg_db_run(db, a, GG_DB_CALL(record, NULL, values), &done, err) ||
            gg_db_fault(db) == GG_DB_DUPLICATE);
}
