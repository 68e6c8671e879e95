/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/rekey.h"

static struct stand_in s;
static int ticks;

static void tick(const struct gg_rekey *r)
{
    ticks++;
    ck_assert_int_eq(r->counts.seen, ticks);
}

/* One connected person, under a key that is no longer the first. */
static struct gg_token_key set_up(void)
{
    stand_in_open(&s);
    struct gg_token_key key = stand_in_connect(&s, "old", 3000);
    s.ctx.fernet = (struct gg_fernet){.count = 2, .keys = {{9}, {1, 2, 3}}};
    return key;
}

static struct gg_rekey run(enum gg_rekey_job job, bool is_dry)
{
    struct gg_rekey r = {
        .job = job,
        .realm = gg_realm(GG_REALM_MAIN),
        .which = job == GG_REKEY_ROTATE ? GG_TOKENROW_OTHER_KEY : GG_TOKENROW_ALL,
        .is_dry = is_dry,
        .tick = tick,
    };

    ticks = 0;
    ck_assert_msg(gg_rekey_run(&s.call, &r, &s.err), "%s", s.err.log);
    return r;
}

static bool opens(struct gg_token_key key)
{
    struct gg_token_store store = gg_ctx_tokens(&s.ctx);
    struct gg_token row;
    struct gg_secret out;

    ck_assert(gg_token_find(store, s.arena, key, &row, &s.err));
    return gg_token_open(store, s.arena, &row, &out, &s.err) &&
           gg_str_is(gg_secret_reveal(out), "old");
}

START_TEST(rotated_once)
{
    struct gg_token_key key = set_up();
    ck_assert_int_eq(run(GG_REKEY_ROTATE, true).counts.done, 1);
    struct gg_rekey_counts counts = run(GG_REKEY_ROTATE, false).counts;
    ck_assert(counts.done == 1 && counts.seen == 1 && counts.by_key[1] == 1);
    ck_assert(counts.unsealed == 0 && counts.busy == 0 && counts.misnoted == 0);
    ck_assert_int_eq(run(GG_REKEY_ROTATE, false).counts.seen, 0);
    s.ctx.fernet.count = 1;
    ck_assert(opens(key));
    stand_in_close(&s);
}
END_TEST

/* A seal is made with the key that the row is under: it lasts as long as that. */
START_TEST(sealed_with_the_rows_own_key)
{
    struct gg_token_key key = set_up();
    database_run(s.ctx.db, "UPDATE microsoft_oauth_tokens SET seal = NULL, key_fingerprint = NULL");
    ck_assert_int_eq(run(GG_REKEY_LOOK, false).counts.unsealed, 1);
    struct gg_rekey_counts counts = run(GG_REKEY_SEAL, false).counts;
    ck_assert(counts.done == 1 && counts.unsealed == 0);
    ck_assert_int_eq(run(GG_REKEY_SEAL, false).counts.done, 0);
    s.conf.refuses_unsealed = true;
    s.ctx.fernet = (struct gg_fernet){.count = 1, .keys = {{1, 2, 3}}};
    ck_assert(opens(key));
    stand_in_close(&s);
}
END_TEST

/* Tokens of one row under two keys: whatever is done brings them under the first. */
START_TEST(mixed_keys)
{
    struct gg_fernet new = {.count = 1, .keys = {{9}}};
    struct gg_str token;

    struct gg_token_key key = set_up();
    ck_assert(gg_fernet_encrypt(&new, s.arena, gg_secret_of(GG_STR("r")), &token, &s.err));
    database_run(s.ctx.db, gg_arena_printf(s.arena,
                                           "UPDATE microsoft_oauth_tokens SET seal = NULL,"
                                           " refresh_token = '%.*s'",
                                           GG_STR_ARG(token)));
    struct gg_rekey_counts counts = run(GG_REKEY_LOOK, false).counts;
    ck_assert(counts.mixed == 1 && counts.misnoted == 1 &&
              counts.by_key[0] + counts.by_key[1] == 0);
    ck_assert_int_eq(run(GG_REKEY_SEAL, false).counts.done, 1);
    s.ctx.fernet = new;
    ck_assert(opens(key));
    counts = run(GG_REKEY_LOOK, false).counts;
    ck_assert(counts.mixed == 0 && counts.misnoted == 0 && counts.by_key[0] == 1);
    stand_in_close(&s);
}
END_TEST

START_TEST(what_is_left)
{
    (void)set_up();
    database_run(s.ctx.db, "UPDATE microsoft_oauth_tokens SET user_id = 8");
    struct gg_rekey r = run(GG_REKEY_ROTATE, false);
    ck_assert(r.counts.done == 0 && r.counts.forged == 1 && r.left != NULL && r.left->next == NULL);
    ck_assert_gg_str(r.left->subject, "8");
    database_run(s.ctx.db, "UPDATE microsoft_oauth_tokens SET seal = NULL, id_token = ''");
    r = run(GG_REKEY_SEAL, false);
    ck_assert(r.counts.done == 0 && r.counts.unreadable == 1 && r.left != NULL);
    stand_in_close(&s);
}
END_TEST

START_TEST(only_so_many)
{
    struct gg_rekey r = {.job = GG_REKEY_LOOK, .realm = gg_realm(GG_REALM_MAIN), .most = 150};

    (void)set_up();
    database_run(s.ctx.db, "INSERT INTO microsoft_oauth_tokens (user_id, expires_at)"
                           " SELECT seq + 100, NOW() FROM seq_1_to_250");
    ck_assert(gg_rekey_run(&s.call, &r, &s.err));
    ck_assert_int_eq(r.counts.seen, 150);
    r.most = 0;
    ck_assert(gg_rekey_run(&s.call, &r, &s.err));
    ck_assert_int_eq(r.counts.seen, 251);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/rekey", rotated_once, sealed_with_the_rows_own_key, mixed_keys, what_is_left,
             only_so_many)
