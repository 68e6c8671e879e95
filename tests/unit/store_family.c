/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/family.h"

#define FAMILY "FFFFFFFFFFFFFFFFFFFFFF"
#define FIRST  "aaaaaaaaaaaaaaaaaaaaaa"
#define SECOND "bbbbbbbbbbbbbbbbbbbbbb"
#define THIRD  "cccccccccccccccccccccc"

static struct gg_arena *arena;
static struct gg_db *db;

static struct gg_family family(const char *token_id)
{
    return (struct gg_family){
        .realm = gg_realm(GG_REALM_MAIN),
        .subject = GG_STR("7"),
        .family_id = GG_STR(FAMILY),
        .token_id = gg_str_of(token_id),
        .ttl_s = 60,
    };
}

static void set_up(void)
{
    struct gg_family first = family(FIRST);
    struct gg_err err;

    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM refresh_families");
    ck_assert(gg_family_put(db, arena, &first, &err));
}

static bool was_spent; /* of the last rotation */

static bool rotate(struct gg_family f, const char *next)
{
    struct gg_err err = {.code = GG_OK};
    bool ok = gg_family_rotate(db, arena, &f, gg_str_of(next), &err);

    ck_assert_msg(ok || err.code == GG_EINVALIDTOKEN, "%s", err.log);
    was_spent = f.was_spent;
    return ok;
}

static const char *current(void)
{
    return database_cell(db, arena, "SELECT GROUP_CONCAT(current_id) FROM refresh_families");
}

START_TEST(each_token_once)
{
    set_up();
    ck_assert(rotate(family(FIRST), SECOND));
    ck_assert(rotate(family(SECOND), THIRD));
    ck_assert_str_eq(current(), THIRD);
    gg_arena_close(arena);
}
END_TEST

/* promise: attack/jwt: A spent refresh token used again ends its whole family, the newest one
 * included */
START_TEST(a_spent_one_ends_the_family)
{
    set_up();
    ck_assert(rotate(family(FIRST), SECOND));
    ck_assert(!was_spent);
    ck_assert(!rotate(family(FIRST), THIRD));
    ck_assert(was_spent);
    ck_assert_str_eq(current(), "NULL");
    ck_assert(!rotate(family(SECOND), THIRD)); /* the newest, too */
    ck_assert(!was_spent);
    gg_arena_close(arena);
}
END_TEST

START_TEST(others_do_not_fit)
{
    struct gg_family other;

    set_up();
    other = family(FIRST);
    other.realm = gg_realm(GG_REALM_BETA);
    ck_assert(!rotate(other, SECOND));
    gg_arena_close(arena);
    set_up();
    other = family(FIRST);
    other.subject = GG_STR("8");
    ck_assert(!rotate(other, SECOND));
    gg_arena_close(arena);
    set_up();
    other = family(FIRST);
    other.family_id = GG_STR("ffffffffffffffffffffff"); /* case counts */
    ck_assert(!rotate(other, SECOND));
    ck_assert_str_eq(current(), FIRST); /* somebody else's is left alone */
    gg_arena_close(arena);
}
END_TEST

START_TEST(old_ones_have_ended)
{
    uint64_t count;
    struct gg_err err;

    set_up();
    ck_assert(gg_family_sweep(db, arena, &count, &err));
    ck_assert_uint_eq(count, 0);
    database_run(db, "UPDATE refresh_families SET expires_at = NOW(6)");
    ck_assert(!rotate(family(FIRST), SECOND) && !was_spent);
    ck_assert(!rotate(family(SECOND), THIRD) && !was_spent);
    gg_arena_close(arena);
    set_up();
    database_run(db, "UPDATE refresh_families SET expires_at = NOW(6)");
    ck_assert(gg_family_sweep(db, arena, &count, &err));
    ck_assert_uint_eq(count, 1);
    gg_arena_close(arena);
}
END_TEST

static int race(void *arg, int n)
{
    struct gg_family f = family(FIRST);

    (void)arg;
    arena = gg_arena_open();
    db = database_open(arena);
    bool won = rotate(f, gg_arena_printf(arena, "%022d", n));
    gg_arena_close(arena);
    return won ? 1 : 0;
}

/* One of them got the next token; but since the others used a spent one, the family has ended. */
START_TEST(a_race_has_one_winner)
{
    set_up();
    ck_assert_int_eq(database_run_processes(8, race, NULL), 1);
    ck_assert_str_eq(current(), "NULL");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/family", each_token_once, a_spent_one_ends_the_family, others_do_not_fit,
             old_ones_have_ended, a_race_has_one_winner)
