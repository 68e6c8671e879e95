/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/session.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static const struct gg_secret code = {"the-code", 8};

static void set_up(void)
{
    struct gg_session session = {gg_realm(GG_REALM_MAIN), GG_STR("7")};
    struct gg_err err = {.code = GG_OK};

    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM session_codes");
    ck_assert_msg(gg_session_put(db, arena, code, &session, &err), "%s", err.log);
}

static enum gg_code take(struct gg_secret c, enum gg_realm_id realm, struct gg_str *subject)
{
    struct gg_session session = {.realm = gg_realm(realm)};
    struct gg_err err = {.code = GG_OK};
    bool ok = gg_session_take(db, arena, c, &session, &err);

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

GG_UNIT_MAIN("store/session", once, old_ones, a_race_has_one_winner)
