/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/realm.h"

START_TEST(rows_are_the_contracts)
{
    const struct gg_realm *main_realm = gg_realm(GG_REALM_MAIN);
    const struct gg_realm *beta = gg_realm(GG_REALM_BETA);

    ck_assert_str_eq(main_realm->prefix, "/api/v1");
    ck_assert_str_eq(main_realm->jwt_type, "user");
    ck_assert_str_eq(main_realm->token_table, "microsoft_oauth_tokens");
    ck_assert_str_eq(main_realm->key_column, "user_id");
    ck_assert_str_eq(main_realm->user_table, "users");
    ck_assert_str_eq(beta->prefix, "/api/v1/beta");
    ck_assert_str_eq(beta->jwt_type, "teacher");
    ck_assert_str_eq(beta->token_table, "beta_microsoft_oauth_tokens");
    ck_assert_str_eq(beta->key_column, "teacher_id");
    ck_assert_str_eq(beta->user_table, "beta_teachers");
}
END_TEST

START_TEST(finding)
{
    ck_assert_ptr_eq(gg_realm_find_type(GG_STR("user")), gg_realm(GG_REALM_MAIN));
    ck_assert_ptr_eq(gg_realm_find_type(GG_STR("teacher")), gg_realm(GG_REALM_BETA));
    ck_assert_ptr_null(gg_realm_find_type(GG_STR("User")));
    ck_assert_ptr_null(gg_realm_find_type(GG_STR("user\0")));
    ck_assert_ptr_null(gg_realm_find_type((struct gg_str){NULL, 0}));
    for (int i = 0; i < GG_REALMS; i++) {
        const struct gg_realm *realm = gg_realm((enum gg_realm_id)i);
        ck_assert_int_eq(realm->id, i);
        ck_assert_ptr_eq(gg_realm_find_name(gg_str_of(realm->name)), realm);
    }
    ck_assert_ptr_null(gg_realm_find_name(GG_STR("")));
}
END_TEST

START_TEST(subjects)
{
    static const struct {
        enum gg_realm_id realm;
        const char *in;
        const char *out; /* NULL: refused */
    } cases[] = {
        {GG_REALM_MAIN, "1", "1"},
        {GG_REALM_MAIN, "9223372036854775807", "9223372036854775807"},
        {GG_REALM_MAIN, "9223372036854775808", NULL},
        {GG_REALM_MAIN, "0", NULL},
        {GG_REALM_MAIN, "01", NULL},
        {GG_REALM_MAIN, "-1", NULL},
        {GG_REALM_MAIN, "1.0", NULL},
        {GG_REALM_MAIN, " 1", NULL},
        {GG_REALM_MAIN, "", NULL},
        {GG_REALM_MAIN, "9188040d-6c67-4c5b-b112-36a304b66dad", NULL},
        {GG_REALM_BETA, "9188040d-6c67-4c5b-b112-36a304b66dad",
         "9188040d-6c67-4c5b-b112-36a304b66dad"},
        {GG_REALM_BETA, "9188040D-6C67-4C5B-B112-36A304B66DAD",
         "9188040d-6c67-4c5b-b112-36a304b66dad"},
        {GG_REALM_BETA, "9188040d6c674c5bb11236a304b66dad", NULL},
        {GG_REALM_BETA, "1", NULL},
        {GG_REALM_BETA, "", NULL},
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gg_str out = {NULL, 0};
        bool good = gg_realm(cases[i].realm)->parse_subject(a, gg_str_of(cases[i].in), &out);
        ck_assert_msg(good == (cases[i].out != NULL), "\"%s\"", cases[i].in);
        if (good)
            ck_assert_gg_str(out, cases[i].out);
    }
    gg_arena_close(a);
}
END_TEST

START_TEST(filling)
{
    static const char sql[] = "SELECT {key}, {x}, { FROM {table}, {users} WHERE {key}={subject}"
                              " AND id={new_id}";
    struct gg_arena *a = gg_arena_open();

    ck_assert_gg_str(gg_realm_fill(a, gg_realm(GG_REALM_MAIN), sql),
                     "SELECT user_id, {x}, { FROM microsoft_oauth_tokens, users WHERE"
                     " user_id=CAST(? AS SIGNED) AND id=DEFAULT");
    ck_assert_gg_str(gg_realm_fill(a, NULL, "{table}-"), "-");
    ck_assert_gg_str(gg_realm_fill(a, gg_realm(GG_REALM_BETA), ""), "");
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("base/realm", rows_are_the_contracts, finding, subjects, filling)
