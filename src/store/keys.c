/* SPDX-License-Identifier: MIT */
#include "gg/store/keys.h"

#include "gg/ext/crypto.h"

/* Sealed, a text of this size still fits into a cell. */
#define TEXT_BYTES_MAX ((size_t)128 * 1024)

static const struct gg_db_stmt find = {
    "SELECT sealed, TIMESTAMPDIFF(MICROSECOND, fetched_at, NOW(6)) DIV 1000,"
    " unknown_until > NOW(6), fetched_at FROM signing_keys WHERE source=?",
    true};

/*
 * An update that changes nothing affects no row: the turn is another's, or the set is no longer the
 * one that was looked at.
 */
static const struct gg_db_stmt take = {
    "INSERT INTO signing_keys (source, asking_until) VALUES (?, NOW(6) + INTERVAL ? SECOND)"
    " ON DUPLICATE KEY UPDATE"
    " asking_until = IF(asking_until <= NOW(6) AND fetched_at <=> ?,"
    "  VALUES(asking_until), asking_until)",
    false};

static const struct gg_db_stmt put = {
    "UPDATE signing_keys SET sealed=?, fetched_at=NOW(6), asking_until=NOW(6),"
    " unknown_until = IF(?, NOW(6) + INTERVAL ? SECOND, NULL) WHERE source=?",
    true};

static const struct gg_db_stmt drop = {"UPDATE signing_keys SET asking_until=NOW(6) WHERE source=?",
                                       true};

static bool hash_source(struct gg_keys_store s, struct gg_arena *a, struct gg_db_value *out,
                        struct gg_err *err)
{
    struct gg_str hash;

    if (!gg_crypto_hash_text(a, s.source, &hash, err))
        return false;
    *out = gg_db_text(hash);
    return true;
}

bool gg_keys_find(struct gg_keys_store s, struct gg_arena *a, struct gg_keys *keys,
                  struct gg_err *err)
{
    struct gg_db_value values[1];
    struct gg_db_result rows;
    struct gg_secret text;
    struct gg_err ignored;

    *keys = (struct gg_keys){0};
    if (!hash_source(s, a, &values[0], err) ||
        !gg_db_run(s.db, a, GG_DB_CALL(find, NULL, values), &rows, err))
        return false;
    if (rows.row_count == 0)
        return true;
    const struct gg_str *row = rows.rows[0];
    keys->version = row[3];
    keys->age_ms = gg_db_cell_int(row[1], INT64_MAX);
    keys->is_closed = gg_db_cell_int(row[2], 0) == 1;
    if (row[0].p != NULL && gg_fernet_decrypt(s.fernet, a, row[0], &text, &ignored))
        keys->text = gg_secret_reveal(text);
    return true;
}

bool gg_keys_take_turn(struct gg_keys_store s, struct gg_arena *a, const struct gg_keys *keys,
                       bool *taken, struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_int(0), gg_db_int(GG_KEYS_TURN_S),
                                   gg_db_text(keys->version)};
    struct gg_db_result done;

    if (!hash_source(s, a, &values[0], err) ||
        !gg_db_run(s.db, a, GG_DB_CALL(take, NULL, values), &done, err))
        return false;
    *taken = done.affected > 0;
    return true;
}

bool gg_keys_put(struct gg_keys_store s, struct gg_arena *a, const struct gg_keys_answer *answer,
                 struct gg_err *err)
{
    struct gg_str sealed = {NULL, 0};
    struct gg_db_result done;

    if (answer->text.n <= TEXT_BYTES_MAX &&
        !gg_fernet_encrypt(s.fernet, a, gg_secret_of(answer->text), &sealed, err))
        return false;
    struct gg_db_value values[] = {gg_db_text(sealed), gg_db_int(answer->is_fruitless ? 1 : 0),
                                   gg_db_int(GG_KEYS_PAUSE_S), gg_db_int(0)};
    return hash_source(s, a, &values[3], err) &&
           gg_db_run(s.db, a, GG_DB_CALL(put, NULL, values), &done, err);
}

bool gg_keys_drop_turn(struct gg_keys_store s, struct gg_arena *a, struct gg_err *err)
{
    struct gg_db_value values[1];
    struct gg_db_result done;

    return hash_source(s, a, &values[0], err) &&
           gg_db_run(s.db, a, GG_DB_CALL(drop, NULL, values), &done, err);
}
