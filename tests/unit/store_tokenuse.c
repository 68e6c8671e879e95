/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/proto/seal.h"
#include "gg/store/tokenuse.h"

#define LEFT_S 300
#define DAYS   30

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_tokenuse row;

/* A row connected a moment ago, whose columns then are set as the SQL says. */
static void set_up(const char *columns)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM microsoft_oauth_tokens");
    database_run(db, "INSERT INTO microsoft_oauth_tokens (user_id, access_token, refresh_token,"
                     " expires_at, access_seal, connected_at, last_used_at)"
                     " VALUES (7, 'access', 'refresh', NOW() + INTERVAL 1 HOUR, 'seal', NOW(),"
                     " NOW())");
    database_run(db, gg_arena_printf(arena, "UPDATE microsoft_oauth_tokens SET %s", columns));
}

/* As it is read when the database's clock is so much later than it is. */
static bool read_later(const char *subject, int64_t max_age_days, int64_t later_s)
{
    struct gg_subject who = {gg_realm(GG_REALM_MAIN), gg_str_of(subject)};
    const char *now = database_cell(db, arena, "SELECT UNIX_TIMESTAMP() * 1000000");
    struct gg_tokenuse_need need = {strtoll(now, NULL, 10) + later_s * 1000000, LEFT_S,
                                    max_age_days};
    struct gg_db_result rows;
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_db_run(db, arena, gg_tokenuse_call(arena, who), &rows, &err), "%s", err.log);
    return gg_tokenuse_read(rows.row_count == 0 ? (struct gg_str){NULL, 0} : rows.rows[0][0], need,
                            &row);
}

/* What is to be done to a row takes all of it: nothing is decided by the half. */
/* mutant: src/store/tokenuse.c: AND is_active" => " */
/* mutant: src/store/tokenuse.c: if (n < PARTS || cell.p != NULL) => if (n < PARTS) */
/* mutant: src/store/tokenuse.c: left_s > need.left_s => left_s > 0 */
/* mutant: src/store/tokenuse.c: need.max_age_days == 0 => false */
/* mutant: src/store/tokenuse.c: connected_at, INT64_MIN / 4 => connected_at, INT64_MAX / 4 */
START_TEST(which_rows_will_do)
{
    static const struct {
        const char *columns;
        int64_t max_age_days;
        int64_t later_s;
        bool will_do;
    } cases[] = {
        {"scope = 'x'", 0, 0, true},
        {"is_active = FALSE", 0, 0, false},
        {"scope = 'x'", 0, 3600 - LEFT_S - 60, true},
        {"scope = 'x'", 0, 3600 - LEFT_S + 60, false},
        {"expires_at = NOW() - INTERVAL 1 DAY", 0, 0, false},
        {"expires_at = '9999-12-31 23:59:59'", 0, 0, true},
        /* A row that somebody else refreshes serves as well as any, while it lasts. */
        {"refresh_lease = 'x', refresh_lease_until = NOW() + INTERVAL 20 SECOND", 0, 0, true},
        {"connected_at = NOW() - INTERVAL 29 DAY", DAYS, 0, true},
        {"connected_at = NOW() - INTERVAL 30 DAY", DAYS, 0, false},
        {"connected_at = NOW() - INTERVAL 30 DAY", 0, 0, true},
        {"connected_at = NULL", DAYS, 0, false},
        {"connected_at = NULL", 0, 0, true},
        /* What is missing is not seen in one cell; nor what has a part too many. */
        {"access_token = NULL", 0, 0, false},
        {"access_seal = NULL", 0, 0, false},
        {"last_used_at = NULL", 0, 0, false},
        {"access_token = 'acc|ess'", 0, 0, false},
        {"access_seal = 's|2099-01-01 00:00:00'", 0, 0, false},
        {"access_seal = NULL, access_token = 'acc|ess'", 0, 0, true},
        /* What a request does not need may be missing. */
        {"refresh_token = NULL, id_token = NULL, seal = NULL, key_fingerprint = NULL", 0, 0, true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        set_up(cases[i].columns);
        bool will_do = read_later("7", cases[i].max_age_days, cases[i].later_s);
        ck_assert_msg(will_do == cases[i].will_do, "case %zu", i);
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(what_it_says)
{
    set_up("last_used_at = NOW() - INTERVAL 1 HOUR");
    ck_assert(read_later("7", 0, 0));
    ck_assert(row.wants_touch);
    ck_assert_gg_str(row.access_token, "access");
    ck_assert_gg_str(row.access_seal, "seal");
    gg_arena_close(arena);
    set_up("connected_at = NULL");
    ck_assert(read_later("7", 0, 30) && !row.wants_touch);
    ck_assert(read_later("7", 0, 61) && row.wants_touch);
    gg_arena_close(arena);
}
END_TEST

START_TEST(no_row_will_not_do)
{
    set_up("scope = 'x'");
    ck_assert(!read_later("8", 0, 0));
    gg_arena_close(arena);
}
END_TEST

/* It opens for whom it was sealed for, by any of the keys. */
/* mutant: src/store/tokenuse.c: return gg_seal_check_access(fernet, a, &sealed, row->access_seal,
 * &ignored) && => return */
START_TEST(who_may_open_it)
{
    static struct gg_fernet keys = {.count = 2, .keys = {{1, 2, 3}, {4, 5, 6}}};
    static const struct gg_fernet other = {.count = 1, .keys = {{7, 8, 9}}};
    struct gg_seals seals;
    struct gg_secret out;
    struct gg_err err;

    arena = gg_arena_open();
    struct gg_seal_row sealed = {.realm = "main", .subject = GG_STR("7")};
    ck_assert(gg_fernet_encrypt(&keys, arena, gg_secret_of(GG_STR("token")),
                                &sealed.ciphers.access_token, &err));
    for (sealed.key = 0; sealed.key < keys.count; sealed.key++) {
        ck_assert(gg_seal_make(&keys, arena, &sealed, &seals, &err));
        row = (struct gg_tokenuse){{gg_realm(GG_REALM_MAIN), GG_STR("7")},
                                   sealed.ciphers.access_token,
                                   seals.access_token,
                                   false};
        ck_assert(gg_tokenuse_open(&keys, arena, &row, &out));
        ck_assert_gg_str(gg_secret_reveal(out), "token");
        ck_assert(!gg_tokenuse_open(&other, arena, &row, &out));
        row.whose.id = GG_STR("8");
        ck_assert(!gg_tokenuse_open(&keys, arena, &row, &out));
        row.whose = (struct gg_subject){gg_realm(GG_REALM_BETA), GG_STR("7")};
        ck_assert(!gg_tokenuse_open(&keys, arena, &row, &out));
        row.whose.realm = gg_realm(GG_REALM_MAIN);
        row.access_seal = seals.row;
        ck_assert(!gg_tokenuse_open(&keys, arena, &row, &out));
    }
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/tokenuse", which_rows_will_do, what_it_says, no_row_will_not_do,
             who_may_open_it)
