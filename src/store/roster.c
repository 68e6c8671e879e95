/* SPDX-License-Identifier: MIT */
#include "gg/store/roster.h"

#define STATE \
    "CASE WHEN NOT is_active THEN 'inactive' WHEN expires_at <= NOW() THEN 'expired'" \
    " WHEN expires_at <= NOW() + INTERVAL 300 SECOND THEN 'expiring' ELSE 'active' END"
#define SINCE_1970 "TIMESTAMPDIFF(SECOND, '1970-01-01', "

static const struct gg_db_stmt list = {
    "SELECT id, {key}, tenant_id, microsoft_id, microsoft_email, " STATE ","
    " IF(is_active, NULL, inactive_reason), scope,"
    " " SINCE_1970 "expires_at), " SINCE_1970 "last_used_at),"
    " " SINCE_1970 "COALESCE(connected_at, created_at)), " SINCE_1970 "updated_at)"
    " FROM {table} WHERE id > ? AND (? IS NULL OR {key}={subject})"
    " AND (? IS NULL OR tenant_id=?) AND (? IS NULL OR " STATE "=?)"
    " ORDER BY id LIMIT ?",
    true};

/* The first bound alone is what the index serves; the second one is each row's own. */
static const struct gg_db_stmt find_idle = {
    "SELECT {key} FROM {table} WHERE is_active AND refresh_token IS NOT NULL"
    " AND (? IS NULL OR {key}={subject})"
    " AND (updated_at IS NULL OR (updated_at <= NOW() - INTERVAL ? SECOND"
    "  AND updated_at <= NOW() - INTERVAL (? + CRC32({key}) % ?) SECOND))"
    " ORDER BY CRC32(CONCAT({key}, ?)) LIMIT ?",
    true};

static const struct gg_db_stmt sum = {
    "SELECT COUNT(*), COALESCE(SUM(s='active'), 0), COALESCE(SUM(s='expiring'), 0),"
    " COALESCE(SUM(s='expired'), 0), COALESCE(SUM(s='inactive'), 0),"
    " MIN(IF(s='inactive', NULL, changed)) FROM"
    " (SELECT " STATE " AS s, " SINCE_1970 "updated_at) AS changed FROM {table}) AS t",
    true};

#define LARGEST " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10"

static const struct gg_db_stmt groups_by[] = {
    [GG_ROSTER_BY_REASON] =
        {"SELECT inactive_reason, COUNT(*) FROM {table} WHERE NOT is_active" LARGEST, true},
    [GG_ROSTER_BY_TENANT] = {"SELECT tenant_id, COUNT(*) FROM {table}" LARGEST, true},
};

bool gg_roster_list(struct gg_db *db, struct gg_arena *a, const struct gg_roster_ask *ask,
                    struct gg_roster_rows *found, struct gg_err *err)
{
    struct gg_db_value subject = gg_db_text(ask->subject);
    struct gg_db_value tenant = gg_db_text(ask->tenant_id);
    struct gg_db_value state = gg_db_text(ask->state);
    struct gg_db_value values[] = {
        gg_db_int(ask->after_id), subject, subject, tenant, tenant, state, state,
        gg_db_int(ask->limit)};
    struct gg_db_result result;

    if (!gg_db_run(db, a, GG_DB_CALL(list, ask->realm, values), &result, err))
        return false;
    found->count = result.row_count;
    found->rows = gg_arena_alloc(a, (found->count + 1) * sizeof *found->rows);
    for (size_t i = 0; i < found->count; i++) {
        const struct gg_str *row = result.rows[i];
        found->rows[i] = (struct gg_roster_row){
            .id = gg_db_cell_int(row[0], 0),
            .subject = row[1],
            .tenant_id = row[2],
            .microsoft_id = row[3],
            .email = row[4],
            .state = row[5],
            .reason = row[6],
            .scope = row[7],
            .expires_at_s = gg_db_cell_int(row[8], -1),
            .last_used_at_s = gg_db_cell_int(row[9], -1),
            .connected_at_s = gg_db_cell_int(row[10], -1),
            .changed_at_s = gg_db_cell_int(row[11], -1),
        };
    }
    return true;
}

bool gg_roster_find_idle(struct gg_db *db, struct gg_arena *a, const struct gg_roster_idle *idle,
                         struct gg_roster_subjects *found, struct gg_err *err)
{
    int64_t jitter_s = idle->days * 8640;
    struct gg_db_value subject = gg_db_text(idle->subject);
    struct gg_db_value least = gg_db_int(idle->days * 86400 - jitter_s);
    struct gg_db_value values[] = {subject,
                                   subject,
                                   least,
                                   least,
                                   gg_db_int(jitter_s),
                                   gg_db_int(idle->salt),
                                   gg_db_int(idle->limit)};
    struct gg_db_result result;

    if (!gg_db_run(db, a, GG_DB_CALL(find_idle, idle->realm, values), &result, err))
        return false;
    found->count = result.row_count;
    found->subjects = gg_arena_alloc(a, (found->count + 1) * sizeof *found->subjects);
    for (size_t i = 0; i < found->count; i++)
        found->subjects[i] = result.rows[i][0];
    return true;
}

bool gg_roster_sum(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                   struct gg_roster_sums *sums, struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &sum, .realm = realm}, &found, err))
        return false;
    if (found.row_count != 1)
        return gg_fail(err, GG_EDATABASE, "no sums");
    const struct gg_str *row = found.rows[0];
    *sums = (struct gg_roster_sums){
        .total = gg_db_cell_int(row[0], 0),
        .active = gg_db_cell_int(row[1], 0),
        .expiring = gg_db_cell_int(row[2], 0),
        .expired = gg_db_cell_int(row[3], 0),
        .inactive = gg_db_cell_int(row[4], 0),
        .oldest_s = gg_db_cell_int(row[5], -1),
    };
    return true;
}

bool gg_roster_group(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                     struct gg_roster_groups *groups, struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &groups_by[groups->by], .realm = realm},
                   &found, err))
        return false;
    groups->count = found.row_count;
    for (size_t i = 0; i < found.row_count && i < GG_ROSTER_GROUPS_MAX; i++)
        groups->rows[i] =
            (struct gg_roster_group){found.rows[i][0], gg_db_cell_int(found.rows[i][1], 0)};
    return true;
}
