/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/keys.h"

#include <stdlib.h>
#include <string.h>

static struct gg_arena *arena;
static struct gg_err err;
static struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};
static struct gg_keys_store store;

static void set_up(void)
{
    arena = gg_arena_open();
    store = (struct gg_keys_store){database_open(arena), &fernet, GG_STR("https://l/t/")};
    database_run(store.db, "DELETE FROM signing_keys");
}

static bool take_after(const struct gg_keys *keys)
{
    bool taken = false;

    ck_assert_msg(gg_keys_take_turn(store, arena, keys, &taken, &err), "%s", err.log);
    return taken;
}

static void put(const char *text, bool is_fruitless)
{
    struct gg_keys_answer answer = {gg_str_of(text), is_fruitless};

    ck_assert_msg(gg_keys_put(store, arena, &answer, &err), "%s", err.log);
}

static struct gg_keys find(void)
{
    struct gg_keys keys;

    ck_assert_msg(gg_keys_find(store, arena, &keys, &err), "%s", err.log);
    return keys;
}

static bool take(void)
{
    struct gg_keys keys = find();

    return take_after(&keys);
}

START_TEST(one_asks_and_all_read)
{
    set_up();
    ck_assert_ptr_null(find().text.p);
    ck_assert(take());
    ck_assert(!take());
    ck_assert_ptr_null(find().text.p);
    put("issuer\n{}", false);
    ck_assert_gg_str(find().text, "issuer\n{}");
    ck_assert(find().age_ms >= 0 && find().age_ms < 20000);
    ck_assert(!find().is_closed);
    ck_assert(take());
    ck_assert(gg_keys_drop_turn(store, arena, &err));
    ck_assert(take());
    gg_arena_close(arena);
}
END_TEST

/* Who looked before another's answer came in looks again, and does not ask. */
START_TEST(no_turn_after_a_change)
{
    set_up();
    struct gg_keys none = find();
    ck_assert(take());
    put("a", false);
    ck_assert(!take_after(&none));
    struct gg_keys first = find();
    ck_assert(take_after(&first));
    put("a", false);
    ck_assert(!take_after(&first));
    ck_assert(take());
    gg_arena_close(arena);
}
END_TEST

/* A worker that was killed in its turn holds up nobody for long. */
START_TEST(turns_end_by_themselves)
{
    set_up();
    ck_assert(take());
    ck_assert_str_eq(database_cell(store.db, arena,
                                   "SELECT TIMESTAMPDIFF(SECOND, NOW(6), asking_until) BETWEEN 10"
                                   " AND 20 FROM signing_keys"),
                     "1");
    database_run(store.db, "UPDATE signing_keys SET asking_until = NOW(6)");
    ck_assert(take());
    gg_arena_close(arena);
}
END_TEST

START_TEST(unknown_ids_close_it_for_a_while)
{
    set_up();
    ck_assert(take());
    put("a", true);
    ck_assert(find().is_closed);
    ck_assert_str_eq(database_cell(store.db, arena,
                                   "SELECT TIMESTAMPDIFF(SECOND, NOW(6), unknown_until) BETWEEN 20"
                                   " AND 30 FROM signing_keys"),
                     "1");
    database_run(store.db, "UPDATE signing_keys SET unknown_until = NOW(6)");
    ck_assert(!find().is_closed);
    ck_assert(take());
    put("a", false);
    ck_assert(!find().is_closed);
    gg_arena_close(arena);
}
END_TEST

/* Neither another key nor another text in its place is taken for a set. */
/* promise: attack/oauth: Who can write to the database cannot say which keys sign ID tokens: the
 * shared key set is sealed */
START_TEST(sealed)
{
    static const struct gg_fernet other = {.count = 1, .keys = {{9}}};

    set_up();
    ck_assert(take());
    put("the-text", false);
    ck_assert_ptr_null(
        strstr(database_cell(store.db, arena, "SELECT sealed FROM signing_keys"), "the-text"));
    store.fernet = &other;
    ck_assert_ptr_null(find().text.p);
    store.fernet = &fernet;
    ck_assert_gg_str(find().text, "the-text");
    database_run(store.db, "UPDATE signing_keys SET sealed = 'the-text'");
    ck_assert_ptr_null(find().text.p);
    store.source = GG_STR("https://l/other/");
    ck_assert_ptr_null(find().text.p);
    ck_assert(take());
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_too_long_is_not_shared)
{
    char *text;

    set_up();
    text = gg_arena_alloc(arena, 200001);
    memset(text, 'x', 200000);
    ck_assert(take());
    put(text, true);
    ck_assert_ptr_null(find().text.p);
    ck_assert(find().is_closed);
    ck_assert(take());
    gg_arena_close(arena);
}
END_TEST

static int race(void *arg, int n)
{
    (void)arg;
    (void)n;
    arena = gg_arena_open();
    store.db = database_open(arena);
    bool won = take();
    gg_arena_close(arena);
    return won ? 1 : 0;
}

/* promise: attack/oauth: Unknown key ids cost one fetch of the keys in half a minute, for all
 * workers and hosts together */
START_TEST(a_race_has_one_winner)
{
    set_up();
    ck_assert_int_eq(database_run_processes(8, race, NULL), 1);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/keys", one_asks_and_all_read, no_turn_after_a_change, turns_end_by_themselves,
             unknown_ids_close_it_for_a_while, sealed, what_is_too_long_is_not_shared,
             a_race_has_one_winner)
