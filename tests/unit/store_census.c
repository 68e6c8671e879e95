/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/census.h"

static struct gg_arena *arena;
static struct gg_db *db;
static const struct gg_realm *realm;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    realm = gg_realm(GG_REALM_MAIN);
    database_run(db,
                 "DELETE FROM microsoft_oauth_tokens; DELETE FROM beta_microsoft_oauth_tokens;"
                 "INSERT INTO microsoft_oauth_tokens (user_id, access_token, expires_at, is_active,"
                 " inactive_reason, key_fingerprint, seal, updated_at) VALUES"
                 " (1, 'a', NOW(), 1, NULL, 'k1', 's', '2026-01-01'),"
                 " (2, 'b', NOW(), 0, 'invalid_grant', 'k1', NULL, '2026-01-03'),"
                 " (3, 'c', NOW(), 0, 'invalid_grant', NULL, NULL, '2026-01-02'),"
                 " (4, NULL, NOW(), 0, NULL, NULL, NULL, '2026-01-04')");
}

static void tear_down(void)
{
    database_run(db, "DELETE FROM microsoft_oauth_tokens");
    gg_arena_close(arena);
}

static void check_part(const struct gg_census *census, size_t i, const char *word, int64_t rows)
{
    ck_assert_uint_lt(i, census->count);
    ck_assert_int_eq(census->parts[i].rows, rows);
    if (word == NULL)
        ck_assert_ptr_null(census->parts[i].word.p);
    else
        ck_assert_gg_str(census->parts[i].word, word);
}

START_TEST(counts)
{
    struct gg_census census;
    struct gg_err err;
    int64_t rows = -1;

    set_up();
    ck_assert(gg_census_inactive(db, arena, realm, &census, &err) && census.count == 2);
    check_part(&census, 0, "invalid_grant", 2);
    check_part(&census, 1, NULL, 1);
    /* A row without tokens needs neither key nor seal. */
    ck_assert(gg_census_keys(db, arena, realm, &census, &err) && census.count == 2);
    check_part(&census, 0, "k1", 2);
    check_part(&census, 1, NULL, 1);
    ck_assert(gg_census_unsealed(db, arena, realm, &rows, &err));
    ck_assert_int_eq(rows, 2);
    realm = gg_realm(GG_REALM_BETA);
    ck_assert(gg_census_inactive(db, arena, realm, &census, &err) && census.count == 0);
    ck_assert(gg_census_unsealed(db, arena, realm, &rows, &err));
    ck_assert_int_eq(rows, 0);
    tear_down();
}
END_TEST

START_TEST(newest)
{
    struct gg_db_result rows;
    struct gg_err err;

    set_up();
    ck_assert(gg_census_newest(db, arena, realm, &rows, &err) && rows.row_count == 3);
    ck_assert_gg_str(rows.rows[0][0], "b");
    ck_assert_gg_str(rows.rows[2][0], "a");
    tear_down();
}
END_TEST

GG_UNIT_MAIN("store/census", counts, newest)
