/* SPDX-License-Identifier: MIT */
#include "gg/store/tokenuse.h"

#include "gg/proto/seal.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

enum { ACCESS_TOKEN, ACCESS_SEAL, EXPIRES_AT, LAST_USED_AT, CONNECTED_AT, PARTS };
/*
 * CONCAT_WS leaves out what is NULL, so that parts are missing then: such a row is read whole. Not
 * so for the lack of connected_at, which an imported row keeps until its user connects again.
 */
static const struct gg_db_stmt find = {
    "SELECT CONCAT_WS('|', access_token, access_seal, expires_at, last_used_at,"
    " IFNULL(connected_at, '')) FROM {table} WHERE {key}={subject} AND is_active",
    true};

struct gg_db_call gg_tokenuse_call(struct gg_arena *a, struct gg_subject whose)
{
    struct gg_db_value *value = gg_arena_alloc(a, sizeof *value);

    *value = gg_db_text(whose.id);
    return (struct gg_db_call){&find, whose.realm, value, 1};
}

/* An imported row does not say when it was connected: that takes another column. */
static bool is_young(struct gg_str connected_at, struct gg_tokenuse_need need)
{
    return need.max_age_days == 0 ||
           gg_db_cell_us(connected_at, INT64_MIN / 4) > need.now_us - need.max_age_days * DAY_US;
}

bool gg_tokenuse_read(struct gg_str cell, struct gg_tokenuse_need need, struct gg_tokenuse *row)
{
    struct gg_str parts[PARTS];
    size_t n = 0;

    while (n < PARTS && gg_str_take(&cell, '|', &parts[n]))
        n++;
    if (n < PARTS || cell.p != NULL)
        return false;
    int64_t used_us = gg_db_cell_us(parts[LAST_USED_AT], INT64_MIN / 4);
    row->access_token = parts[ACCESS_TOKEN];
    row->access_seal = parts[ACCESS_SEAL];
    row->wants_touch = need.now_us - used_us >= 60 * SECOND_US;
    int64_t left_s = (gg_db_cell_us(parts[EXPIRES_AT], 0) - need.now_us) / SECOND_US;
    return left_s > need.left_s && is_young(parts[CONNECTED_AT], need);
}

bool gg_tokenuse_open(const struct gg_fernet *fernet, struct gg_arena *a,
                      const struct gg_tokenuse *row, struct gg_secret *token)
{
    struct gg_seal_row sealed = {.realm = row->whose.realm->name,
                                 .subject = row->whose.id,
                                 .ciphers = {.access_token = row->access_token}};
    struct gg_err ignored;

    return gg_seal_check_access(fernet, a, &sealed, row->access_seal, &ignored) &&
           gg_fernet_decrypt(fernet, a, row->access_token, token, &ignored);
}
