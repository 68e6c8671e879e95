/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/tokenrow.h"

#include <stdio.h>

#define UUID "AAAAAAAA-2222-4333-8444-555555555555"

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_err err;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db,
                 "DELETE FROM microsoft_oauth_tokens; DELETE FROM beta_microsoft_oauth_tokens;"
                 "INSERT INTO microsoft_oauth_tokens"
                 " (user_id, access_token, refresh_token, expires_at, updated_at, seal,"
                 " key_fingerprint) VALUES"
                 " (7, 'a7', 'r7', NOW(), '2024-01-01', 's7', 'aaaaaaaa'),"
                 " (8, 'a8', NULL, NOW(), '2024-01-01', NULL, NULL),"
                 " (9, NULL, NULL, NOW(), '2024-01-01', 's9', 'bbbbbbbb'),"
                 " (10, 'a10', 'r10', NOW(), '2024-01-01', 's10', 'aaaaaaaa');"
                 "INSERT INTO beta_microsoft_oauth_tokens (teacher_id, access_token, expires_at)"
                 " VALUES ('" UUID "', 'b', NOW())");
}

static struct gg_tokenrows list(enum gg_tokenrow_which which, int64_t after_id)
{
    struct gg_tokenrow_query query = {gg_realm(GG_REALM_MAIN), which, GG_STR("aaaaaaaa"), after_id};
    struct gg_tokenrows out;

    ck_assert_msg(gg_tokenrow_list(db, arena, &query, &out, &err), "%s", err.log);
    return out;
}

static const char *cell(const char *column)
{
    return database_cell(
        db, arena,
        gg_arena_printf(arena, "SELECT %s FROM microsoft_oauth_tokens WHERE user_id = 7", column));
}

START_TEST(which_rows_come)
{
    set_up();
    struct gg_tokenrows all = list(GG_TOKENROW_ALL, -1);
    ck_assert_uint_eq(all.count, 4);
    ck_assert_gg_str(all.rows[0].subject, "7");
    ck_assert_gg_str(all.rows[0].ciphers.refresh_token, "r7");
    ck_assert_ptr_null(all.rows[0].ciphers.id_token.p);
    ck_assert_gg_str(all.rows[0].seal, "s7");
    ck_assert(!all.rows[0].is_leased);
    struct gg_tokenrows other = list(GG_TOKENROW_OTHER_KEY, -1);
    ck_assert_uint_eq(other.count, 2);
    ck_assert_gg_str(other.rows[0].subject, "8");
    ck_assert_gg_str(other.rows[1].subject, "9");
    ck_assert_uint_eq(list(GG_TOKENROW_UNNOTED, -1).count, 1);
    ck_assert_uint_eq(list(GG_TOKENROW_ALL, all.rows[1].id).count, 2);
    ck_assert_uint_eq(list(GG_TOKENROW_ALL, all.rows[3].id).count, 0);
    /* As the API knows the subject: that is what is sealed. */
    struct gg_tokenrow_query beta = {
        .realm = gg_realm(GG_REALM_BETA), .which = GG_TOKENROW_ALL, .after_id = -1};
    ck_assert(gg_tokenrow_list(db, arena, &beta, &all, &err));
    ck_assert_gg_str(all.rows[0].subject, "aaaaaaaa-2222-4333-8444-555555555555");
    gg_arena_close(arena);
}
END_TEST

static bool put(const struct gg_tokenrow *old)
{
    struct gg_tokenrow_change change = {
        .realm = gg_realm(GG_REALM_MAIN),
        .old = old,
        .ciphers = {.access_token = GG_STR("new"), .id_token = GG_STR("i")},
        .seals = {GG_STR("sealed"), GG_STR("access")},
        .fingerprint = GG_STR("cccccccc"),
    };
    bool done;

    ck_assert_msg(gg_tokenrow_put(db, arena, &change, &done, &err), "%s", err.log);
    return done;
}

START_TEST(a_row_is_changed_once)
{
    set_up();
    struct gg_tokenrow row = list(GG_TOKENROW_ALL, -1).rows[0];
    ck_assert(put(&row));
    ck_assert_str_eq(
        cell("CONCAT_WS(' ', access_token, COALESCE(refresh_token, '-'), id_token, seal,"
             " access_seal, key_fingerprint, updated_at)"),
        "new - i sealed access cccccccc 2024-01-01 00:00:00");
    ck_assert(!put(&row));
    /* One that has nothing is a row like others. */
    row = list(GG_TOKENROW_ALL, -1).rows[2];
    ck_assert(put(&row));
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/store/tokenrow.c: AND access_token<=>? AND => AND (access_token<=>? OR TRUE) AND */
/* mutant: src/store/tokenrow.c: AND refresh_token<=>? => AND (refresh_token<=>? OR TRUE) */
/* mutant: src/store/tokenrow.c: AND seal<=>?" => AND (seal<=>? OR TRUE)" */
/* mutant: src/store/tokenrow.c: OR refresh_lease_until <= NOW(6))", => OR TRUE)", */
START_TEST(whoever_was_faster_wins)
{
    static const char *const changes[] = {
        "access_token = 'x'",
        "refresh_token = NULL",
        "id_token = ''",
        "seal = NULL",
        "refresh_lease = 'w', refresh_lease_until = NOW(6) + INTERVAL 10 SECOND",
    };

    for (size_t i = 0; i < COUNT(changes); i++) {
        set_up();
        struct gg_tokenrow row = list(GG_TOKENROW_ALL, -1).rows[0];
        database_run(db, gg_arena_printf(arena,
                                         "UPDATE microsoft_oauth_tokens SET %s WHERE user_id = 7",
                                         changes[i]));
        ck_assert_msg(!put(&row), "%s", changes[i]);
        ck_assert_str_eq(cell("key_fingerprint"), "aaaaaaaa");
        database_run(db, "DELETE FROM microsoft_oauth_tokens");
        ck_assert(!put(&row));
        ck_assert_str_eq(database_cell(db, arena, "SELECT COUNT(*) FROM microsoft_oauth_tokens"),
                         "0");
        gg_arena_close(arena);
    }
}
END_TEST

/* mutant: src/store/tokenrow.c: key_fingerprint=?, refresh_lease=NULL, refresh_lease_until=NULL, =>
 * key_fingerprint=?, */
START_TEST(an_ended_lease_goes)
{
    set_up();
    database_run(db, "UPDATE microsoft_oauth_tokens SET refresh_lease = 'late',"
                     " refresh_lease_until = NOW(6) - INTERVAL 1 SECOND");
    struct gg_tokenrow row = list(GG_TOKENROW_ALL, -1).rows[0];
    ck_assert(!row.is_leased);
    ck_assert(put(&row));
    ck_assert_str_eq(cell("refresh_lease IS NULL AND refresh_lease_until IS NULL"), "1");
    database_run(db, "UPDATE microsoft_oauth_tokens SET"
                     " refresh_lease_until = NOW(6) + INTERVAL 10 SECOND");
    ck_assert(list(GG_TOKENROW_ALL, -1).rows[0].is_leased);
    gg_arena_close(arena);
}
END_TEST

START_TEST(rows_by_key)
{
    struct gg_tokenrow_tally t;

    set_up();
    ck_assert(gg_tokenrow_count(db, arena, gg_realm(GG_REALM_MAIN), &t, &err));
    ck_assert_int_eq(t.rows, 4);
    ck_assert_int_eq(t.unsealed, 1);
    ck_assert_uint_eq(t.count, 3);
    ck_assert_gg_str(t.keys[0].fingerprint, "aaaaaaaa");
    ck_assert_int_eq(t.keys[0].rows, 2);
    database_run(db, "DELETE FROM microsoft_oauth_tokens");
    ck_assert(gg_tokenrow_count(db, arena, gg_realm(GG_REALM_MAIN), &t, &err));
    ck_assert(t.rows == 0 && t.unsealed == 0 && t.count == 0);
    gg_arena_close(arena);
}
END_TEST

START_TEST(states)
{
    struct gg_tokenrow_states s;

    set_up();
    database_run(db, "DELETE FROM beta_microsoft_oauth_tokens; DELETE FROM microsoft_oauth_tokens");
    ck_assert(gg_tokenrow_count_states(db, arena, gg_realm(GG_REALM_BETA), &s, &err));
    ck_assert(s.total == 0 && s.active == 0 && s.expired == 0 && s.expiring_soon == 0 &&
              s.inactive == 0);
    database_run(db,
                 "INSERT INTO microsoft_oauth_tokens (user_id, access_token, expires_at, is_active)"
                 " VALUES (1, 'x', NOW() - INTERVAL 1 SECOND, 1), (2, 'x', NOW() - INTERVAL 1 HOUR,"
                 " 0), (3, 'x', NOW() + INTERVAL 200 SECOND, 1), (4, 'x', NOW() + INTERVAL 1 HOUR, "
                 "0), (5, 'x', NOW() + INTERVAL 2 HOUR, 1)");
    ck_assert(gg_tokenrow_count_states(db, arena, gg_realm(GG_REALM_MAIN), &s, &err));
    ck_assert_int_eq(s.total, 5);
    ck_assert_int_eq(s.active, 3);
    ck_assert_int_eq(s.expired, 2);
    ck_assert_int_eq(s.expiring_soon, 1);
    ck_assert_int_eq(s.inactive, 2);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/tokenrow", which_rows_come, a_row_is_changed_once, whoever_was_faster_wins,
             an_ended_lease_goes, rows_by_key, states)
