/* SPDX-License-Identifier: MIT */
#include "gg/store/token.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/ext/crypto.h"
#include "gg/proto/seal.h"

#define LEASE_WORD_BYTES 16
#define SECOND_US        INT64_C(1000000)
#define DAY_US           (86400 * SECOND_US)

/* updated_at says when the tokens changed; what only notes a use or a lease leaves it alone. */
#define KEEP_UPDATED "updated_at=updated_at"
#define NO_LEASE     "refresh_lease=NULL, refresh_lease_until=NULL"
#define NO_FAILURE   "refresh_failure=NULL, refresh_failed_until=NULL"

/* As the row stands, and the time by the same clock: to reckon here costs the server nothing. */
/* clang-format off */
enum {
    ACCESS_TOKEN, REFRESH_TOKEN, ID_TOKEN, SEAL, FINGERPRINT, IS_ACTIVE, EXPIRES_AT, LAST_USED_AT,
    LEASED_UNTIL, FAILURE, FAILED_UNTIL, RESTS_UNTIL, CONNECTED_AT, MICROSOFT_ID, EMAIL, TENANT_ID,
    SCOPE, NOW,
};
/* clang-format on */
static const struct gg_db_stmt find = {
    "SELECT access_token, refresh_token, id_token, seal, key_fingerprint, is_active, expires_at,"
    " last_used_at, refresh_lease_until, refresh_failure, refresh_failed_until, refresh_after,"
    " COALESCE(connected_at, created_at), microsoft_id, microsoft_email, tenant_id, scope, NOW(6)"
    " FROM {table} WHERE {key}={subject}",
    true};

static const struct gg_db_stmt put = {
    "INSERT INTO {table} ({key}, access_token, refresh_token, id_token, token_type, expires_at,"
    " scope, microsoft_id, microsoft_email, tenant_id, seal, access_seal,"
    " key_fingerprint, connected_at, is_active)"
    " VALUES ({subject}, ?, ?, ?, ?, NOW() + INTERVAL ? SECOND, ?, ?, ?, ?, ?, ?, ?,"
    " COALESCE(TIMESTAMP('1970-01-01') + INTERVAL ? SECOND, NOW()), TRUE)"
    " ON DUPLICATE KEY UPDATE access_token=VALUES(access_token),"
    " refresh_token=VALUES(refresh_token), id_token=VALUES(id_token),"
    " token_type=VALUES(token_type), expires_at=VALUES(expires_at), scope=VALUES(scope),"
    " microsoft_id=VALUES(microsoft_id), microsoft_email=VALUES(microsoft_email),"
    " tenant_id=VALUES(tenant_id), seal=VALUES(seal), access_seal=VALUES(access_seal),"
    " key_fingerprint=VALUES(key_fingerprint), connected_at=VALUES(connected_at),"
    " is_active=TRUE, inactive_reason=NULL, refresh_after=NULL, " NO_LEASE ", " NO_FAILURE,
    true};

static const struct gg_db_stmt drop = {"DELETE FROM {table} WHERE {key}={subject}", true};

static const struct gg_db_stmt touch = {
    "UPDATE {table} SET last_used_at=NOW(), " KEEP_UPDATED " WHERE {key}={subject}"
    " AND (last_used_at IS NULL OR last_used_at <= NOW() - INTERVAL 60 SECOND)",
    true};

/* Run twice, it finds its own word. */
static const struct gg_db_stmt lease_row = {
    "UPDATE {table} SET refresh_lease=?, refresh_lease_until=NOW(6) + INTERVAL ? SECOND,"
    " " KEEP_UPDATED " WHERE {key}={subject} AND is_active AND access_token=? AND seal<=>?"
    " AND (refresh_lease IS NULL OR refresh_lease=? OR refresh_lease_until <= NOW(6))"
    " AND (refresh_failed_until IS NULL OR refresh_failed_until <= NOW(6))",
    true};

static const struct gg_db_stmt end_with_tokens = {
    "UPDATE {table} SET access_token=?, refresh_token=?, id_token=?, seal=?, access_seal=?,"
    " key_fingerprint=?, token_type=COALESCE(?, token_type),"
    " expires_at=NOW() + INTERVAL ? SECOND, scope=COALESCE(?, scope),"
    " refresh_after=NOW(6) + INTERVAL ? SECOND, " NO_LEASE ", " NO_FAILURE
    " WHERE {key}={subject} AND refresh_lease=?",
    true};

static const struct gg_db_stmt end_permanently = {
    "UPDATE {table} SET is_active=FALSE, inactive_reason=?, " NO_LEASE ", " NO_FAILURE
    " WHERE {key}={subject} AND refresh_lease=?",
    true};

static const struct gg_db_stmt retire = {
    "UPDATE {table} SET is_active=FALSE, inactive_reason='max_age', " NO_LEASE ", " NO_FAILURE
    " WHERE {key}={subject} AND is_active"
    " AND COALESCE(connected_at, created_at) <= NOW() - INTERVAL ? DAY", /* NULL days: none */
    true};

static const struct gg_db_stmt end_for_now = {
    "UPDATE {table} SET refresh_failure=?, refresh_failed_until=NOW(6) + INTERVAL ? SECOND,"
    " " NO_LEASE ", " KEEP_UPDATED " WHERE {key}={subject} AND refresh_lease=?",
    true};

/* Passes on whether it went well, and counts it if not. */
static bool count_fault(enum gg_metric_word_STORAGE kind, bool ok)
{
    if (!ok)
        gg_metric_count(GG_METRIC_TOKEN_STORAGE_ERRORS, kind, 0, 0);
    return ok;
}

static void read_row(struct gg_token_store s, struct gg_token_key key,
                     const struct gg_db_result *rows, struct gg_token *token)
{
    *token = (struct gg_token){.key = key, .found = rows->row_count > 0};
    if (!token->found)
        return;
    const struct gg_str *row = rows->rows[0];
    int64_t now_us = gg_db_cell_us(row[NOW], INT64_MAX / 4);
    int64_t expires_us = gg_db_cell_us(row[EXPIRES_AT], 0);
    int64_t failed_us = gg_db_cell_us(row[FAILED_UNTIL], 0) - now_us;
    int64_t unused_us = now_us - gg_db_cell_us(row[LAST_USED_AT], INT64_MIN / 4);
    bool is_active = gg_db_cell_int(row[IS_ACTIVE], 0) == 1;
    bool is_too_old = s.max_age_days > 0 &&
                      gg_db_cell_us(row[CONNECTED_AT], now_us) <= now_us - s.max_age_days * DAY_US;
    *token = (struct gg_token){
        .key = key,
        .found = true,
        .ciphers = {row[ACCESS_TOKEN], row[REFRESH_TOKEN], row[ID_TOKEN]},
        .seal = row[SEAL],
        .fingerprint = row[FINGERPRINT],
        .is_active = is_active && !is_too_old,
        .is_too_old = is_active && is_too_old,
        .is_leased = gg_db_cell_us(row[LEASED_UNTIL], 0) > now_us,
        .left_s = (expires_us - now_us) / SECOND_US,
        .failure = failed_us > 0 ? row[FAILURE] : gg_str_of(NULL),
        .failure_left_s = failed_us > SECOND_US ? (failed_us + SECOND_US - 1) / SECOND_US : 1,
        .wants_touch = unused_us >= 60 * SECOND_US,
        .owner = {row[MICROSOFT_ID], row[EMAIL], row[TENANT_ID]},
        .scope = row[SCOPE],
        .expires_at_s = expires_us / SECOND_US,
        .last_used_at_s = gg_db_cell_us(row[LAST_USED_AT], -SECOND_US) / SECOND_US,
        .is_rested = gg_db_cell_us(row[RESTS_UNTIL], 0) > now_us,
    };
}

bool gg_token_find(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                   struct gg_token *token, struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_text(key.subject)};
    struct gg_db_result rows;

    if (!count_fault(GG_M_STORAGE_READ,
                     gg_db_run(s.db, a, GG_DB_CALL(find, key.realm, values), &rows, err)))
        return false;
    read_row(s, key, &rows, token);
    return true;
}

static struct gg_seal_row seal_row(struct gg_token_key key, struct gg_ciphers ciphers)
{
    return (struct gg_seal_row){
        .realm = key.realm->name, .subject = key.subject, .ciphers = ciphers};
}

/* A seal that none of the keys made is not blamed on anybody while the row's own key is missing. */
static bool blame_seal(struct gg_token_store s, const struct gg_token *token, struct gg_err *err)
{
    bool is_sealed = token->seal.p != NULL;

    if (is_sealed && gg_fernet_lacks(s.fernet, token->fingerprint)) {
        (void)gg_fail(err, GG_EAUTHREQUIRED, "a row needs the key %.*s, which is not configured",
                      GG_STR_ARG(token->fingerprint));
        gg_log(GG_ERROR, "token.decrypt", "realm=%s subject=%.*s reason=\"%s\"",
               token->key.realm->name, GG_STR_ARG(token->key.subject), err->log);
        return count_fault(GG_M_STORAGE_DECRYPT, false);
    }
    (void)gg_fail(err, GG_EAUTHREQUIRED, is_sealed ? "a row's seal is wrong" : "a row has no seal");
    gg_log(GG_ERROR, "token.seal", "realm=%s subject=%.*s reason=\"%s\"", token->key.realm->name,
           GG_STR_ARG(token->key.subject), err->log);
    return count_fault(GG_M_STORAGE_SEAL, false);
}

/* Before anything in the row is decrypted: its tokens may be another's. */
static bool check_seal(struct gg_token_store s, struct gg_arena *a, const struct gg_token *token,
                       struct gg_err *err)
{
    struct gg_seal_row row = seal_row(token->key, token->ciphers);

    return (token->seal.p != NULL ? gg_seal_check(s.fernet, a, &row, token->seal, err)
                                  : !s.refuses_unsealed) ||
           blame_seal(s, token, err);
}

static bool decrypt(struct gg_token_store s, struct gg_arena *a, struct gg_str cipher,
                    struct gg_secret *out, struct gg_err *err)
{
    if (count_fault(GG_M_STORAGE_DECRYPT, gg_fernet_decrypt(s.fernet, a, cipher, out, err)))
        return true;
    gg_log(GG_ERROR, "token.decrypt", "reason=\"%s\"", err->log);
    return gg_fail(err, GG_EAUTHREQUIRED, "a stored token does not decrypt with any key");
}

bool gg_token_open(struct gg_token_store s, struct gg_arena *a, const struct gg_token *token,
                   struct gg_secret *out, struct gg_err *err)
{
    return check_seal(s, a, token, err) && decrypt(s, a, token->ciphers.access_token, out, err);
}

/* What a row gets: the ciphertexts, and what they are sealed and encrypted with. */
struct cells {
    struct gg_ciphers ciphers;
    struct gg_seals seals;     /* absent: none */
    struct gg_str fingerprint; /* absent: not all is under one key */
    char text[GG_FERNET_FINGERPRINT_CHARS + 1];
};

static bool is_under_first(struct gg_token_store s, struct gg_arena *a, struct gg_str cipher)
{
    struct gg_fernet_opened opened;
    struct gg_err ignored;

    return cipher.p == NULL ||
           (gg_fernet_open(s.fernet, a, cipher, &opened, &ignored) && opened.key == 0);
}

/* A new token encrypted, else the old one's ciphertext, under the first key from now on. One that
 * does not decrypt stays as it is: a refresh loses nobody anything. */
static bool renew(struct gg_token_store s, struct gg_arena *a, struct gg_secret new,
                  struct gg_str *cipher, struct gg_err *err)
{
    struct gg_fernet_opened old;
    struct gg_err ignored;

    if (gg_secret_is_set(new))
        return gg_fernet_encrypt(s.fernet, a, new, cipher, err);
    if (cipher->p == NULL || !gg_fernet_open(s.fernet, a, *cipher, &old, &ignored) || old.key == 0)
        return true;
    return gg_fernet_encrypt(s.fernet, a, old.text, cipher, err);
}

/* cells->ciphers has the old ones, or nothing, and becomes what is to be stored. */
static bool fill(struct gg_token_store s, struct gg_arena *a, const struct gg_tokens *set,
                 struct cells *cells, struct gg_err *err)
{
    struct gg_ciphers *to = &cells->ciphers;

    if (!renew(s, a, set->access_token, &to->access_token, err) ||
        !renew(s, a, set->refresh_token, &to->refresh_token, err) ||
        !renew(s, a, set->id_token, &to->id_token, err) ||
        !gg_fernet_fingerprint(s.fernet, 0, cells->text, err))
        return false;
    if (is_under_first(s, a, to->refresh_token) && is_under_first(s, a, to->id_token))
        cells->fingerprint = gg_str_of(cells->text);
    return true;
}

static bool make_seal(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                      struct cells *cells, struct gg_err *err)
{
    struct gg_seal_row row = seal_row(key, cells->ciphers);

    return gg_seal_make(s.fernet, a, &row, &cells->seals, err);
}

bool gg_token_put(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                  const struct gg_token_connect *connect, struct gg_err *err)
{
    const struct gg_tokens *set = &connect->set;
    struct cells cells = {0};
    struct gg_db_result done;

    if (!count_fault(GG_M_STORAGE_ENCRYPT,
                     fill(s, a, set, &cells, err) && make_seal(s, a, key, &cells, err)))
        return false;
    struct gg_db_value values[] = {
        gg_db_text(key.subject),
        gg_db_text(cells.ciphers.access_token),
        gg_db_text(cells.ciphers.refresh_token),
        gg_db_text(cells.ciphers.id_token),
        gg_db_text(set->token_type.p == NULL ? GG_STR("Bearer") : set->token_type),
        gg_db_int(set->expires_in_s),
        gg_db_text(set->scope),
        gg_db_text(connect->owner.microsoft_id),
        gg_db_text(connect->owner.email),
        gg_db_text(connect->owner.tenant_id),
        gg_db_text(cells.seals.row),
        gg_db_text(cells.seals.access_token),
        gg_db_text(cells.fingerprint),
        connect->connected_at_s > 0 ? gg_db_int(connect->connected_at_s) : (struct gg_db_value){0},
    };
    return count_fault(GG_M_STORAGE_WRITE,
                       gg_db_run(s.db, a, GG_DB_CALL(put, key.realm, values), &done, err));
}

bool gg_token_drop(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                   struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_text(key.subject)};
    struct gg_db_result done;

    return count_fault(GG_M_STORAGE_WRITE,
                       gg_db_run(s.db, a, GG_DB_CALL(drop, key.realm, values), &done, err));
}

bool gg_token_retire(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                     struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_text(key.subject), s.max_age_days > 0
                                                                ? gg_db_int(s.max_age_days)
                                                                : (struct gg_db_value){0}};
    struct gg_db_result done;

    return count_fault(GG_M_STORAGE_WRITE,
                       gg_db_run(s.db, a, GG_DB_CALL(retire, key.realm, values), &done, err));
}

bool gg_token_touch(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                    struct gg_err *err)
{
    struct gg_db_value values[] = {gg_db_text(key.subject)};
    struct gg_db_result done;

    return count_fault(GG_M_STORAGE_WRITE,
                       gg_db_run(s.db, a, GG_DB_CALL(touch, key.realm, values), &done, err));
}

/* While a lease lasts nobody else refreshes: what was lost is said once more, to the next host,
 * however long that took; new tokens, of which the row has no copy, also after a conflict. */
static bool run_surely(struct gg_token_store s, struct gg_arena *a, struct gg_db_call call,
                       struct gg_db_result *done, struct gg_err *err)
{
    return gg_db_run(s.db, a, call, done, err) ||
           ((gg_db_fault(s.db) == GG_DB_LOST ||
             (gg_db_fault(s.db) == GG_DB_CONFLICT && call.stmt == &end_with_tokens)) &&
            gg_db_run(s.db, a, call, done, err));
}

bool gg_token_take_lease(struct gg_token_store s, struct gg_arena *a, const struct gg_token *token,
                         struct gg_token_lease *lease, struct gg_err *err)
{
    struct gg_token_key key = token->key;
    struct gg_db_result done;

    *lease = (struct gg_token_lease){.kept = token->ciphers, .is_sealed = token->seal.p != NULL};
    if (!check_seal(s, a, token, err))
        return false;
    if (token->ciphers.refresh_token.p == NULL)
        return gg_fail(err, GG_EAUTHREQUIRED, "there is no refresh token");
    if (!decrypt(s, a, token->ciphers.refresh_token, &lease->refresh_token, err) ||
        !gg_crypto_random_text(a, LEASE_WORD_BYTES, &lease->word, err))
        return false;
    struct gg_db_value take[] = {gg_db_text(lease->word), gg_db_int(GG_TOKEN_LEASE_S),
                                 gg_db_text(key.subject), gg_db_text(token->ciphers.access_token),
                                 gg_db_text(token->seal), gg_db_text(lease->word)};
    if (!count_fault(GG_M_STORAGE_WRITE,
                     run_surely(s, a, GG_DB_CALL(lease_row, key.realm, take), &done, err)))
        return false;
    lease->taken = done.affected == 1;
    return true;
}

static bool end_well(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                     struct gg_token_end *end, struct gg_err *err)
{
    const struct gg_tokens *set = end->set;
    struct cells cells = {.ciphers = end->lease->kept};
    struct gg_db_result done;

    if (!count_fault(GG_M_STORAGE_ENCRYPT,
                     fill(s, a, set, &cells, err) &&
                         (!end->lease->is_sealed || make_seal(s, a, key, &cells, err))))
        return false;
    struct gg_db_value values[] = {
        gg_db_text(cells.ciphers.access_token),
        gg_db_text(cells.ciphers.refresh_token),
        gg_db_text(cells.ciphers.id_token),
        gg_db_text(cells.seals.row),
        gg_db_text(cells.seals.access_token),
        gg_db_text(cells.fingerprint),
        gg_db_text(set->token_type),
        gg_db_int(set->expires_in_s),
        gg_db_text(set->scope),
        gg_db_int(end->rest_s),
        gg_db_text(key.subject),
        gg_db_text(end->lease->word),
    };
    bool ok =
        count_fault(GG_M_STORAGE_WRITE,
                    run_surely(s, a, GG_DB_CALL(end_with_tokens, key.realm, values), &done, err));
    end->was_ours = ok && done.affected > 0;
    return ok;
}

bool gg_token_end_lease(struct gg_token_store s, struct gg_arena *a, struct gg_token_key key,
                        struct gg_token_end *end, struct gg_err *err)
{
    struct gg_db_value failure = gg_db_text(gg_str_of(end->failure));
    struct gg_db_value subject = gg_db_text(key.subject);
    struct gg_db_value lease = gg_db_text(end->lease->word);
    struct gg_db_value permanent[] = {failure, subject, lease};
    struct gg_db_value passing[] = {failure, gg_db_int(end->pause_s), subject, lease};
    struct gg_db_result done;

    if (end->set != NULL)
        return end_well(s, a, key, end, err);
    bool ok = run_surely(s, a,
                         end->is_permanent ? GG_DB_CALL(end_permanently, key.realm, permanent)
                                           : GG_DB_CALL(end_for_now, key.realm, passing),
                         &done, err);
    end->was_ours = count_fault(GG_M_STORAGE_WRITE, ok) && done.affected > 0;
    return ok;
}
