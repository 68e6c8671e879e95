/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/people.h"
#include "gg/flow/refresh.h"
#include "gg/proto/seal.h"

#include <string.h>

static struct stand_in s;
static struct gg_people people;
static const struct gg_realm *realm;

static struct gg_token_key who(const char *subject)
{
    return (struct gg_token_key){realm, gg_str_of(subject)};
}

/* 7 is connected, 7 and 8 have accounts; 7 has a row in every other table. */
static void set_up(void)
{
    stand_in_open(&s);
    realm = gg_realm(GG_REALM_MAIN);
    (void)stand_in_connect(&s, "access-7", 1000);
    database_run(
        s.ctx.db,
        "INSERT INTO users (id, tenant_id, microsoft_id) VALUES (7, 'tid', 'seven'),"
        " (8, 'tid', 'eight');"
        "INSERT INTO refresh_families VALUES ('f', 'c', 'main', '7', NOW() + INTERVAL 1 DAY),"
        " ('g', 'c', 'beta', '7', NOW() + INTERVAL 1 DAY);"
        "INSERT INTO session_codes VALUES ('h', 'main', '7', 'x', NOW() + INTERVAL 1 DAY);"
        "INSERT INTO login_states VALUES ('s', 'b', 'main', '7', 'x', NULL, NOW());"
        "INSERT INTO rate_limits VALUES ('calendar:main:7/60', 1, 1, 0, 1, NOW()),"
        " ('calendar:main:77/60', 1, 1, 0, 1, NOW()), ('calendar:beta:7/60', 1, 1, 0, 1, NOW())");
}

static void check_rows(const int64_t (*want)[GG_PEOPLE_PARTS])
{
    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        ck_assert_msg(people.rows[i] == (*want)[i], "%s: %lld",
                      gg_people_name((enum gg_people_part)i), (long long)people.rows[i]);
}

static const char *cell(const char *sql)
{
    return database_cell(s.ctx.db, s.arena, sql);
}

START_TEST(all_of_one_user)
{
    const int64_t all[GG_PEOPLE_PARTS] = {1, 1, 1, 1, 1, 1};
    const int64_t none[GG_PEOPLE_PARTS] = {0};

    set_up();
    ck_assert_msg(gg_people_count(&s.call, who("7"), &people, &s.err), "%s", s.err.log);
    check_rows(&all);
    ck_assert(people.is_ours && gg_people_has_identity(&people.account));
    ck_assert_msg(
        gg_people_drop(&s.call, (struct gg_people_delete){.who = who("7")}, &people, &s.err), "%s",
        s.err.log);
    check_rows(&all);
    ck_assert(gg_people_count(&s.call, who("7"), &people, &s.err));
    check_rows(&none);
    /* Others, and the other realm, keep theirs. */
    ck_assert_str_eq(cell("SELECT COUNT(*) FROM rate_limits"), "2");
    ck_assert_str_eq(cell("SELECT COUNT(*) FROM refresh_families"), "1");
    ck_assert_str_eq(cell("SELECT COUNT(*) FROM users"), "1");
    stand_in_close(&s);
}
END_TEST

static struct gg_people_merge merge(enum gg_people_identity identity)
{
    return (struct gg_people_merge){.from = who("7"), .into = who("8"), .identity = identity};
}

START_TEST(two_become_one)
{
    struct gg_people_merge m;
    struct gg_access access;

    set_up();
    m = merge(GG_PEOPLE_UNDECIDED);
    ck_assert(!gg_people_join(&s.call, &m, &people, &s.err));
    ck_assert_int_eq(s.err.code, GG_ECONFLICT);
    m = merge(GG_PEOPLE_FROM);
    m.is_dry_run = true;
    ck_assert(gg_people_join(&s.call, &m, &people, &s.err));
    ck_assert(m.moves_identity && m.moves_tokens);
    ck_assert_str_eq(cell("SELECT GROUP_CONCAT(id, microsoft_id ORDER BY id) FROM users"),
                     "7seven,8eight");
    m.is_dry_run = false;
    ck_assert_msg(gg_people_join(&s.call, &m, &people, &s.err), "%s", s.err.log);
    ck_assert_str_eq(cell("SELECT CONCAT(id, tenant_id, microsoft_id) FROM users"), "8tidseven");
    ck_assert_msg(gg_refresh_get(&s.call, who("8"), &access, &s.err), "%s", s.err.log);
    ck_assert_gg_str(gg_secret_reveal(access.token), "access-7");
    ck_assert(!gg_refresh_get(&s.call, who("7"), &access, &s.err));
    stand_in_close(&s);
}
END_TEST

START_TEST(what_stays)
{
    struct gg_people_merge m;

    set_up();
    m = merge(GG_PEOPLE_INTO);
    database_run(s.ctx.db, "UPDATE microsoft_oauth_tokens SET is_active = FALSE");
    ck_assert_msg(gg_people_join(&s.call, &m, &people, &s.err), "%s", s.err.log);
    ck_assert(!m.moves_identity && !m.moves_tokens);
    ck_assert_str_eq(cell("SELECT CONCAT(id, microsoft_id) FROM users"), "8eight");
    ck_assert_str_eq(cell("SELECT COUNT(*) FROM microsoft_oauth_tokens"), "0");
    /* Nobody to give it to. */
    m.from = who("8");
    m.into = who("9");
    m.identity = GG_PEOPLE_UNDECIDED;
    ck_assert(!gg_people_join(&s.call, &m, &people, &s.err));
    ck_assert_int_eq(s.err.code, GG_ENOTFOUND);
    stand_in_close(&s);
}
END_TEST

/* A row that says another's tokens are this one's gets no seal that says so too. */
START_TEST(what_is_not_sealed_does_not_move)
{
    static const char *const seals[] = {"NULL", "REPEAT('A', 43)"};

    for (size_t i = 0; i < COUNT(seals); i++) {
        struct gg_people_merge m;
        set_up();
        m = merge(GG_PEOPLE_FROM);
        database_run(
            s.ctx.db,
            gg_arena_printf(s.arena, "UPDATE microsoft_oauth_tokens SET seal = %s", seals[i]));
        ck_assert(!gg_people_join(&s.call, &m, &people, &s.err));
        ck_assert_ptr_nonnull(strstr(s.err.log, "seal"));
        ck_assert_str_eq(cell("SELECT user_id FROM microsoft_oauth_tokens"), "7");
        ck_assert_str_eq(cell("SELECT COUNT(*) FROM users"), "2");
        stand_in_close(&s);
    }
}
END_TEST

/* A merge that could not take all of the tokens along takes none. */
START_TEST(what_does_not_open_does_not_move)
{
    struct gg_people_merge m;
    struct gg_token row;
    struct gg_seals seals;

    set_up();
    m = merge(GG_PEOPLE_FROM);
    ck_assert(gg_token_find(gg_ctx_tokens(&s.ctx), s.arena, who("7"), &row, &s.err));
    row.ciphers.refresh_token = GG_STR("of another key");
    struct gg_seal_row sealed = {
        .realm = realm->name, .subject = GG_STR("7"), .ciphers = row.ciphers};
    ck_assert(gg_seal_make(&s.ctx.fernet, s.arena, &sealed, &seals, &s.err));
    database_run(s.ctx.db, gg_arena_printf(s.arena,
                                           "UPDATE microsoft_oauth_tokens SET"
                                           " refresh_token = 'of another key', seal = '%.*s'",
                                           GG_STR_ARG(seals.row)));
    ck_assert(!gg_people_join(&s.call, &m, &people, &s.err));
    ck_assert_int_eq(s.err.code, GG_ECONFLICT);
    ck_assert_ptr_nonnull(strstr(s.err.log, "does not decrypt"));
    ck_assert_str_eq(cell("SELECT user_id FROM microsoft_oauth_tokens"), "7");
    ck_assert_str_eq(cell("SELECT COUNT(*) FROM users"), "2");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/people", all_of_one_user, two_become_one, what_stays,
             what_is_not_sealed_does_not_move, what_does_not_open_does_not_move)
