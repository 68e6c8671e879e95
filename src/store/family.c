/* SPDX-License-Identifier: MIT */
#include "gg/store/family.h"

#include "gg/base/metric.h"

static const struct gg_db_stmt insert = {
    "INSERT INTO refresh_families (family_id, current_id, realm, subject, expires_at)"
    " VALUES (?, ?, ?, ?, NOW(6) + INTERVAL ? SECOND)",
    false};

/* Not repeatable: after a lost answer, the second try would look like a thief's. */
static const struct gg_db_stmt rotate = {
    "UPDATE refresh_families SET current_id=?, expires_at=NOW(6) + INTERVAL ? SECOND"
    " WHERE family_id=? AND current_id=? AND realm=? AND subject=? AND expires_at > NOW(6)",
    false};

/* One that is too old is left to the sweep: a token of it need not be spent. */
static const struct gg_db_stmt drop = {
    "DELETE FROM refresh_families WHERE family_id=? AND expires_at > NOW(6)", true};

static const struct gg_db_stmt sweep = {
    "DELETE FROM refresh_families WHERE expires_at <= NOW(6) LIMIT 1000", true};

bool gg_family_put(struct gg_db *db, struct gg_arena *a, const struct gg_family *family,
                   struct gg_err *err)
{
    struct gg_db_value values[] = {
        gg_db_text(family->family_id),
        gg_db_text(family->token_id),
        gg_db_text(gg_str_of(family->realm->name)),
        gg_db_text(family->subject),
        gg_db_int(family->ttl_s),
    };
    struct gg_db_result done;

    return gg_db_run(db, a, GG_DB_CALL(insert, NULL, values), &done, err);
}

bool gg_family_rotate(struct gg_db *db, struct gg_arena *a, struct gg_family *family,
                      struct gg_str next_id, struct gg_err *err)
{
    struct gg_db_value values[] = {
        gg_db_text(next_id),
        gg_db_int(family->ttl_s),
        gg_db_text(family->family_id),
        gg_db_text(family->token_id),
        gg_db_text(gg_str_of(family->realm->name)),
        gg_db_text(family->subject),
    };
    struct gg_db_value family_id = values[2];
    struct gg_db_result done;

    if (!gg_db_run(db, a, GG_DB_CALL(rotate, NULL, values), &done, err))
        return false;
    family->was_spent = false;
    if (done.affected == 1)
        return true;
    if (!gg_db_run(db, a, (struct gg_db_call){&drop, NULL, &family_id, 1}, &done, err))
        return false;
    family->was_spent = done.affected > 0;
    if (!family->was_spent)
        return gg_fail(err, GG_EINVALIDTOKEN, "the refresh token's family is too old or unknown");
    gg_metric_count(GG_METRIC_SPENT_REFRESH_TOKENS, 0, 0, 0);
    return gg_fail(err, GG_EINVALIDTOKEN,
                   "a spent refresh token was used again: its family has ended");
}

bool gg_family_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count, struct gg_err *err)
{
    return gg_db_count(db, a, &sweep, count, err);
}

bool gg_family_count(struct gg_db *db, struct gg_arena *a, int64_t *count, struct gg_err *err)
{
    static const struct gg_db_stmt all = {
        "SELECT COUNT(*) FROM refresh_families WHERE expires_at > NOW(6)", true};

    return gg_db_find_int(db, a, (struct gg_db_call){.stmt = &all}, count, err);
}

bool gg_family_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                        struct gg_err *err)
{
    static const struct gg_db_stmt of = {
        "SELECT COUNT(*) FROM refresh_families WHERE realm=? AND subject=?", true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};

    return gg_db_find_int(db, a, GG_DB_CALL(of, NULL, values), count, err);
}

bool gg_family_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                       struct gg_err *err)
{
    static const struct gg_db_stmt of = {"DELETE FROM refresh_families WHERE realm=? AND subject=?",
                                         true};
    struct gg_db_value values[] = {gg_db_text(gg_str_of(who.realm->name)), gg_db_text(who.id)};
    struct gg_db_result done = {0};
    bool ok = gg_db_run(db, a, GG_DB_CALL(of, NULL, values), &done, err);

    *count = (int64_t)done.affected;
    return ok;
}
