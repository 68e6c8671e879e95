/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/pair.h"

static struct stand_in s;
static struct gg_account account;

static void set_up(void)
{
    const struct gg_identity identity = {GG_STR("t"), GG_STR("o"), GG_STR("a@b"), GG_STR("A")};

    stand_in_open(&s);
    s.conf.jwt_issuer = "me";
    s.conf.jwt_audience = "you";
    ck_assert(gg_account_put((struct gg_account_store){s.ctx.db, gg_realm(GG_REALM_MAIN)}, s.arena,
                             &identity, &account, &s.err));
}

static enum gg_code check(struct gg_str token, struct gg_caller *caller)
{
    s.err = (struct gg_err){.code = GG_OK};
    return gg_pair_check(&s.call, gg_secret_of(token), caller, &s.err) ? GG_OK : s.err.code;
}

static enum gg_code rotate(struct gg_str token, enum gg_realm_id realm, struct gg_pair *next)
{
    struct gg_pair_claim claim;

    s.err = (struct gg_err){.code = GG_OK};
    return gg_pair_check_refresh(&s.call, gg_realm(realm), gg_secret_of(token), &claim, &s.err) &&
                   gg_pair_rotate(&s.call, &claim, next, &s.err)
               ? GG_OK
               : s.err.code;
}

START_TEST(what_is_signed_is_accepted)
{
    struct gg_pair pair;
    struct gg_caller caller;

    set_up();
    ck_assert(gg_pair_issue(&s.call, gg_realm(GG_REALM_MAIN), &account, &pair, &s.err));
    ck_assert_int_eq(check(pair.access_token, &caller), GG_OK);
    ck_assert_ptr_eq(caller.realm, gg_realm(GG_REALM_MAIN));
    ck_assert(gg_str_is_equal(caller.subject, account.id) && !caller.is_admin);
    ck_assert_gg_str(caller.email, "a@b");
    ck_assert_int_eq(check(pair.refresh_token, &caller), GG_EINVALIDTOKEN);
    s.conf.jwt_issuer = "another";
    ck_assert_int_eq(check(pair.access_token, &caller), GG_EINVALIDTOKEN);
    s.conf.jwt_issuer = "me";
    s.conf.jwt_audience = "another";
    ck_assert_int_eq(check(pair.access_token, &caller), GG_EINVALIDTOKEN);
    stand_in_close(&s);
}
END_TEST

START_TEST(callers)
{
    static const struct {
        const char *claims;
        bool good;
        bool is_admin;
    } cases[] = {
        {"{\"sub\":\"7\",\"exp\":4102444800}", true, false},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"type\":\"user\",\"scopes\":[\"x\",\"admin\"]}", true,
         true},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"scope\":\"x admin\"}", true, true},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"scope\":\"administrator\"}", true, false},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"type\":\"admin\"}", false, false},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"type\":1}", false, false},
        {"{\"sub\":\"0\",\"exp\":4102444800}", false, false},
        {"{\"sub\":\"-1\",\"exp\":4102444800}", false, false},
        {"{\"sub\":\"9223372036854775808\",\"exp\":4102444800}", false, false},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"type\":\"teacher\"}", false, false},
        {"{\"sub\":\"11111111-2222-4333-8444-555555555555\",\"exp\":4102444800,\"type\":"
         "\"teacher\"}",
         true, false},
        {"{\"exp\":4102444800}", false, false},
        {"{\"sub\":\"7\"}", false, false},
        {"{\"sub\":\"7\",\"exp\":1}", false, false},
        {"{\"sub\":\"7\",\"exp\":4102444800,\"use\":\"refresh\"}", false, false},
    };
    struct gg_caller caller;
    struct gg_str token;

    stand_in_open(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(gg_jwt_sign(s.arena, s.ctx.jwt_key, gg_str_of(cases[i].claims), &token, &s.err));
        ck_assert_msg((check(token, &caller) == GG_OK) == cases[i].good, "%s", cases[i].claims);
        if (cases[i].good)
            ck_assert_msg(caller.is_admin == cases[i].is_admin, "%s", cases[i].claims);
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(a_refresh_token_once)
{
    struct gg_pair first;
    struct gg_pair second;
    struct gg_pair third;

    set_up();
    ck_assert(gg_pair_issue(&s.call, gg_realm(GG_REALM_MAIN), &account, &first, &s.err));
    ck_assert_int_eq(rotate(first.access_token, GG_REALM_MAIN, &second), GG_EINVALIDTOKEN);
    ck_assert_int_eq(rotate(first.refresh_token, GG_REALM_BETA, &second), GG_EINVALIDTOKEN);
    ck_assert_int_eq(rotate(first.refresh_token, GG_REALM_MAIN, &second), GG_OK);
    ck_assert(!gg_str_is_equal(first.refresh_token, second.refresh_token));
    /* Spent and used again: the whole family ends. */
    ck_assert_int_eq(rotate(first.refresh_token, GG_REALM_MAIN, &third), GG_EINVALIDTOKEN);
    ck_assert_int_eq(rotate(second.refresh_token, GG_REALM_MAIN, &third), GG_EINVALIDTOKEN);
    /* An account that is gone gets none. */
    ck_assert(gg_pair_issue(&s.call, gg_realm(GG_REALM_MAIN), &account, &first, &s.err));
    database_run(s.ctx.db, "DELETE FROM users");
    ck_assert_int_eq(rotate(first.refresh_token, GG_REALM_MAIN, &second), GG_EINVALIDTOKEN);
    stand_in_close(&s);
}
END_TEST

START_TEST(session_codes)
{
    struct gg_str code;
    struct gg_pair pair;
    struct gg_caller caller;

    set_up();
    const struct gg_realm *realm = gg_realm(GG_REALM_MAIN);
    ck_assert(gg_pair_make_code(&s.call, realm, &account, &code, &s.err));
    ck_assert_uint_eq(code.n, 43);
    ck_assert(
        !gg_pair_exchange(&s.call, gg_realm(GG_REALM_BETA), gg_secret_of(code), &pair, &s.err));
    ck_assert_int_eq(s.err.code, GG_ESESSIONCODE);
    ck_assert(gg_pair_exchange(&s.call, realm, gg_secret_of(code), &pair, &s.err));
    ck_assert_int_eq(check(pair.access_token, &caller), GG_OK);
    ck_assert_gg_str(pair.account.identity.microsoft_id, "o");
    ck_assert(!gg_pair_exchange(&s.call, realm, gg_secret_of(code), &pair, &s.err));
    ck_assert_int_eq(s.err.code, GG_ESESSIONCODE);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/pair", what_is_signed_is_accepted, callers, a_refresh_token_once, session_codes)
