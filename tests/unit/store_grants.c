/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/grants.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_db *little; /* as the account of with_mariadb.py that may do little */

static void set_up(void)
{
    struct gg_db_address *address;

    arena = gg_arena_open();
    db = database_open(arena);
    address = gg_arena_alloc(arena, sizeof *address);
    *address = *database_address();
    address->user = getenv("GG_TEST_DB_LITTLE_USER");
    address->password = getenv("GG_TEST_DB_LITTLE_PASSWORD");
    ck_assert_ptr_nonnull(address->user);
    little = gg_db_open(address);
}

static void tear_down(void)
{
    gg_db_close(little);
    gg_arena_close(arena);
}

static bool may(const char *table, enum gg_grant grant)
{
    struct gg_err err = {.code = GG_OK};
    bool answer = false;

    ck_assert_msg(gg_grants_try(little, arena, (struct gg_grants_try){table, grant}, &answer, &err),
                  "%s", err.log);
    return answer;
}

START_TEST(single_privileges)
{
    set_up();
    ck_assert(may("grants_remove", GG_GRANT_SELECT) && may("grants_remove", GG_GRANT_DELETE));
    ck_assert(!may("grants_remove", GG_GRANT_INSERT) && !may("grants_remove", GG_GRANT_UPDATE));
    ck_assert(may("grants_change", GG_GRANT_INSERT) && may("grants_change", GG_GRANT_UPDATE));
    ck_assert(!may("grants_change", GG_GRANT_DELETE));
    for (int g = 0; g < GG_GRANTS; g++)
        ck_assert_msg(!may("grants_nothing", (enum gg_grant)g), "%s",
                      gg_grants_word((enum gg_grant)g));
    /* And nothing was done. */
    ck_assert_str_eq(database_cell(db, arena, "SELECT GROUP_CONCAT(a, b) FROM grants_remove"),
                     "12");
    ck_assert_str_eq(database_cell(db, arena, "SELECT GROUP_CONCAT(a, b) FROM grants_change"),
                     "12");
    tear_down();
}
END_TEST

START_TEST(no_such_table)
{
    struct gg_err err;
    bool answer = true;

    set_up();
    ck_assert(!gg_grants_try(db, arena, (struct gg_grants_try){"grants_none", GG_GRANT_SELECT},
                             &answer, &err));
    ck_assert(!answer && !gg_grants_is_denied(&err));
    tear_down();
}
END_TEST

START_TEST(wide_ones)
{
    struct gg_err err;
    struct gg_str list;

    set_up();
    ck_assert(gg_grants_find_wide(little, arena, &list, &err));
    ck_assert_gg_str(list, "ALTER");
    ck_assert(gg_grants_find_wide(db, arena, &list, &err));
    ck_assert_ptr_nonnull(strstr(list.p, "CREATE, "));
    tear_down();
}
END_TEST

GG_UNIT_MAIN("store/grants", single_privileges, no_such_table, wide_ones)
