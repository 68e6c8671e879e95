/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/session.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static const struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};
static const struct gg_secret code = {"the-code", 8};

static struct gg_session_store store(void)
{
    return (struct gg_session_store){db, &fernet};
}

static void set_up(void)
{
    struct gg_session session = {gg_realm(GG_REALM_MAIN), GG_STR("7")};
    struct gg_err err = {.code = GG_OK};

    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM session_codes");
    ck_assert_msg(gg_session_put(store(), arena, code, &session, &err), "%s", err.log);
}

static enum gg_code take(struct gg_secret c, enum gg_realm_id realm, struct gg_str *subject)
{
    struct gg_session session = {.realm = gg_realm(realm)};
    struct gg_err err = {.code = GG_OK};
    bool ok = gg_session_take(store(), arena, c, &session, &err);

    *subject = session.subject;
    return ok ? GG_OK : err.code;
}

START_TEST(once)
{
    struct gg_str subject;

    set_up();
    ck_assert_int_eq(take((struct gg_secret){"the-codE", 8}, GG_REALM_MAIN, &subject),
                     GG_ESESSIONCODE);
    ck_assert_int_eq(take(code, GG_REALM_BETA, &subject), GG_ESESSIONCODE);
    ck_assert_int_eq(take(code, GG_REALM_MAIN, &subject), GG_OK);
    ck_assert_gg_str(subject, "7");
    ck_assert_int_eq(take(code, GG_REALM_MAIN, &subject), GG_ESESSIONCODE);
    gg_arena_close(arena);
}
END_TEST

/* Who can write to the database cannot make a code another user's, nor one of his own. */
/* mutant: src/store/session.c: !gg_secret_is_equal(owner, => (false && !gg_secret_is_equal(owner,
 */
START_TEST(a_changed_row_is_no_code)
{
    static const char *const changes[] = {
        "subject = '8'",
        "realm = 'beta'",
        "sealed = NULL",
        "sealed = REVERSE(sealed)",
    };
    struct gg_str subject;

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        set_up();
        database_run(db, gg_arena_printf(arena, "UPDATE session_codes SET %s", changes[i]));
        ck_assert_msg(take(code, GG_REALM_MAIN, &subject) == GG_ESESSIONCODE, "%s", changes[i]);
        ck_assert_msg(take(code, GG_REALM_BETA, &subject) == GG_ESESSIONCODE, "%s", changes[i]);
        gg_arena_close(arena);
    }
}
END_TEST

/* The seal of one code is none for another. */
START_TEST(a_seal_is_its_codes)
{
    const struct gg_secret other = {"another-code", 12};
    struct gg_session session = {gg_realm(GG_REALM_MAIN), GG_STR("7")};
    struct gg_str subject;
    struct gg_err err;

    set_up();
    const char *seal = database_cell(db, arena, "SELECT sealed FROM session_codes");
    ck_assert(gg_session_put(store(), arena, other, &session, &err));
    database_run(db, gg_arena_printf(arena, "UPDATE session_codes SET sealed = '%s'", seal));
    ck_assert_int_eq(take(other, GG_REALM_MAIN, &subject), GG_ESESSIONCODE);
    ck_assert_int_eq(take(code, GG_REALM_MAIN, &subject), GG_OK);
    gg_arena_close(arena);
}
END_TEST

START_TEST(old_ones)
{
    struct gg_str subject;
    uint64_t count;
    struct gg_err err;

    set_up();
    ck_assert_str_eq(database_cell(db, arena,
                                   "SELECT TIMESTAMPDIFF(SECOND, NOW(6), expires_at) BETWEEN 55 AND"
                                   " 60 FROM session_codes"),
                     "1");
    ck_assert_ptr_null(
        strstr(database_cell(db, arena, "SELECT code_hash FROM session_codes"), "the-code"));
    ck_assert(gg_session_sweep(db, arena, &count, &err) && count == 0);
    database_run(db, "UPDATE session_codes SET expires_at = NOW(6)");
    ck_assert_int_eq(take(code, GG_REALM_MAIN, &subject), GG_ESESSIONCODE);
    gg_arena_close(arena);
    set_up();
    database_run(db, "UPDATE session_codes SET expires_at = NOW(6)");
    ck_assert(gg_session_sweep(db, arena, &count, &err) && count == 1);
    gg_arena_close(arena);
}
END_TEST

static int race(void *arg, int n)
{
    struct gg_str subject;

    (void)arg;
    (void)n;
    arena = gg_arena_open();
    db = database_open(arena);
    bool won = take(code, GG_REALM_MAIN, &subject) == GG_OK;
    gg_arena_close(arena);
    return won ? 1 : 0;
}

START_TEST(a_race_has_one_winner)
{
    set_up();
    ck_assert_int_eq(database_run_processes(8, race, NULL), 1);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/session", once, a_changed_row_is_no_code, a_seal_is_its_codes, old_ones,
             a_race_has_one_winner)
