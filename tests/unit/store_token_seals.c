/* SPDX-License-Identifier: MIT */
/* store/token: whose a row is, and under which key. */
#include "database.h"
#include "unit.h"

#include "gg/store/token.h"

#include <stdio.h>
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};
static struct gg_token_key key;
static bool refuses_unsealed;

static struct gg_token_store store(void)
{
    return (struct gg_token_store){
        .db = db, .fernet = &fernet, .refuses_unsealed = refuses_unsealed};
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

/* Whether the row opens, and its lease can be had, for whom it says it is. */
static bool is_served(void)
{
    struct gg_token token = find();
    struct gg_token_lease lease;
    struct gg_secret out;
    struct gg_err err = {.code = GG_OK};

    bool opens = gg_token_open(store(), arena, &token, &out, &err);
    ck_assert(opens || err.code == GG_EAUTHREQUIRED);
    bool leases = gg_token_take_lease(store(), arena, &token, &lease, &err) && lease.taken;
    ck_assert_int_eq(opens, leases);
    if (leases) {
        struct gg_token_end end = {.lease = &lease, .failure = "x", .pause_s = 0};
        end_lease(&end);
    }
    return opens;
}

/* mutant: src/store/token.c: return check_seal(s, a, token, err) && decrypt( => return decrypt( */
/* mutant: src/store/token.c: if (!check_seal(s, a, token, err)) => if (false) */
START_TEST(a_row_serves_its_owner_alone)
{
    static const char *const attacks[] = {
        "UPDATE {t} v JOIN {t} m ON m.{k} = {me} SET v.access_token = m.access_token",
        "UPDATE {t} v JOIN {t} m ON m.{k} = {me} SET v.refresh_token = m.refresh_token",
        ("UPDATE {t} v JOIN {t} m ON m.{k} = {me} SET v.refresh_token = m.refresh_token,"
         " v.access_token = m.access_token, v.id_token = m.id_token, v.seal = m.seal"),
        "UPDATE {t} v SET v.access_token = v.refresh_token",
        "UPDATE {t} v SET v.id_token = v.access_token",
        "UPDATE {t} v SET v.refresh_token = NULL",
        "UPDATE {t} v SET v.seal = ''",
        "UPDATE {t} v SET v.seal = REVERSE(v.seal)",
    };

    for (int realm = 0; realm < GG_REALMS; realm++)
        for (size_t i = 0; i < COUNT(attacks); i++) {
            set_up_in((enum gg_realm_id)realm);
            struct gg_token_key owner = key;
            bool is_main = realm == GG_REALM_MAIN;
            key.subject = is_main ? GG_STR("8") : GG_STR("22222222-2222-4333-8444-555555555555");
            connect_again("access-of-8");
            key = owner;
            ck_assert(is_served());
            char sql[512];
            size_t n = 0;
            for (const char *p = attacks[i]; *p != '\0'; p++) {
                const char *part = p[0] != '{'   ? NULL
                                   : p[1] == 't' ? key.realm->token_table
                                   : p[1] == 'k' ? key.realm->key_column
                                   : is_main     ? "'8'"
                                                 : "'22222222-2222-4333-8444-555555555555'";
                n += (size_t)snprintf(sql + n, sizeof sql - n, "%.*s", part == NULL ? 1 : 100,
                                      part == NULL ? p : part);
                p += part == NULL ? 0 : strcspn(p, "}");
            }
            database_run(db, sql);
            ck_assert_msg(!is_served(), "%s", sql);
            gg_arena_close(arena);
        }
}
END_TEST

/* What is imported has no seal: served, or not, as the site says. */
/* mutant: src/store/token.c: : !s.refuses_unsealed) => : true) */
START_TEST(rows_without_a_seal)
{
    set_up();
    database_run(db, "UPDATE microsoft_oauth_tokens SET seal = NULL");
    ck_assert(is_served());
    refuses_unsealed = true;
    ck_assert(!is_served());
    connect_again("access-2");
    ck_assert(is_served());
    refuses_unsealed = false;
    gg_arena_close(arena);
}
END_TEST

static const char *cell(const char *column)
{
    return database_cell(db, arena,
                         gg_arena_printf(arena, "SELECT %s FROM microsoft_oauth_tokens", column));
}

/* mutant: src/store/token.c: (!end->lease->is_sealed || make_seal( => (make_seal( */
START_TEST(a_refresh_leaves_an_unsealed_row_unsealed)
{
    struct gg_tokens set = {.access_token = {"access-2", 8}, .expires_in_s = 5000};

    set_up();
    database_run(db, "UPDATE microsoft_oauth_tokens SET seal = NULL");
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    struct gg_token_end end = {.lease = &lease, .set = &set};
    end_lease(&end);
    ck_assert(end.was_ours);
    check_opens(find(), "access-2");
    ck_assert_str_eq(cell("seal IS NULL AND access_seal IS NULL"), "1");
    gg_arena_close(arena);
}
END_TEST

/* A row that was sealed since it was looked at is looked at again, or its seal would be lost. */
/* mutant: src/store/token.c: access_token=? AND seal<=>?" => access_token=? AND (seal<=>? OR TRUE)"
 */
START_TEST(a_seal_that_came_in_between)
{
    set_up();
    char *seal = gg_arena_strdup(arena, cell("seal"));
    database_run(db, "UPDATE microsoft_oauth_tokens SET seal = NULL");
    struct gg_token before = find();
    database_run(db, gg_arena_printf(arena, "UPDATE microsoft_oauth_tokens SET seal = '%s'", seal));
    ck_assert(!take(&before).taken);
    ck_assert(is_served());
    gg_arena_close(arena);
}
END_TEST

/* What a refresh keeps comes under the first key with what is new, and is sealed with it. */
START_TEST(a_refresh_brings_all_under_the_first_key)
{
    struct gg_tokens set = {.access_token = {"access-2", 8}, .expires_in_s = 5000};
    struct gg_fernet one = fernet;

    set_up();
    struct gg_token before = find();
    const char *old = gg_arena_strdup(arena, cell("key_fingerprint"));
    fernet = (struct gg_fernet){.count = 2, .keys = {{9, 9, 9}, {1, 2, 3}}};
    struct gg_token_lease lease = take(&before);
    struct gg_token_end end = {.lease = &lease, .set = &set};
    end_lease(&end);
    ck_assert_str_ne(cell("key_fingerprint"), old);
    fernet.count = 1;
    check_opens(find(), "access-2");
    struct gg_token after = find();
    ck_assert_gg_str(gg_secret_reveal(take(&after).refresh_token), "refresh-1");
    fernet = one;
    gg_arena_close(arena);
}
END_TEST

/* One that no key opens is kept, and no key is said to be enough for the row. */
START_TEST(a_refresh_keeps_what_no_key_opens)
{
    struct gg_tokens set = {.access_token = {"access-2", 8}, .expires_in_s = 5000};

    set_up();
    database_run(db, "UPDATE microsoft_oauth_tokens SET id_token = 'old', seal = NULL");
    struct gg_token before = find();
    struct gg_token_lease lease = take(&before);
    struct gg_token_end end = {.lease = &lease, .set = &set};
    end_lease(&end);
    ck_assert_str_eq(cell("id_token"), "old");
    ck_assert_str_eq(cell("key_fingerprint IS NULL"), "1");
    gg_arena_close(arena);
}
END_TEST

/* Why a row is refused, and what the log's words rest on: never whether. */
static const char *refusal(void)
{
    struct gg_token token = find();
    struct gg_secret out;
    struct gg_err err = {.code = GG_OK};

    ck_assert(!gg_token_open(store(), arena, &token, &out, &err));
    ck_assert_int_eq(err.code, GG_EAUTHREQUIRED);
    return gg_arena_strdup(arena, err.log);
}

START_TEST(a_missing_key_is_named)
{
    struct gg_fernet one = fernet;

    set_up();
    const char *missing = gg_arena_printf(arena, "a row needs the key %s, which is not configured",
                                          cell("key_fingerprint"));
    fernet = (struct gg_fernet){.count = 1, .keys = {{9, 9, 9}}};
    ck_assert_str_eq(refusal(), missing);
    database_run(db, "UPDATE microsoft_oauth_tokens SET key_fingerprint = NULL");
    ck_assert_str_eq(refusal(), "a row's seal is wrong");
    database_run(db, "UPDATE microsoft_oauth_tokens SET key_fingerprint = 'a\"b c\\nd'");
    ck_assert_str_eq(refusal(), "a row's seal is wrong");
    fernet = one;
    ck_assert(is_served());
    database_run(db, "UPDATE microsoft_oauth_tokens SET key_fingerprint = '0a1b2c3d'");
    ck_assert(is_served());
    database_run(db, "UPDATE microsoft_oauth_tokens SET seal = REVERSE(seal)");
    ck_assert_str_eq(refusal(), "a row needs the key 0a1b2c3d, which is not configured");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/token seals", a_missing_key_is_named, a_row_serves_its_owner_alone,
             rows_without_a_seal, a_refresh_leaves_an_unsealed_row_unsealed,
             a_seal_that_came_in_between, a_refresh_brings_all_under_the_first_key,
             a_refresh_keeps_what_no_key_opens)
