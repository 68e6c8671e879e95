/* SPDX-License-Identifier: MIT */
#include "gg/store/login.h"

#include "gg/base/buf.h"
#include "gg/ext/crypto.h"

static const struct gg_db_stmt insert = {
    "INSERT INTO login_states (state_hash, browser_hash, realm, subject, sealed, return_to,"
    " expires_at) VALUES (?, ?, ?, ?, ?, ?, NOW(6) + INTERVAL ? SECOND)",
    false};

static const struct gg_db_stmt take = {
    "DELETE FROM login_states WHERE state_hash=? AND browser_hash=?"
    " RETURNING realm, subject, sealed, return_to, expires_at > NOW(6)",
    true};

static const struct gg_db_stmt sweep = {
    "DELETE FROM login_states WHERE expires_at <= NOW(6) LIMIT 1000", true};

/* Separates the parts of what is sealed; none of them has such a character. */
#define SEPARATOR '.'

static bool hash_keys(struct gg_arena *a, struct gg_login_key key, struct gg_str out[2],
                      struct gg_err *err)
{
    return gg_crypto_hash_text(a, gg_secret_reveal(key.state), &out[0], err) &&
           gg_crypto_hash_text(a, gg_secret_reveal(key.browser), &out[1], err);
}

/* Whose this very flow is, as its seal says it: nobody is made another user by the database. */
static struct gg_str owner_text(struct gg_arena *a, const struct gg_login *login,
                                const struct gg_str hashes[2])
{
    struct gg_str subject = login->subject.p == NULL ? GG_STR("-") : login->subject;

    return gg_str_of(gg_arena_printf(a, "%s.%.*s.%.*s.%.*s", login->realm->name,
                                     GG_STR_ARG(subject), GG_STR_ARG(hashes[0]),
                                     GG_STR_ARG(hashes[1])));
}

static struct gg_secret seal_text(struct gg_arena *a, const struct gg_login *login,
                                  const struct gg_str hashes[2])
{
    struct gg_buf text;

    gg_buf_init(&text, a, 1024);
    gg_buf_add(&text, gg_secret_reveal(login->nonce));
    gg_buf_add_char(&text, SEPARATOR);
    gg_buf_add(&text, gg_secret_reveal(login->code_verifier));
    gg_buf_add_char(&text, SEPARATOR);
    gg_buf_add(&text, owner_text(a, login, hashes));
    return gg_secret_of(gg_buf_str(&text));
}

bool gg_login_put(struct gg_login_store s, struct gg_arena *a, struct gg_login_key key,
                  const struct gg_login *login, struct gg_err *err)
{
    struct gg_str hashes[2];
    struct gg_str sealed;
    struct gg_db_result done;

    if (!hash_keys(a, key, hashes, err) ||
        !gg_fernet_encrypt(s.fernet, a, seal_text(a, login, hashes), &sealed, err))
        return false;
    struct gg_db_value values[] = {
        gg_db_text(hashes[0]),
        gg_db_text(hashes[1]),
        gg_db_text(gg_str_of(login->realm->name)),
        gg_db_text(login->subject),
        gg_db_text(sealed),
        gg_db_text(login->return_to),
        gg_db_int(GG_LOGIN_TTL_S),
    };
    return gg_db_run(s.db, a, GG_DB_CALL(insert, NULL, values), &done, err);
}

static bool unseal(const struct gg_login_store *s, struct gg_arena *a, struct gg_str sealed,
                   struct gg_str parts[3], struct gg_err *err)
{
    struct gg_secret text;

    if (!gg_fernet_decrypt(s->fernet, a, sealed, &text, err))
        return gg_fail(err, GG_ESTATE, "a state was sealed with another key");
    parts[2] = gg_secret_reveal(text);
    return (gg_str_take(&parts[2], SEPARATOR, &parts[0]) &&
            gg_str_take(&parts[2], SEPARATOR, &parts[1]) && parts[2].p != NULL) ||
           gg_fail(err, GG_ESTATE, "a state's seal has another form");
}

bool gg_login_take(struct gg_login_store s, struct gg_arena *a, struct gg_login_key key,
                   struct gg_login *login, struct gg_err *err)
{
    struct gg_str hashes[2];
    struct gg_str parts[3] = {{NULL, 0}};
    struct gg_db_result rows;

    if (!hash_keys(a, key, hashes, err))
        return false;
    struct gg_db_value values[] = {gg_db_text(hashes[0]), gg_db_text(hashes[1])};
    if (!gg_db_run(s.db, a, GG_DB_CALL(take, NULL, values), &rows, err))
        return false;
    if (rows.row_count == 0)
        return gg_fail(err, GG_ESTATE, "no such state for this browser");
    const struct gg_str *row = rows.rows[0];
    *login = (struct gg_login){
        .realm = gg_realm_find_name(row[0]),
        .subject = row[1],
        .return_to = row[3],
    };
    if (gg_db_cell_int(row[4], 0) != 1 || login->realm == NULL)
        return gg_fail(err, GG_ESTATE, "the state is too old");
    if (!unseal(&s, a, row[2], parts, err))
        return false;
    login->nonce = gg_secret_of(parts[0]);
    login->code_verifier = gg_secret_of(parts[1]);
    return gg_str_is_equal(parts[2], owner_text(a, login, hashes)) ||
           gg_fail(err, GG_ESTATE, "a state was changed in the database");
}

bool gg_login_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count, struct gg_err *err)
{
    return gg_db_count(db, a, &sweep, count, err);
}

bool gg_login_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                       struct gg_err *err)
{
    static const struct gg_db_stmt of = {
        "SELECT COUNT(*) FROM login_states WHERE realm=? AND subject=?", true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};

    return gg_db_find_int(db, a, GG_DB_CALL(of, NULL, values), count, err);
}

bool gg_login_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                      struct gg_err *err)
{
    static const struct gg_db_stmt of = {"DELETE FROM login_states WHERE realm=? AND subject=?",
                                         true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};
    struct gg_db_result done = {0};
    bool ok = gg_db_run(db, a, GG_DB_CALL(of, NULL, values), &done, err);

    *count = (int64_t)done.affected;
    return ok;
}
