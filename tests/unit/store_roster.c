/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/roster.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_db *db;
static const struct gg_realm *realm;

/* A subject of the realm at hand. */
static struct gg_str subject_of(int n)
{
    return gg_str_of(realm->id == GG_REALM_MAIN
                         ? gg_arena_printf(arena, "%d", n)
                         : gg_arena_printf(arena, "11111111-2222-4333-8444-%012d", n));
}

/* A row that ends in an hour, but for what `set` says, ", column = value …". */
static void add(int n, const char *set)
{
    const char *where =
        gg_arena_printf(arena, "%s = '%.*s'", realm->key_column, GG_STR_ARG(subject_of(n)));

    database_run(db, gg_arena_printf(arena,
                                     "INSERT INTO %s SET %s, expires_at = NOW() + INTERVAL 1 HOUR;"
                                     "UPDATE %s SET refresh_token = 'r'%s WHERE %s",
                                     realm->token_table, where, realm->token_table, set, where));
}

static void set_up(int id)
{
    realm = gg_realm((enum gg_realm_id)id);
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DELETE FROM microsoft_oauth_tokens; DELETE FROM beta_microsoft_oauth_tokens");
}

/* How many rows are found; *first is the first of them. */
static size_t list(struct gg_roster_ask ask, struct gg_roster_row *first)
{
    struct gg_roster_rows found;
    struct gg_err err = {.code = GG_OK};

    ask.realm = realm;
    ask.limit = ask.limit == 0 ? 100 : ask.limit;
    ck_assert_msg(gg_roster_list(db, arena, &ask, &found, &err), "%s", err.log);
    if (found.count > 0)
        *first = found.rows[0];
    return found.count;
}

START_TEST(rows_are_found)
{
    for (int id = 0; id < GG_REALMS; id++) {
        struct gg_roster_row row = {0};
        set_up(id);
        add(1, ", tenant_id = 't1', microsoft_id = 'o', microsoft_email = 'e@x', scope = 'a b',"
               " connected_at = '1970-01-02', last_used_at = '1970-01-03'");
        add(2, ", tenant_id = 't2', expires_at = NOW() - INTERVAL 1 SECOND");
        add(3, ", tenant_id = 't1', expires_at = NOW() + INTERVAL 100 SECOND");
        add(4, ", is_active = FALSE, inactive_reason = 'max_age', connected_at = NULL");
        ck_assert_uint_eq(list((struct gg_roster_ask){0}, &row), 4);
        ck_assert_gg_str(row.tenant_id, "t1");
        ck_assert_gg_str(row.microsoft_id, "o");
        ck_assert_gg_str(row.email, "e@x");
        ck_assert_gg_str(row.scope, "a b");
        ck_assert_gg_str(row.state, "active");
        ck_assert(row.connected_at_s == 86400 && row.last_used_at_s == 2 * 86400);
        ck_assert(gg_str_is_equal(row.subject, subject_of(1)) && row.reason.p == NULL);
        ck_assert_uint_eq(list((struct gg_roster_ask){.after_id = row.id, .limit = 2}, &row), 2);
        ck_assert_uint_eq(list((struct gg_roster_ask){.tenant_id = GG_STR("t1")}, &row), 2);
        ck_assert_uint_eq(list((struct gg_roster_ask){.subject = subject_of(3)}, &row), 1);
        ck_assert_gg_str(row.state, "expiring");
        ck_assert_uint_eq(list((struct gg_roster_ask){.state = GG_STR("expired")}, &row), 1);
        ck_assert(gg_str_is_equal(row.subject, subject_of(2)));
        ck_assert_uint_eq(list((struct gg_roster_ask){.state = GG_STR("inactive")}, &row), 1);
        ck_assert_gg_str(row.reason, "max_age");
        /* A row of before the column. */
        ck_assert(row.connected_at_s > 1000000000 && row.last_used_at_s == -1);
        ck_assert_uint_eq(
            list((struct gg_roster_ask){.subject = subject_of(3), .state = GG_STR("active")}, &row),
            0);
        gg_arena_close(arena);
    }
}
END_TEST

static size_t find_idle(struct gg_roster_idle idle, struct gg_str *first)
{
    struct gg_roster_subjects found;
    struct gg_err err = {.code = GG_OK};

    idle.realm = realm;
    idle.limit = idle.limit == 0 ? 1000 : idle.limit;
    ck_assert_msg(gg_roster_find_idle(db, arena, &idle, &found, &err), "%s", err.log);
    *first = found.count > 0 ? found.subjects[0] : (struct gg_str){NULL, 0};
    return found.count;
}

/* mutant: src/store/roster.c: updated_at <= NOW() - INTERVAL (? + CRC32({key}) % ?) SECOND => ? + ?
 * > 0 */
START_TEST(idle_ones)
{
    for (int id = 0; id < GG_REALMS; id++) {
        struct gg_str first;
        struct gg_str other;
        set_up(id);
        for (int n = 1; n <= 60; n++)
            add(n, ", updated_at = NOW() - INTERVAL 95 DAY");
        /* Due between 90 and 100 days: about half of them by now. */
        size_t due = find_idle((struct gg_roster_idle){.days = 100}, &first);
        ck_assert_msg(due > 15 && due < 45, "%zu", due);
        ck_assert_uint_eq(find_idle((struct gg_roster_idle){.days = 95}, &first), 60);
        ck_assert_uint_eq(find_idle((struct gg_roster_idle){.days = 106}, &first), 0);
        ck_assert_uint_eq(find_idle((struct gg_roster_idle){.days = 90, .limit = 7}, &first), 7);
        ck_assert_uint_eq(
            find_idle((struct gg_roster_idle){.days = 90, .subject = subject_of(9)}, &first), 1);
        ck_assert(gg_str_is_equal(first, subject_of(9)));
        bool is_mixed = false;
        (void)find_idle((struct gg_roster_idle){.days = 90, .salt = 0}, &first);
        for (int salt = 1; salt < 10; salt++) {
            (void)find_idle((struct gg_roster_idle){.days = 90, .salt = salt}, &other);
            is_mixed = is_mixed || !gg_str_is_equal(first, other);
        }
        ck_assert(is_mixed);
        database_run(db, gg_arena_printf(arena,
                                         "UPDATE %s SET is_active = (id %% 2 = 0),"
                                         " refresh_token = IF(id %% 3 = 0, NULL, 'r'),"
                                         " updated_at = NULL",
                                         realm->token_table));
        ck_assert_uint_eq(find_idle((struct gg_roster_idle){.days = 90}, &first), 20);
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(sums_and_groups)
{
    for (int id = 0; id < GG_REALMS; id++) {
        struct gg_roster_sums sums;
        struct gg_roster_groups groups = {.by = GG_ROSTER_BY_REASON};
        struct gg_err err = {.code = GG_OK};
        set_up(id);
        ck_assert(gg_roster_sum(db, arena, realm, &sums, &err));
        ck_assert(sums.total == 0 && sums.oldest_s == -1);
        add(1, ", tenant_id = 't1', updated_at = '1970-01-02'");
        add(2, ", tenant_id = 't1', expires_at = NOW() - INTERVAL 1 SECOND");
        add(3, ", tenant_id = 't2', expires_at = NOW() + INTERVAL 100 SECOND");
        for (int n = 4; n < 7; n++)
            add(n, ", is_active = FALSE, updated_at = '1970-01-01',"
                   " inactive_reason = 'invalid_grant'");
        add(7, ", is_active = FALSE");
        ck_assert_msg(gg_roster_sum(db, arena, realm, &sums, &err), "%s", err.log);
        ck_assert(sums.total == 7 && sums.active == 1 && sums.expired == 1 && sums.expiring == 1 &&
                  sums.inactive == 4 && sums.oldest_s == 86400);
        ck_assert(gg_roster_group(db, arena, realm, &groups, &err));
        ck_assert_uint_eq(groups.count, 2);
        ck_assert_gg_str(groups.rows[0].name, "invalid_grant");
        ck_assert(groups.rows[0].rows == 3 && groups.rows[1].name.p == NULL);
        groups.by = GG_ROSTER_BY_TENANT;
        ck_assert(gg_roster_group(db, arena, realm, &groups, &err));
        ck_assert(groups.count == 3 && groups.rows[0].rows == 4 && groups.rows[0].name.p == NULL);
        gg_arena_close(arena);
    }
}
END_TEST

GG_UNIT_MAIN("store/roster", rows_are_found, idle_ones, sums_and_groups)
