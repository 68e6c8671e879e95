/* SPDX-License-Identifier: MIT */
#include "gg/store/chain.h"

#define FORM "'%Y-%m-%dT%H:%i:%s.%f'"
#define FIND \
    "SELECT number, first_id, last_id, row_count, rows_hash, previous," \
    " DATE_FORMAT(made_at, " FORM "), made_by, key_fingerprint, mac," \
    " DATE_FORMAT(removed_at, " FORM "), removed_by, removed_fingerprint, removed_mac" \
    " FROM audit_seals"

static const struct gg_db_stmt find_last = {FIND " WHERE number > 0 ORDER BY number DESC LIMIT 1",
                                            true};

static const struct gg_db_stmt find = {FIND " WHERE number > ? ORDER BY number LIMIT ?", true};

static const struct gg_db_stmt find_mac = {"SELECT mac FROM audit_seals WHERE number=?", true};

static const struct gg_db_stmt find_listing = {"SELECT listing FROM audit_seals WHERE number=?",
                                               true};

static const struct gg_db_stmt put = {
    "INSERT INTO audit_seals (number, first_id, last_id, row_count, rows_hash, previous, made_at,"
    " made_by, key_fingerprint, mac, listing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    true};

static const struct gg_db_stmt note_removal = {
    "UPDATE audit_seals SET removed_at=?, removed_by=?, removed_fingerprint=?, removed_mac=?,"
    " listing=NULL WHERE number=?",
    true};

static struct gg_audit_seal take(const struct gg_str *cells)
{
    return (struct gg_audit_seal){
        .number = gg_db_cell_int(cells[0], 0),
        .first_id = cells[1],
        .last_id = cells[2],
        .row_count = gg_db_cell_int(cells[3], 0),
        .rows_hash = cells[4],
        .previous = cells[5],
        .made_at = cells[6],
        .made_by = cells[7],
        .key_fingerprint = cells[8],
        .mac = cells[9],
        .removed_at = cells[10],
        .removed_by = cells[11],
        .removed_fingerprint = cells[12],
        .removed_mac = cells[13],
    };
}

bool gg_chain_find_last(struct gg_db *db, struct gg_arena *a, struct gg_audit_seal *seal,
                        struct gg_err *err)
{
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){.stmt = &find_last}, &found, err))
        return false;
    *seal = found.row_count == 0 ? (struct gg_audit_seal){.last_id = GG_STR(""), .mac = GG_STR("")}
                                 : take(found.rows[0]);
    return true;
}

bool gg_chain_find(struct gg_db *db, struct gg_arena *a, struct gg_chain_page *page,
                   struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_int(page->after), gg_db_int(GG_CHAIN_PAGE_MAX)};
    struct gg_db_result found;

    if (!gg_db_run(db, a, GG_DB_CALL(find, NULL, values), &found, err))
        return false;
    page->seals = gg_arena_alloc(a, found.row_count * sizeof *page->seals);
    page->count = found.row_count;
    for (size_t i = 0; i < found.row_count; i++)
        page->seals[i] = take(found.rows[i]);
    return true;
}

bool gg_chain_find_listing(struct gg_db *db, struct gg_arena *a, struct gg_audit_seal *seal,
                           struct gg_err *err)
{
    struct gg_db_value value = gg_db_int(seal->number);
    struct gg_db_result found;

    if (!gg_db_run(db, a, (struct gg_db_call){&find_listing, NULL, &value, 1}, &found, err))
        return false;
    seal->listing = found.row_count == 0 ? gg_str_of(NULL) : found.rows[0][0];
    return true;
}

bool gg_chain_put(struct gg_db *db, struct gg_arena *a, const struct gg_audit_seal *seal,
                  bool *added, struct gg_err *err)
{
    struct gg_db_value values[] = {
        gg_db_int(seal->number),    gg_db_text(seal->first_id),  gg_db_text(seal->last_id),
        gg_db_int(seal->row_count), gg_db_text(seal->rows_hash), gg_db_text(seal->previous),
        gg_db_text(seal->made_at),  gg_db_text(seal->made_by),   gg_db_text(seal->key_fingerprint),
        gg_db_text(seal->mac),      gg_db_text(seal->listing),
    };
    struct gg_db_result done;

    *added = gg_db_run(db, a, GG_DB_CALL(put, NULL, values), &done, err);
    if (*added)
        return true;
    if (gg_db_fault(db) != GG_DB_DUPLICATE ||
        !gg_db_run(db, a, (struct gg_db_call){&find_mac, NULL, values, 1}, &done, err))
        return false;
    /* An insert that is repeated after a lost connection may find itself. */
    *added = done.row_count == 1 && gg_str_is_equal(done.rows[0][0], seal->mac);
    return true;
}

bool gg_chain_note_removal(struct gg_db *db, struct gg_arena *a, const struct gg_audit_seal *seal,
                           struct gg_err *err)
{
    struct gg_db_value values[] = {
        gg_db_text(seal->removed_at),
        gg_db_text(seal->removed_by),
        gg_db_text(seal->removed_fingerprint),
        gg_db_text(seal->removed_mac),
        gg_db_int(seal->number),
    };
    struct gg_db_result done;

    return gg_db_run(db, a, GG_DB_CALL(note_removal, NULL, values), &done, err);
}
