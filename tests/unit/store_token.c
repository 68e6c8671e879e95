/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/token.h"

#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};
static struct gg_token_key key;

static struct gg_token_store store(void)
{
    return (struct gg_token_store){.db = db, .fernet = &fernet};
}

static void connect_again(const char *access)
{
    struct gg_err err = {.code = GG_OK};
    struct gg_token_connect connect = {
        .set =
            {
                .access_token = gg_secret_of(gg_str_of(access)),
                .refresh_token = {"refresh-1", 9},
                .scope = GG_STR("a b"),
                .expires_in_s = 1000,
            },
        .owner = {GG_STR("oid"), GG_STR("a@b"), GG_STR("tid")},
    };

    ck_assert_msg(gg_token_put(store(), arena, key, &connect, &err), "%s", err.log);
}

static void set_up_in(enum gg_realm_id realm)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM microsoft_oauth_tokens; DELETE FROM beta_microsoft_oauth_tokens");
    key =
        (struct gg_token_key){gg_realm(realm), realm == GG_REALM_MAIN ? GG_STR("7") : GG_STR(UUID)};
    connect_again("access-1");
}

static void set_up(void)
{
    set_up_in(GG_REALM_MAIN);
}

static struct gg_token find(void)
{
    struct gg_token token;
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_token_find(store(), arena, key, &token, &err), "%s", err.log);
    return token;
}

static void check_opens(struct gg_token token, const char *plain)
{
    struct gg_secret out;
    struct gg_err err;

    ck_assert(gg_token_open(store(), arena, &token, &out, &err));
    ck_assert_gg_str(gg_secret_reveal(out), plain);
}

static struct gg_token_lease take(const struct gg_token *token)
{
    struct gg_token_lease lease;
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_token_take_lease(store(), arena, token, &lease, &err), "%s", err.log);
    return lease;
}

static void end_lease(struct gg_token_end *end)
{
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_token_end_lease(store(), arena, key, end, &err), "%s", err.log);
}

START_TEST(rows_come_back)
{
    for (int realm = 0; realm < GG_REALMS; realm++) {
        set_up_in((enum gg_realm_id)realm);
        struct gg_token token = find();
        ck_assert(token.found && token.is_active && !token.is_leased &&
                  token.ciphers.refresh_token.p != NULL);
        ck_assert(token.left_s > 990 && token.left_s <= 1000);
        ck_assert(token.wants_touch && token.last_used_at_s == -1);
        ck_assert_ptr_null(token.failure.p);
        ck_assert_gg_str(token.owner.microsoft_id, "oid");
        ck_assert_gg_str(token.owner.email, "a@b");
        ck_assert_gg_str(token.owner.tenant_id, "tid");
        ck_assert_gg_str(token.scope, "a b");
        check_opens(token, "access-1");
        ck_assert_str_eq(database_cell(db, arena,
                                       gg_arena_printf(arena, "SELECT token_type FROM %s",
                                                       key.realm->token_table)),
                         "Bearer");
        connect_again("access-2");
        check_opens(find(), "access-2");
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(realms_and_users_are_apart)
{
    struct gg_err err;

    set_up();
    key.subject = GG_STR("8");
    ck_assert(!find().found);
    key = (struct gg_token_key){gg_realm(GG_REALM_BETA), GG_STR(UUID)};
    ck_assert(!find().found);
    ck_assert(gg_token_drop(store(), arena, key, &err));
    /* Neighbours that are one as doubles. */
    key = (struct gg_token_key){gg_realm(GG_REALM_MAIN), GG_STR("9223372036854775806")};
    connect_again("x");
    key.subject = GG_STR("9223372036854775807");
    ck_assert(!find().found);
    key.subject = GG_STR("7");
    ck_assert(gg_token_drop(store(), arena, key, &err));
    ck_assert(!find().found);
    ck_assert(gg_token_drop(store(), arena, key, &err));
    ck_assert_str_eq(database_cell(db, arena, "SELECT COUNT(*) FROM microsoft_oauth_tokens"), "1");
    gg_arena_close(arena);
}
END_TEST

/* A row of the service before has fewer columns, and may lack what only we write. */
START_TEST(rows_of_the_old_service)
{
    set_up();
    database_run(db, "DELETE FROM microsoft_oauth_tokens; INSERT INTO microsoft_oauth_tokens"
                     " (user_id, access_token, expires_at)"
                     " VALUES (7, 'sealed', NOW() - INTERVAL 10 SECOND)");
    struct gg_token token = find();
    ck_assert(token.found && token.is_active && token.ciphers.refresh_token.p == NULL &&
              !token.is_leased);
    ck_assert(token.left_s <= -9);
    struct gg_token_lease lease;
    struct gg_err err;
    ck_assert(!gg_token_take_lease(store(), arena, &token, &lease, &err));
    ck_assert_int_eq(err.code, GG_EAUTHREQUIRED);
    struct gg_secret out;
    ck_assert(!gg_token_open(store(), arena, &token, &out, &err));
    ck_assert_int_eq(err.code, GG_EAUTHREQUIRED);
    gg_arena_close(arena);
}
END_TEST

START_TEST(touching)
{
    struct gg_err err;

    set_up();
    database_run(db, "UPDATE microsoft_oauth_tokens SET updated_at = NOW() - INTERVAL 1 DAY");
    ck_assert(gg_token_touch(store(), arena, key, &err));
    struct gg_token token = find();
    ck_assert(!token.wants_touch && token.last_used_at_s > 1700000000);
    database_run(db, "UPDATE microsoft_oauth_tokens SET last_used_at = NOW() - INTERVAL 61 SECOND,"
                     " updated_at = updated_at");
    ck_assert(find().wants_touch);
    ck_assert(gg_token_touch(store(), arena, key, &err));
    ck_assert(!find().wants_touch);
    /* A use changes no token. */
    ck_assert_str_eq(database_cell(db, arena,
                                   "SELECT updated_at < NOW() - INTERVAL 1 HOUR"
                                   " FROM microsoft_oauth_tokens"),
                     "1");
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_lease_is_one_callers)
{
    set_up();
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    ck_assert(lease.taken);
    ck_assert_gg_str(gg_secret_reveal(lease.refresh_token), "refresh-1");
    ck_assert(find().is_leased);
    ck_assert(!take(&before).taken);
    /* Its end frees the row; a killed worker holds nobody for longer. */
    ck_assert_str_eq(database_cell(db, arena,
                                   "SELECT refresh_lease_until <= NOW(6) + INTERVAL 20 SECOND"
                                   " FROM microsoft_oauth_tokens"),
                     "1");
    database_run(db, "UPDATE microsoft_oauth_tokens SET refresh_lease_until = NOW(6)");
    ck_assert(!find().is_leased);
    struct gg_token_lease next = take(&before);
    ck_assert(next.taken && !gg_str_is_equal(next.word, lease.word));
    /* The first one comes back late: nothing is written. */
    struct gg_tokens set = {.access_token = {"late", 4}, .expires_in_s = 100};
    struct gg_token_end end = {.lease = &lease, .set = &set};
    end_lease(&end);
    ck_assert(!end.was_ours);
    check_opens(find(), "access-1");
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_refresh_is_written)
{
    struct gg_tokens set = {.access_token = {"access-2", 8}, .expires_in_s = 5000};

    set_up();
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    struct gg_token_end end = {.lease = &lease, .set = &set};
    end_lease(&end);
    ck_assert(end.was_ours);
    struct gg_token after = find();
    ck_assert(!gg_str_is_equal(after.ciphers.access_token, before.ciphers.access_token) &&
              !after.is_leased);
    check_opens(after, "access-2");
    ck_assert(after.left_s > 4990);
    /* What was not sent stays: the refresh token, the scope. */
    ck_assert_gg_str(after.scope, "a b");
    lease = take(&after);
    ck_assert_gg_str(gg_secret_reveal(lease.refresh_token), "refresh-1");
    ck_assert(!take(&before).taken); /* that row is no more */
    set.refresh_token = (struct gg_secret){"refresh-2", 9};
    end = (struct gg_token_end){.lease = &lease, .set = &set};
    end_lease(&end);
    after = find();
    ck_assert_gg_str(gg_secret_reveal(take(&after).refresh_token), "refresh-2");
    gg_arena_close(arena);
}
END_TEST

START_TEST(failures_are_remembered)
{
    set_up();
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    struct gg_token_end end = {.lease = &lease, .failure = "microsoft_unavailable", .pause_s = 5};
    end_lease(&end);
    ck_assert(end.was_ours);
    struct gg_token token = find();
    ck_assert(token.is_active && !token.is_leased);
    ck_assert_gg_str(token.failure, "microsoft_unavailable");
    ck_assert(token.failure_left_s >= 1 && token.failure_left_s <= 5);
    ck_assert(!take(&before).taken);
    database_run(db, "UPDATE microsoft_oauth_tokens SET refresh_failed_until = NOW(6)");
    ck_assert_ptr_null(find().failure.p);
    lease = take(&before);
    ck_assert(lease.taken);
    end = (struct gg_token_end){.lease = &lease, .is_permanent = true, .failure = "invalid_grant"};
    end_lease(&end);
    token = find();
    ck_assert(token.found && !token.is_active);
    check_opens(token, "access-1"); /* it keeps its tokens */
    ck_assert_str_eq(database_cell(db, arena, "SELECT inactive_reason FROM microsoft_oauth_tokens"),
                     "invalid_grant");
    ck_assert(!take(&token).taken);
    connect_again("access-3");
    ck_assert(find().is_active);
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_connect_in_between_stays)
{
    struct gg_tokens set = {.access_token = {"refreshed", 9}, .expires_in_s = 100};

    set_up();
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    connect_again("connected");
    struct gg_token_end ends[] = {
        {.lease = &lease, .set = &set},
        {.lease = &lease, .is_permanent = true, .failure = "invalid_grant"},
        {.lease = &lease, .failure = "microsoft_unavailable", .pause_s = 5},
    };
    for (size_t i = 0; i < 3; i++) {
        end_lease(&ends[i]);
        ck_assert(!ends[i].was_ours);
        struct gg_token token = find();
        ck_assert(token.is_active && token.failure.p == NULL);
        check_opens(token, "connected");
    }
    gg_arena_close(arena);
}
END_TEST

static int race(void *arg, int n)
{
    (void)n;
    arena = gg_arena_open();
    db = database_open(arena);
    int won = take(arg).taken ? 1 : 0;
    gg_arena_close(arena);
    return won;
}

START_TEST(a_race_has_one_lease)
{
    set_up();
    struct gg_token before = find();
    ck_assert_int_eq(database_run_processes(8, race, &before), 1);
    gg_arena_close(arena);
}
END_TEST

static struct gg_token find_within(int64_t days)
{
    struct gg_token_store s = store();
    struct gg_token token;
    struct gg_err err = {.code = GG_OK};

    s.max_age_days = days;
    ck_assert_msg(gg_token_find(s, arena, key, &token, &err), "%s", err.log);
    return token;
}

/* mutant: src/store/token.c: " COALESCE(connected_at, created_at), microsoft_id => " created_at,
 * microsoft_id */
START_TEST(too_old_ones)
{
    for (int realm = 0; realm < GG_REALMS; realm++) {
        set_up_in((enum gg_realm_id)realm);
        struct gg_token_store s = store();
        struct gg_err err = {.code = GG_OK};
        const char *table = key.realm->token_table;
        ck_assert(find_within(1).is_active);
        database_run(db, gg_arena_printf(arena,
                                         "UPDATE %s SET created_at = NOW() - INTERVAL 90 DAY,"
                                         " connected_at = NOW() - INTERVAL 9 DAY",
                                         table));
        ck_assert(find_within(10).is_active && !find_within(10).is_too_old);
        ck_assert(!find_within(9).is_active && find_within(9).is_too_old);
        ck_assert(find_within(0).is_active);
        /* A row from before the column. */
        database_run(db, gg_arena_printf(arena, "UPDATE %s SET connected_at = NULL", table));
        ck_assert(find_within(90).is_too_old && !find_within(91).is_too_old);
        s.max_age_days = 91;
        ck_assert(gg_token_retire(s, arena, key, &err) && find().is_active);
        s.max_age_days = 90;
        ck_assert(gg_token_retire(s, arena, key, &err) && !find().is_active);
        ck_assert(!find_within(90).is_too_old);
        connect_again("access-2");
        ck_assert(find_within(1).is_active);
        gg_arena_close(arena);
    }
}
END_TEST

GG_UNIT_MAIN("store/token", too_old_ones, rows_come_back, realms_and_users_are_apart,
             rows_of_the_old_service, touching, a_lease_is_one_callers, a_refresh_is_written,
             failures_are_remembered, a_connect_in_between_stays, a_race_has_one_lease)
