/* SPDX-License-Identifier: MIT */
#include "gg/store/census.h"

static const struct gg_db_stmt inactive = {
    "SELECT inactive_reason, COUNT(*) FROM {table} WHERE NOT is_active"
    " GROUP BY inactive_reason ORDER BY 2 DESC, 1",
    true};

static const struct gg_db_stmt keys = {
    "SELECT key_fingerprint, COUNT(*) FROM {table} WHERE access_token IS NOT NULL"
    " GROUP BY key_fingerprint ORDER BY 2 DESC, 1",
    true};

static const struct gg_db_stmt unsealed = {
    "SELECT COUNT(*) FROM {table} WHERE seal IS NULL AND access_token IS NOT NULL", true};

static const struct gg_db_stmt newest = {
    "SELECT access_token FROM {table} WHERE access_token IS NOT NULL"
    " ORDER BY updated_at DESC, id DESC LIMIT 5",
    true};

static bool take_parts(struct gg_db *db, struct gg_arena *a, struct gg_db_call call,
                       struct gg_census *census, struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, call, &rows, err))
        return false;
    census->count = rows.row_count;
    census->parts = gg_arena_alloc(a, (rows.row_count + 1) * sizeof *census->parts);
    for (size_t i = 0; i < rows.row_count; i++)
        census->parts[i] =
            (struct gg_census_part){rows.rows[i][0], gg_db_cell_int(rows.rows[i][1], 0)};
    return true;
}

bool gg_census_inactive(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                        struct gg_census *census, struct gg_err *err)
{
    return take_parts(db, a, (struct gg_db_call){.stmt = &inactive, .realm = realm}, census, err);
}

bool gg_census_keys(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                    struct gg_census *census, struct gg_err *err)
{
    return take_parts(db, a, (struct gg_db_call){.stmt = &keys, .realm = realm}, census, err);
}

bool gg_census_unsealed(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                        int64_t *rows, struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &unsealed, .realm = realm}, &found, err))
        return false;
    *rows = gg_db_cell_int(found.rows[0][0], 0);
    return true;
}

bool gg_census_newest(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                      struct gg_db_result *rows, struct gg_err *err)
{
    return gg_db_run(db, a, (struct gg_db_call){.stmt = &newest, .realm = realm}, rows, err);
}
