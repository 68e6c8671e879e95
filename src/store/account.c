/* SPDX-License-Identifier: MIT */
#include "gg/store/account.h"

#define COLUMNS "id, tenant_id, microsoft_id, email, full_name"

static const struct gg_db_stmt find_identity = {
    "SELECT " COLUMNS " FROM {users} WHERE tenant_id=? AND microsoft_id=?", true};

static const struct gg_db_stmt find_id = {"SELECT " COLUMNS " FROM {users} WHERE id={subject}",
                                          true};

static const struct gg_db_stmt update = {
    "UPDATE {users} SET email=?, full_name=? WHERE tenant_id=? AND microsoft_id=?", true};

/* Two sign-ins of one new identity at once: the second finds the first's row. */
static const struct gg_db_stmt insert = {
    "INSERT INTO {users} (id, tenant_id, microsoft_id, email, full_name)"
    " VALUES ({new_id}, ?, ?, ?, ?)"
    " ON DUPLICATE KEY UPDATE email=VALUES(email), full_name=VALUES(full_name)"
    " RETURNING " COLUMNS,
    true};

static void take(const struct gg_db_result *rows, struct gg_account *account)
{
    *account = (struct gg_account){.found = rows->row_count > 0};
    if (!account->found)
        return;
    const struct gg_str *row = rows->rows[0];
    account->id = row[0];
    account->identity = (struct gg_identity){row[1], row[2], row[3], row[4]};
}

bool gg_account_find_identity(struct gg_account_store s, struct gg_arena *a,
                              const struct gg_identity *identity, struct gg_account *account,
                              struct gg_err *err)
{
    struct gg_db_value key[] = {gg_db_text(identity->tenant_id),
                                gg_db_text(identity->microsoft_id)};
    struct gg_db_value set[] = {gg_db_text(identity->email), gg_db_text(identity->full_name),
                                key[0], key[1]};
    struct gg_db_result rows;

    if (!gg_db_run(s.db, a, GG_DB_CALL(find_identity, s.realm, key), &rows, err))
        return false;
    take(&rows, account);
    bool is_same = gg_str_is_equal(account->identity.email, identity->email) &&
                   gg_str_is_equal(account->identity.full_name, identity->full_name);
    if (!account->found || is_same)
        return true;
    account->identity = *identity;
    return gg_db_run(s.db, a, GG_DB_CALL(update, s.realm, set), &rows, err);
}

bool gg_account_put(struct gg_account_store s, struct gg_arena *a,
                    const struct gg_identity *identity, struct gg_account *account,
                    struct gg_err *err)
{
    struct gg_db_value set[] = {gg_db_text(identity->tenant_id), gg_db_text(identity->microsoft_id),
                                gg_db_text(identity->email), gg_db_text(identity->full_name)};
    struct gg_db_result rows;

    /* Looked for first: a failed insert would use up an id at each sign-in. */
    if (!gg_account_find_identity(s, a, identity, account, err))
        return false;
    if (account->found)
        return true;
    if (!gg_db_run(s.db, a, GG_DB_CALL(insert, s.realm, set), &rows, err))
        return false;
    take(&rows, account);
    return account->found || gg_fail(err, GG_EDATABASE, "an account was not stored");
}

bool gg_account_find(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                     struct gg_account *account, struct gg_err *err)
{
    struct gg_db_value key = gg_db_text(id);
    struct gg_db_result rows;

    if (!gg_db_run(s.db, a, (struct gg_db_call){&find_id, s.realm, &key, 1}, &rows, err))
        return false;
    take(&rows, account);
    return true;
}

bool gg_account_count(struct gg_account_store s, struct gg_arena *a, int64_t *count,
                      struct gg_err *err)
{
    static const struct gg_db_stmt all = {"SELECT COUNT(*) FROM {users}", true};

    return gg_db_find_int(s.db, a, (struct gg_db_call){.stmt = &all, .realm = s.realm}, count, err);
}
