/* SPDX-License-Identifier: MIT */
#include "gg/store/grants.h"

#include <stdlib.h>
#include <string.h>

/* Any column will do for an UPDATE; of a table that this user may not see, none is found. */
static const struct gg_db_stmt find_column = {
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema=DATABASE() AND table_name=? ORDER BY ordinal_position LIMIT 1",
    true};

/* Of whoever asks, as grants name them. A schema's name is a pattern, its wild cards quoted. */
#define OWN "grantee=REPLACE(QUOTE(CURRENT_USER()), '@', '''@''')"
static const struct gg_db_stmt find_wide = {
    "SELECT GROUP_CONCAT(DISTINCT privilege_type ORDER BY privilege_type SEPARATOR ', ') FROM ("
    " SELECT privilege_type FROM information_schema.user_privileges"
    " WHERE " OWN " AND privilege_type<>'USAGE'"
    " UNION ALL SELECT privilege_type FROM information_schema.schema_privileges"
    " WHERE " OWN " AND DATABASE() LIKE table_schema"
    " UNION ALL SELECT privilege_type FROM information_schema.table_privileges"
    " WHERE " OWN " AND table_schema=DATABASE()"
    " AND privilege_type NOT IN ('SELECT','INSERT','UPDATE','DELETE')) AS found",
    true};

const char *gg_grants_word(enum gg_grant grant)
{
    static const char *const words[GG_GRANTS] = {
        [GG_GRANT_SELECT] = "SELECT",
        [GG_GRANT_INSERT] = "INSERT",
        [GG_GRANT_UPDATE] = "UPDATE",
        [GG_GRANT_DELETE] = "DELETE",
    };

    return words[grant];
}

static const char *format_try(struct gg_arena *a, struct gg_grants_try what, const char *column)
{
    const char *table = what.table;

    switch (what.grant) {
    case GG_GRANT_INSERT:
        return gg_arena_printf(a, "INSERT INTO `%s` SELECT * FROM `%s` WHERE FALSE", table, table);
    case GG_GRANT_UPDATE:
        return gg_arena_printf(a, "UPDATE `%s` SET `%s`=`%s` WHERE FALSE", table, column, column);
    case GG_GRANT_DELETE:
        return gg_arena_printf(a, "DELETE FROM `%s` WHERE FALSE", table);
    default:
        return gg_arena_printf(a, "SELECT 1 FROM `%s` WHERE FALSE", table);
    }
}

/* ext/db says what it did, and MariaDB's number: access denied to a database, table or column. */
bool gg_grants_is_denied(const struct gg_err *err)
{
    static const unsigned long denied[] = {1044, 1142, 1143};
    const char *number = strchr(err->log, ':');

    for (size_t i = 0; number != NULL && i < sizeof denied / sizeof denied[0]; i++)
        if (strtoul(number + 1, NULL, 10) == denied[i])
            return true;
    return false;
}

bool gg_grants_try(struct gg_db *db, struct gg_arena *a, struct gg_grants_try what, bool *may,
                   struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_text(gg_str_of(what.table))};
    struct gg_db_result rows;

    if (!gg_db_run(db, a, GG_DB_CALL(find_column, NULL, values), &rows, err))
        return false;
    const char *column = rows.row_count > 0 ? rows.rows[0][0].p : "id";
    *may = gg_db_run_script(db, format_try(a, what, column), err);
    return *may || gg_grants_is_denied(err);
}

bool gg_grants_find_wide(struct gg_db *db, struct gg_arena *a, struct gg_str *list,
                         struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find_wide}, &rows, err))
        return false;
    *list = rows.row_count > 0 ? rows.rows[0][0] : (struct gg_str){NULL, 0};
    return true;
}
