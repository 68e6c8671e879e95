/* SPDX-License-Identifier: MIT */
#include "gg/store/tokenuse.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

/* clang-format off */
enum {
    ACCESS_TOKEN, REFRESH_TOKEN, ID_TOKEN, SEAL, FINGERPRINT, IS_ACTIVE, EXPIRES_AT, LAST_USED_AT,
    CONNECTED_AT, PARTS
};
/* clang-format on */
/*
 * CONCAT_WS leaves out what is NULL, so that parts are missing then: such a row is read whole. Not
 * so for the lack of connected_at, which an imported row keeps until its user connects again.
 */
static const struct gg_db_stmt find = {
    "SELECT CONCAT_WS('|', access_token, refresh_token, id_token, seal, key_fingerprint, is_active,"
    " expires_at, last_used_at, IFNULL(connected_at, '')) FROM {table} WHERE {key}={subject}",
    true};

struct gg_db_call gg_tokenuse_call(struct gg_arena *a, struct gg_subject who)
{
    struct gg_db_value *value = gg_arena_alloc(a, sizeof *value);

    *value = gg_db_text(who.id);
    return (struct gg_db_call){&find, who.realm, value, 1};
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

    *row = (struct gg_tokenuse){.found = cell.p != NULL};
    if (!row->found)
        return true;
    while (n < PARTS && gg_str_take(&cell, '|', &parts[n]))
        n++;
    if (n < PARTS || cell.p != NULL)
        return false;
    int64_t used_us = gg_db_cell_us(parts[LAST_USED_AT], INT64_MIN / 4);
    row->ciphers = (struct gg_ciphers){parts[ACCESS_TOKEN], parts[REFRESH_TOKEN], parts[ID_TOKEN]};
    row->seal = parts[SEAL];
    row->fingerprint = parts[FINGERPRINT];
    row->is_active = gg_db_cell_int(parts[IS_ACTIVE], 0) == 1;
    row->left_s = (gg_db_cell_us(parts[EXPIRES_AT], 0) - need.now_us) / SECOND_US;
    row->wants_touch = need.now_us - used_us >= 60 * SECOND_US;
    return row->is_active && row->left_s > need.left_s && is_young(parts[CONNECTED_AT], need);
}
