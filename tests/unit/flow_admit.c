/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/admit.h"

static struct stand_in s;
static struct gg_token_key key;
static struct gg_rate rate;

static const struct gg_rate_key limit = {{"calendar:main:7", 15}, {2, 3600}};

static void change_row(const char *columns)
{
    database_run(s.ctx.db,
                 gg_arena_printf(s.arena, "UPDATE microsoft_oauth_tokens SET %s", columns));
}

/* A row that has been used before; a later one of the same user has another token. */
static void connect_as(const char *access)
{
    key = stand_in_connect(&s, access, 3600);
    change_row("last_used_at = NOW()");
}

static void set_up(void)
{
    stand_in_open(&s);
    connect_as("first");
}

static bool take(const struct gg_token_key *whose)
{
    s.err = (struct gg_err){.code = GG_OK};
    return gg_admit_take(&s.call, limit, whose, &rate, &s.err);
}

/* The token that came along, or NULL. */
static const char *opened(struct gg_token_key whose)
{
    struct gg_secret token;
    bool wants_touch;

    if (!gg_admit_open(&s.call, whose, &token, &wants_touch))
        return NULL;
    ck_assert(!wants_touch);
    struct gg_str text = gg_secret_reveal(token);
    return gg_arena_copy(s.arena, text.p, text.n);
}

/* It is good for one look: who looks again wants to know what has changed. */
/* mutant: src/flow/admit.c: c->admitted = NULL; => (void)kept; */
START_TEST(the_row_comes_along_once)
{
    set_up();
    ck_assert_msg(take(&key), "%s", s.err.log);
    ck_assert(rate.admitted && rate.remaining == 1);
    connect_as("second");
    ck_assert_pstr_eq(opened(key), "first");
    ck_assert_ptr_null(opened(key));
    stand_in_close(&s);
}
END_TEST

/* mutant: src/flow/admit.c: > GG_ADMIT_ROW_MS => > 1000000000 */
START_TEST(an_old_row_is_not_used)
{
    set_up();
    ck_assert(take(&key));
    gg_clock_sleep_ms(GG_ADMIT_ROW_MS + 50);
    ck_assert_ptr_null(opened(key));
    stand_in_close(&s);
}
END_TEST

/* mutant: src/flow/admit.c: !gg_str_is_equal(kept->row.whose.id, key.subject) => false */
/* mutant: src/flow/admit.c: kept->row.whose.realm != key.realm => false */
START_TEST(nobody_gets_anothers_row)
{
    set_up();
    ck_assert(take(&key));
    ck_assert_ptr_null(opened((struct gg_token_key){key.realm, GG_STR("8")}));
    ck_assert(take(&key));
    ck_assert_ptr_null(opened((struct gg_token_key){gg_realm(GG_REALM_BETA), key.subject}));
    stand_in_close(&s);
}
END_TEST

/* Whoever is to do something to the row, or must say what is wrong with it, reads the whole. */
/* mutant: src/flow/admit.c: need, &kept->row)) => need, &kept->row) || true) */
START_TEST(a_row_in_need_is_read_whole)
{
    static const char *const needs[] = {
        "is_active = FALSE",
        "expires_at = NOW() + INTERVAL 200 SECOND",
        "expires_at = NOW() - INTERVAL 1 SECOND",
        "access_seal = NULL",
        "access_seal = REVERSE(access_seal)",
        "access_token = refresh_token",
    };

    for (size_t i = 0; i < COUNT(needs); i++) {
        set_up();
        change_row(needs[i]);
        ck_assert_msg(take(&key), "%s", s.err.log);
        ck_assert_ptr_null(opened(key));
        stand_in_close(&s);
    }
}
END_TEST

/* A refused one is not counted either, and who has no row is counted like all. */
START_TEST(limits_are_as_without_a_row)
{
    struct gg_token_key nobody;

    set_up();
    nobody = (struct gg_token_key){key.realm, GG_STR("8")};
    ck_assert(take(&nobody) && rate.admitted);
    ck_assert_ptr_null(opened(nobody));
    ck_assert(take(NULL) && rate.admitted);
    for (int i = 0; i < 3; i++)
        ck_assert(take(&key) && !rate.admitted);
    ck_assert_str_eq(database_cell(s.ctx.db, s.arena, "SELECT SUM(used) FROM rate_limits"), "2");
    stand_in_close(&s);
}
END_TEST

static int take_many(void *arg, int n)
{
    int admitted = 0;

    (void)n;
    (void)arg;
    s.ctx.db = database_open(s.arena);
    for (int i = 0; i < 40; i++) {
        if (!take(&key))
            return 0;
        admitted += rate.admitted;
    }
    return admitted;
}

/* In each engine; InnoDB is the last one. */
START_TEST(exact_under_concurrency)
{
    for (int i = GG_RATE_ENGINES - 1; i >= 0; i--) {
        set_up();
        ck_assert_msg(gg_rate_move(s.ctx.db, (enum gg_rate_engine)i, &s.err), "%s", s.err.log);
        ck_assert_int_eq(database_run_processes(6, take_many, NULL), 2);
        stand_in_close(&s);
    }
}
END_TEST

/* mutant: src/flow/admit.c: && count > 0 => && count > 1000000 */
/* Rows of the past make room, once; where there are none, nobody comes in. */
START_TEST(a_full_table_is_swept)
{
    set_up();
    database_run(s.ctx.db, "SET SESSION max_heap_table_size = 64 * 1024;"
                           "ALTER TABLE rate_limits ENGINE=MEMORY, DROP INDEX ends_at,"
                           " ADD INDEX ends_at (ends_at) USING BTREE");
    ck_assert(!gg_db_run_script(s.ctx.db,
                                "INSERT INTO rate_limits SELECT CONCAT('full:', seq), 1, 1, 0, 1,"
                                " NOW() + INTERVAL 1 HOUR FROM seq_1_to_5000",
                                &s.err));
    for (int i = 0; i < 2; i++)
        ck_assert(!take(i == 0 ? NULL : &key) && s.err.code == GG_EDATABASE);
    database_run(s.ctx.db, "UPDATE rate_limits SET ends_at = NOW() WHERE k = 'full:1'");
    ck_assert_msg(take(&key), "%s", s.err.log);
    ck_assert(rate.admitted);
    ck_assert(!take(NULL) && s.err.code == GG_EDATABASE);
    database_run(s.ctx.db, "DELETE FROM rate_limits");
    ck_assert_msg(gg_rate_move(s.ctx.db, GG_RATE_INNODB, &s.err), "%s", s.err.log);
    stand_in_close(&s);
}
END_TEST

/* Who writes the token row keeps nobody's limit waiting: it is read without a lock. */
START_TEST(a_locked_row_is_read)
{
    set_up();
    struct gg_db *writer = database_open(s.arena);
    database_run(writer, "SET autocommit=0; UPDATE microsoft_oauth_tokens SET scope = 'other'");
    ck_assert_msg(take(&key), "%s", s.err.log);
    database_run(writer, "ROLLBACK");
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/admit", the_row_comes_along_once, an_old_row_is_not_used,
             nobody_gets_anothers_row, a_row_in_need_is_read_whole, limits_are_as_without_a_row,
             exact_under_concurrency, a_full_table_is_swept, a_locked_row_is_read)
