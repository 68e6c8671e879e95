/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/account.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM users; DELETE FROM beta_teachers");
}

static struct gg_account_store store(enum gg_realm_id realm)
{
    return (struct gg_account_store){db, gg_realm(realm)};
}

static struct gg_account put(enum gg_realm_id realm, struct gg_identity identity)
{
    struct gg_account account;
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_account_put(store(realm), arena, &identity, &account, &err), "%s", err.log);
    ck_assert(account.found);
    return account;
}

static const struct gg_identity ann = {
    {"tenant-1", 8}, {"object-1", 8}, {"ann@a.example", 13}, {"Ann \xc3\x84", 6}};

START_TEST(one_account_for_one_identity)
{
    struct gg_account account;
    struct gg_err err;

    set_up();
    for (int realm = 0; realm < GG_REALMS; realm++) {
        struct gg_account first = put((enum gg_realm_id)realm, ann);
        struct gg_account again = put((enum gg_realm_id)realm, ann);
        struct gg_str id;
        ck_assert(gg_realm((enum gg_realm_id)realm)->parse_subject(arena, first.id, &id));
        ck_assert(gg_str_is_equal(first.id, again.id));
        ck_assert_gg_str(again.identity.full_name, "Ann \xc3\x84");
        ck_assert(gg_account_find(store((enum gg_realm_id)realm), arena, first.id, &account, &err));
        ck_assert(account.found && gg_str_is_equal(account.id, first.id));
        ck_assert_gg_str(account.identity.tenant_id, "tenant-1");
        ck_assert_gg_str(account.identity.microsoft_id, "object-1");
        ck_assert_gg_str(account.identity.email, "ann@a.example");
    }
    gg_arena_close(arena);
}
END_TEST

/* Another tenant's or object's is another account, whatever its e-mail says. */
START_TEST(the_email_is_no_key)
{
    struct gg_identity tenant = ann;
    struct gg_identity object = ann;

    set_up();
    tenant.tenant_id = GG_STR("tenant-2");
    object.microsoft_id = GG_STR("OBJECT-1");
    struct gg_str one = put(GG_REALM_MAIN, ann).id;
    struct gg_str two = put(GG_REALM_MAIN, tenant).id;
    struct gg_str three = put(GG_REALM_MAIN, object).id;
    ck_assert(!gg_str_is_equal(one, two) && !gg_str_is_equal(one, three) &&
              !gg_str_is_equal(two, three));
    gg_arena_close(arena);
}
END_TEST

START_TEST(email_and_name_follow)
{
    struct gg_identity moved = ann;
    struct gg_account account;
    struct gg_err err;

    set_up();
    struct gg_str id = put(GG_REALM_MAIN, ann).id;
    moved.email = GG_STR("new@a.example");
    moved.full_name = (struct gg_str){NULL, 0};
    ck_assert(gg_account_find_identity(store(GG_REALM_MAIN), arena, &moved, &account, &err));
    ck_assert(account.found && gg_str_is_equal(account.id, id));
    ck_assert_gg_str(account.identity.email, "new@a.example");
    ck_assert(gg_account_find(store(GG_REALM_MAIN), arena, id, &account, &err));
    ck_assert_gg_str(account.identity.email, "new@a.example");
    ck_assert_ptr_null(account.identity.full_name.p);
    gg_arena_close(arena);
}
END_TEST

START_TEST(unknown_ones_are_not_made)
{
    struct gg_account account;
    struct gg_err err;

    set_up();
    ck_assert(gg_account_find_identity(store(GG_REALM_MAIN), arena, &ann, &account, &err));
    ck_assert(!account.found);
    struct gg_str id = put(GG_REALM_MAIN, ann).id;
    ck_assert(gg_account_find_identity(store(GG_REALM_BETA), arena, &ann, &account, &err));
    ck_assert(!account.found); /* the other realm's are not looked at */
    ck_assert(gg_account_find(store(GG_REALM_MAIN), arena, GG_STR("9223372036854775807"), &account,
                              &err));
    ck_assert(!account.found);
    ck_assert(gg_account_find(store(GG_REALM_BETA), arena, id, &account, &err) && !account.found);
    gg_arena_close(arena);
}
END_TEST

static int sign_in(void *arg, int n)
{
    (void)arg;
    (void)n;
    arena = gg_arena_open();
    db = database_open(arena);
    bool has_id = put(GG_REALM_BETA, ann).id.n == 36;
    gg_arena_close(arena);
    return has_id ? 1 : 0;
}

START_TEST(sign_ins_at_once_share_one)
{
    set_up();
    ck_assert_int_eq(database_run_processes(8, sign_in, NULL), 8);
    ck_assert_str_eq(database_cell(db, arena, "SELECT COUNT(*) FROM beta_teachers"), "1");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/account", one_account_for_one_identity, the_email_is_no_key,
             email_and_name_follow, unknown_ones_are_not_made, sign_ins_at_once_share_one)
