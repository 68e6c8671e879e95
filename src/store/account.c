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

static const struct gg_db_stmt list = {
    "SELECT " COLUMNS " FROM {users} WHERE (? IS NULL OR id > {subject}) ORDER BY id LIMIT ?",
    true};

static const struct gg_db_stmt find_null = {
    "SELECT IS_NULLABLE = 'NO' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=DATABASE()"
    " AND TABLE_NAME='{users}' AND COLUMN_NAME='tenant_id'",
    true};

static const struct gg_db_stmt try_drop = {"DELETE FROM {users} WHERE FALSE", true};
static const struct gg_db_stmt drop = {"DELETE FROM {users} WHERE id={subject}", true};

static const struct gg_db_stmt release = {
    "UPDATE {users} SET tenant_id=NULL, microsoft_id=NULL WHERE id={subject}", true};

/* The row that gives comes first: at no moment do two have the identity, which the key forbids. */
static const struct gg_db_stmt move_identity = {
    "UPDATE {users} SET microsoft_id=IF(id={subject}, ?, ?),"
    " tenant_id=IF(id={subject}, '" GG_ACCOUNT_MERGED "', ?)"
    " WHERE id={subject} OR id={subject} ORDER BY id={subject} DESC",
    true};

bool gg_account_list(struct gg_account_store s, struct gg_arena *a, struct gg_accounts *accounts,
                     struct gg_err *err)
{
    struct gg_db_value after = gg_db_text(accounts->after);
    struct gg_db_value values[] = {after, after, gg_db_int(accounts->limit)};
    struct gg_db_result found;

    if (!gg_db_run(s.db, a, GG_DB_CALL(list, s.realm, values), &found, err))
        return false;
    accounts->count = found.row_count;
    accounts->rows = gg_arena_alloc(a, (found.row_count + 1) * sizeof *accounts->rows);
    for (size_t i = 0; i < found.row_count; i++) {
        const struct gg_str *row = found.rows[i];
        accounts->rows[i] = (struct gg_account){true, row[0], {row[1], row[2], row[3], row[4]}};
    }
    return true;
}

bool gg_account_is_ours(struct gg_account_store s, struct gg_arena *a, bool *is_ours,
                        struct gg_err *err)
{
    int64_t found = 0;
    bool ok = gg_db_find_int(s.db, a, (struct gg_db_call){.stmt = &find_null, .realm = s.realm},
                             &found, err);

    *is_ours = found == 1;
    return ok;
}

bool gg_account_may_drop(struct gg_account_store s, struct gg_arena *a, struct gg_err *err)
{
    struct gg_db_result done;

    return gg_db_run(s.db, a, (struct gg_db_call){.stmt = &try_drop, .realm = s.realm}, &done, err);
}

bool gg_account_drop(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                     struct gg_err *err)
{
    struct gg_db_value key = gg_db_text(id);
    struct gg_db_result done;

    return gg_db_run(s.db, a, (struct gg_db_call){&drop, s.realm, &key, 1}, &done, err);
}

bool gg_account_release(struct gg_account_store s, struct gg_arena *a, struct gg_str id,
                        struct gg_err *err)
{
    struct gg_db_value key = gg_db_text(id);
    struct gg_db_result done;

    return gg_db_run(s.db, a, (struct gg_db_call){&release, s.realm, &key, 1}, &done, err);
}

bool gg_account_move_identity(struct gg_account_store s, struct gg_arena *a,
                              const struct gg_account *from, struct gg_str into, struct gg_err *err)
{
    struct gg_db_value giver = gg_db_text(from->id);
    struct gg_db_value values[] = {
        giver,
        giver,
        gg_db_text(from->identity.microsoft_id),
        giver,
        gg_db_text(from->identity.tenant_id),
        giver,
        gg_db_text(into),
        giver,
    };
    struct gg_db_result done;

    return gg_db_run(s.db, a, GG_DB_CALL(move_identity, s.realm, values), &done, err);
}
