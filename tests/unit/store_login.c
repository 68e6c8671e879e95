/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/login.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};

static const struct gg_login_key key = {{"state-1", 7}, {"browser-1", 9}};

static struct gg_login_store store(void)
{
    return (struct gg_login_store){db, &fernet};
}

static void set_up(struct gg_str subject, struct gg_str return_to)
{
    struct gg_err err = {.code = GG_OK};
    struct gg_login login = {
        .realm = gg_realm(GG_REALM_BETA),
        .subject = subject,
        .nonce = {"the-nonce", 9},
        .code_verifier = {"the-verifier", 12},
        .return_to = return_to,
    };

    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM login_states");
    ck_assert_msg(gg_login_put(store(), arena, key, &login, &err), "%s", err.log);
}

static enum gg_code take(struct gg_login_key k, struct gg_login *login)
{
    struct gg_err err = {.code = GG_OK};

    return gg_login_take(store(), arena, k, login, &err) ? GG_OK : err.code;
}

START_TEST(once)
{
    struct gg_login login;

    set_up(GG_STR("7"), GG_STR("https://a.example/?x=\xc3\xa4"));
    ck_assert_int_eq(take(key, &login), GG_OK);
    ck_assert_ptr_eq(login.realm, gg_realm(GG_REALM_BETA));
    ck_assert_gg_str(login.subject, "7");
    ck_assert_gg_str(login.return_to, "https://a.example/?x=\xc3\xa4");
    ck_assert_gg_str(gg_secret_reveal(login.nonce), "the-nonce");
    ck_assert_gg_str(gg_secret_reveal(login.code_verifier), "the-verifier");
    ck_assert_int_eq(take(key, &login), GG_ESTATE);
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_absent_stays_absent)
{
    struct gg_login login;

    set_up((struct gg_str){NULL, 0}, (struct gg_str){NULL, 0});
    ck_assert_int_eq(take(key, &login), GG_OK);
    ck_assert_ptr_null(login.subject.p);
    ck_assert_ptr_null(login.return_to.p);
    gg_arena_close(arena);
}
END_TEST

/* A stranger with the state, or with the cookie, cannot use it, nor use it up. */
/* promise: attack/oauth: A flow that another browser finishes is refused and stores nothing, also
 * one that a backend began with a JWT (login CSRF) */
START_TEST(another_browser_does_not_fit)
{
    struct gg_login login;
    struct gg_login_key browser = {key.state, {"browser-2", 9}};
    struct gg_login_key state = {{"state-2", 7}, key.browser};

    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    ck_assert_int_eq(take(browser, &login), GG_ESTATE);
    ck_assert_int_eq(take(state, &login), GG_ESTATE);
    ck_assert_int_eq(take(key, &login), GG_OK);
    gg_arena_close(arena);
}
END_TEST

/* Who can write to the database cannot let somebody else's account be connected. */
/* mutant: src/store/login.c: login, hashes)) || => login, hashes)) || true || */
START_TEST(a_changed_row_is_no_state)
{
    static const char *const changes[] = {"subject = '8'", "subject = NULL", "subject = ''",
                                          "realm = 'main'", "sealed = REVERSE(sealed)"};
    struct gg_login login;

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        set_up(GG_STR("7"), (struct gg_str){NULL, 0});
        database_run(db, gg_arena_printf(arena, "UPDATE login_states SET %s", changes[i]));
        ck_assert_msg(take(key, &login) == GG_ESTATE, "%s", changes[i]);
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(secrets_are_not_in_the_table)
{
    static const char *const secrets[] = {"state-1", "browser-1", "the-nonce", "the-verifier"};

    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    const char *row = database_cell(
        db, arena, "SELECT CONCAT(state_hash, browser_hash, sealed) FROM login_states");
    for (size_t i = 0; i < 4; i++)
        ck_assert_ptr_null(strstr(row, secrets[i]));
    gg_arena_close(arena);
}
END_TEST

START_TEST(old_ones)
{
    struct gg_login login;
    uint64_t count;
    struct gg_err err;

    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    ck_assert_str_eq(database_cell(db, arena,
                                   "SELECT TIMESTAMPDIFF(SECOND, NOW(6), expires_at) BETWEEN 595"
                                   " AND 600 FROM login_states"),
                     "1");
    ck_assert(gg_login_sweep(db, arena, &count, &err) && count == 0);
    database_run(db, "UPDATE login_states SET expires_at = NOW(6)");
    ck_assert_int_eq(take(key, &login), GG_ESTATE);
    gg_arena_close(arena);
    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    database_run(db, "UPDATE login_states SET expires_at = NOW(6)");
    ck_assert(gg_login_sweep(db, arena, &count, &err) && count == 1);
    gg_arena_close(arena);
}
END_TEST

START_TEST(another_key_cannot_open_it)
{
    struct gg_login login;

    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    fernet.keys[0][0] = 99;
    ck_assert_int_eq(take(key, &login), GG_ESTATE);
    gg_arena_close(arena);
}
END_TEST

static int race(void *arg, int n)
{
    struct gg_login login;

    (void)arg;
    (void)n;
    arena = gg_arena_open();
    db = database_open(arena);
    bool won = take(key, &login) == GG_OK;
    gg_arena_close(arena);
    return won ? 1 : 0;
}

START_TEST(a_race_has_one_winner)
{
    set_up(GG_STR("7"), (struct gg_str){NULL, 0});
    ck_assert_int_eq(database_run_processes(8, race, NULL), 1);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/login", once, what_is_absent_stays_absent, another_browser_does_not_fit,
             a_changed_row_is_no_state, secrets_are_not_in_the_table, old_ones,
             another_key_cannot_open_it, a_race_has_one_winner)
