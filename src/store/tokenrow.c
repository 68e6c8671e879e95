/* SPDX-License-Identifier: MIT */
#include "gg/store/tokenrow.h"

#define COLUMNS \
    "id, {key}, access_token, refresh_token, id_token, seal, key_fingerprint," \
    " refresh_lease_until > NOW(6)"
#define IN_ORDER " ORDER BY id LIMIT 100"

static const struct gg_db_stmt list_all = {"SELECT " COLUMNS " FROM {table} WHERE id > ?" IN_ORDER,
                                           true};

static const struct gg_db_stmt list_other_key = {
    "SELECT " COLUMNS " FROM {table} WHERE id > ?"
    " AND (key_fingerprint IS NULL OR key_fingerprint <> ?)" IN_ORDER,
    true};

static const struct gg_db_stmt list_unnoted = {
    "SELECT " COLUMNS " FROM {table} WHERE id > ? AND key_fingerprint IS NULL" IN_ORDER, true};

static const struct gg_db_stmt put = {
    "UPDATE {table} SET access_token=?, refresh_token=?, id_token=?, seal=?, access_seal=?,"
    " key_fingerprint=?, refresh_lease=NULL, refresh_lease_until=NULL, updated_at=updated_at"
    " WHERE id=? AND access_token<=>? AND refresh_token<=>? AND id_token<=>? AND seal<=>?"
    " AND (refresh_lease_until IS NULL OR refresh_lease_until <= NOW(6))",
    true};

static const struct gg_db_stmt count = {
    "SELECT key_fingerprint, COUNT(*), SUM(seal IS NULL) FROM {table} GROUP BY key_fingerprint"
    " ORDER BY COUNT(*) DESC",
    true};

static const struct gg_db_stmt count_states = {
    "SELECT COUNT(*), COALESCE(SUM(is_active), 0), COALESCE(SUM(expires_at <= NOW()), 0),"
    " COALESCE(SUM(expires_at > NOW() AND expires_at <= NOW() + INTERVAL 300 SECOND), 0),"
    " COALESCE(SUM(NOT is_active), 0) FROM {table}",
    true};

static struct gg_tokenrow read_row(struct gg_arena *a, const struct gg_realm *realm,
                                   const struct gg_str *cells)
{
    struct gg_tokenrow row = {
        .id = gg_db_cell_int(cells[0], 0),
        .subject = cells[1],
        .ciphers = {cells[2], cells[3], cells[4]},
        .seal = cells[5],
        .fingerprint = cells[6],
        .is_leased = gg_db_cell_int(cells[7], 0) == 1,
    };
    struct gg_str canonical;

    if (row.subject.p != NULL && realm->parse_subject(a, row.subject, &canonical))
        row.subject = canonical;
    return row;
}

bool gg_tokenrow_list(struct gg_db *db, struct gg_arena *a, const struct gg_tokenrow_query *query,
                      struct gg_tokenrows *out, struct gg_err *err)
{
    const struct gg_db_value values[] = {gg_db_int(query->after_id),
                                         gg_db_text(query->fingerprint)};
    struct gg_db_call call = {&list_all, query->realm, values, 1};
    struct gg_db_result found;

    if (query->which == GG_TOKENROW_UNNOTED)
        call.stmt = &list_unnoted;
    if (query->which == GG_TOKENROW_OTHER_KEY)
        call = (struct gg_db_call){&list_other_key, query->realm, values, 2};
    if (!gg_db_run(db, a, call, &found, err))
        return false;
    out->count = found.row_count;
    out->rows = gg_arena_alloc(a, found.row_count * sizeof *out->rows);
    for (size_t i = 0; i < found.row_count; i++)
        out->rows[i] = read_row(a, query->realm, found.rows[i]);
    return true;
}

bool gg_tokenrow_put(struct gg_db *db, struct gg_arena *a, const struct gg_tokenrow_change *change,
                     bool *done, struct gg_err *err)
{
    const struct gg_tokenrow *old = change->old;
    const struct gg_db_value values[] = {
        gg_db_text(change->ciphers.access_token),
        gg_db_text(change->ciphers.refresh_token),
        gg_db_text(change->ciphers.id_token),
        gg_db_text(change->seals.row),
        gg_db_text(change->seals.access_token),
        gg_db_text(change->fingerprint),
        gg_db_int(old->id),
        gg_db_text(old->ciphers.access_token),
        gg_db_text(old->ciphers.refresh_token),
        gg_db_text(old->ciphers.id_token),
        gg_db_text(old->seal),
    };
    struct gg_db_result result;

    if (!gg_db_run(db, a, GG_DB_CALL(put, change->realm, values), &result, err))
        return false;
    *done = result.affected == 1;
    return true;
}

bool gg_tokenrow_count(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                       struct gg_tokenrow_tally *out, struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &count, .realm = realm}, &found, err))
        return false;
    *out = (struct gg_tokenrow_tally){
        .count = found.row_count,
        .keys = gg_arena_alloc(a, found.row_count * sizeof *out->keys),
    };
    for (size_t i = 0; i < found.row_count; i++) {
        const struct gg_str *cells = found.rows[i];
        out->keys[i] = (struct gg_tokenrow_key){cells[0], gg_db_cell_int(cells[1], 0)};
        out->rows += out->keys[i].rows;
        out->unsealed += gg_db_cell_int(cells[2], 0);
    }
    return true;
}

bool gg_tokenrow_count_states(struct gg_db *db, struct gg_arena *a, const struct gg_realm *realm,
                              struct gg_tokenrow_states *stats, struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &count_states, .realm = realm}, &rows, err))
        return false;
    if (rows.row_count != 1)
        return gg_fail(err, GG_EDATABASE, "no statistics");
    const struct gg_str *row = rows.rows[0];
    *stats = (struct gg_tokenrow_states){
        .total = gg_db_cell_int(row[0], 0),
        .active = gg_db_cell_int(row[1], 0),
        .expired = gg_db_cell_int(row[2], 0),
        .expiring_soon = gg_db_cell_int(row[3], 0),
        .inactive = gg_db_cell_int(row[4], 0),
    };
    return true;
}
