/* SPDX-License-Identifier: MIT */
#include "gg/store/session.h"

#include "gg/ext/crypto.h"

static const struct gg_db_stmt insert = {
    "INSERT INTO session_codes (code_hash, realm, subject, sealed, expires_at)"
    " VALUES (?, ?, ?, ?, NOW(6) + INTERVAL ? SECOND)",
    false};

static const struct gg_db_stmt take = {"DELETE FROM session_codes WHERE code_hash=? AND realm=?"
                                       " RETURNING subject, expires_at > NOW(6), sealed",
                                       true};

static const struct gg_db_stmt sweep = {
    "DELETE FROM session_codes WHERE expires_at <= NOW(6) LIMIT 1000", true};

/* What a row's seal holds: to whom this very code belongs. */
static struct gg_secret owner_text(struct gg_arena *a, const struct gg_session *session,
                                   struct gg_str hash)
{
    return gg_secret_of(gg_str_of(gg_arena_printf(a, "session.%s.%.*s.%.*s", session->realm->name,
                                                  GG_STR_ARG(session->subject), GG_STR_ARG(hash))));
}

bool gg_session_put(struct gg_session_store s, struct gg_arena *a, struct gg_secret code,
                    const struct gg_session *session, struct gg_err *err)
{
    struct gg_str hash;
    struct gg_str sealed;
    struct gg_db_result done;

    if (!gg_crypto_hash_text(a, gg_secret_reveal(code), &hash, err) ||
        !gg_fernet_encrypt(s.fernet, a, owner_text(a, session, hash), &sealed, err))
        return false;
    struct gg_db_value values[] = {gg_db_text(hash), gg_db_text(gg_str_of(session->realm->name)),
                                   gg_db_text(session->subject), gg_db_text(sealed),
                                   gg_db_int(GG_SESSION_TTL_S)};
    return gg_db_run(s.db, a, GG_DB_CALL(insert, NULL, values), &done, err);
}

bool gg_session_take(struct gg_session_store s, struct gg_arena *a, struct gg_secret code,
                     struct gg_session *session, struct gg_err *err)
{
    struct gg_str hash;
    struct gg_secret owner;
    struct gg_db_result rows;

    if (!gg_crypto_hash_text(a, gg_secret_reveal(code), &hash, err))
        return false;
    struct gg_db_value values[] = {gg_db_text(hash), gg_db_text(gg_str_of(session->realm->name))};
    if (!gg_db_run(s.db, a, GG_DB_CALL(take, NULL, values), &rows, err))
        return false;
    if (rows.row_count == 0 || gg_db_cell_int(rows.rows[0][1], 0) != 1)
        return gg_fail(err, GG_ESESSIONCODE, "no such session code in this realm");
    session->subject = rows.rows[0][0];
    if (!gg_fernet_decrypt(s.fernet, a, rows.rows[0][2], &owner, err) ||
        !gg_secret_is_equal(owner, owner_text(a, session, hash)))
        return gg_fail(err, GG_ESESSIONCODE, "a session code was changed in the database");
    return true;
}

bool gg_session_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count, struct gg_err *err)
{
    return gg_db_count(db, a, &sweep, count, err);
}

bool gg_session_count(struct gg_db *db, struct gg_arena *a, int64_t *count, struct gg_err *err)
{
    static const struct gg_db_stmt all = {
        "SELECT COUNT(*) FROM session_codes WHERE expires_at > NOW(6)", true};

    return gg_db_find_int(db, a, (struct gg_db_call){.stmt = &all}, count, err);
}

bool gg_session_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                         int64_t *count, struct gg_err *err)
{
    static const struct gg_db_stmt of = {
        "SELECT COUNT(*) FROM session_codes WHERE realm=? AND subject=?", true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};

    return gg_db_find_int(db, a, GG_DB_CALL(of, NULL, values), count, err);
}

bool gg_session_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                        struct gg_err *err)
{
    static const struct gg_db_stmt of = {"DELETE FROM session_codes WHERE realm=? AND subject=?",
                                         true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};
    struct gg_db_result done = {0};
    bool ok = gg_db_run(db, a, GG_DB_CALL(of, NULL, values), &done, err);

    *count = (int64_t)done.affected;
    return ok;
}
