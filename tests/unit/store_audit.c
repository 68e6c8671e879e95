/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/audit.h"

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_audit_keys keys;
static struct gg_err err;

static void set_up(void)
{
    struct gg_fernet f = {.count = 1, .keys = {{1, 2, 3}}};

    arena = gg_arena_open();
    db = database_open(arena);
    ck_assert(gg_audit_derive(&f, &keys, &err));
    database_run(db, "DELETE FROM audit_log");
}

static struct gg_audit_row make(int64_t at_us, const char *subject)
{
    struct gg_audit_row r = {.event = GG_STR("token.use"),
                             .realm = GG_STR("main"),
                             .subject = gg_str_of(subject),
                             .actor = GG_STR("main:7"),
                             .address = GG_STR("192.0.2.1"),
                             .request_id = GG_STR("rid"),
                             .result = GG_STR("ok")};

    ck_assert(gg_audit_stamp(arena, at_us, &r, &err));
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    return r;
}

static struct gg_audit_page find(struct gg_audit_filter filter, int64_t limit)
{
    struct gg_audit_page page = {.limit = limit};

    ck_assert_msg(gg_audit_find(db, arena, &filter, &page, &err), "%s", err.log);
    return page;
}

static size_t count(struct gg_audit_filter filter)
{
    return find(filter, 500).count;
}

START_TEST(rows_come_back_as_they_were_signed)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 8, 32, 32 + 32 + 8 + 7};
    struct gg_audit_row rows[79];
    enum gg_audit_verdict verdict;
    size_t all = 0;

    set_up();
    for (size_t k = 0; k < COUNT(sizes); k++) {
        size_t n = sizes[k];
        all += n;
        for (size_t i = 0; i < n; i++)
            rows[i] = make(1772456400000000 + (int64_t)(k * 1000 + i), i == 1 ? NULL : "7");
        ck_assert_msg(gg_audit_put(db, arena, rows, n, &err), "%s", err.log);
    }
    struct gg_audit_page page = find((struct gg_audit_filter){.after = GG_STR("")}, 500);
    ck_assert_uint_eq(page.count, all);
    for (size_t i = 0; i < page.count; i++) {
        ck_assert(gg_audit_check_row(&keys, arena, &page.rows[i], &verdict, &err));
        ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
    }
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/store/audit.c: gg_str_is_equal(found.rows[0][0], row->mac) => found.rows[0][0].n > 0
 */
START_TEST(a_repeated_insert_is_one_and_anothers_row_is_not_ours)
{
    set_up();
    struct gg_audit_row row = make(1772456400000000, "7");
    ck_assert(gg_audit_put(db, arena, &row, 1, &err));
    ck_assert_msg(gg_audit_put(db, arena, &row, 1, &err), "%s", err.log);
    ck_assert_uint_eq(count((struct gg_audit_filter){0}), 1);
    database_run(db, "UPDATE audit_log SET mac = REPEAT('x', 43)");
    ck_assert(!gg_audit_put(db, arena, &row, 1, &err));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    gg_arena_close(arena);
}
END_TEST

/* Of several, some are there already: by a process that was killed before it could say so. */
/* mutant: src/store/audit.c: if (!put_one(db, a, &rows[i], err)) => if (false) */
START_TEST(what_is_there_of_several_stays_and_the_rest_comes)
{
    struct gg_audit_row rows[9];

    set_up();
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = make(1772456400000000 + (int64_t)i, "7");
    ck_assert(gg_audit_put(db, arena, rows, 3, &err));
    ck_assert_msg(gg_audit_put(db, arena, rows, COUNT(rows), &err), "%s", err.log);
    ck_assert_uint_eq(count((struct gg_audit_filter){0}), COUNT(rows));
    gg_arena_close(arena);
}
END_TEST

START_TEST(filters)
{
    set_up();
    struct gg_audit_row rows[] = {make(1000000, "7"), make(2000000, "8"), make(3000000, NULL)};
    ck_assert(gg_audit_put(db, arena, rows, 3, &err));
    ck_assert_uint_eq(count((struct gg_audit_filter){.subject = GG_STR("8")}), 1);
    ck_assert_uint_eq(count((struct gg_audit_filter){.realm = GG_STR("main")}), 3);
    ck_assert_uint_eq(count((struct gg_audit_filter){.realm = GG_STR("beta")}), 0);
    ck_assert_uint_eq(count((struct gg_audit_filter){.actor = GG_STR("main:8")}), 0);
    ck_assert_uint_eq(count((struct gg_audit_filter){.event = GG_STR("token.use")}), 3);
    ck_assert_uint_eq(count((struct gg_audit_filter){.event = GG_STR("TOKEN.USE")}), 0);
    ck_assert_uint_eq(count((struct gg_audit_filter){.result = GG_STR("no")}), 0);
    ck_assert_uint_eq(count((struct gg_audit_filter){.request_id = GG_STR("rid")}), 3);
    struct gg_audit_filter span = {.after = gg_audit_least_id(arena, 2000000),
                                   .before = gg_audit_least_id(arena, 3000000)};
    struct gg_audit_page page = find(span, 500);
    ck_assert_uint_eq(page.count, 1);
    ck_assert_gg_str(page.rows[0].subject, "8");
    page = (struct gg_audit_page){.limit = 2, .is_backwards = true};
    ck_assert(gg_audit_find(db, arena, &(struct gg_audit_filter){0}, &page, &err));
    ck_assert_uint_eq(page.count, 2);
    ck_assert_ptr_null(page.rows[0].subject.p);
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_removed)
{
    uint64_t dropped;

    set_up();
    struct gg_audit_row rows[] = {make(1000000, "7"), make(2000000, "8"), make(3000000, "9")};
    ck_assert(gg_audit_put(db, arena, rows, 3, &err));
    ck_assert(gg_audit_drop(db, arena, rows[1].id, &dropped, &err));
    ck_assert_uint_eq(dropped, 2);
    ck_assert_uint_eq(count((struct gg_audit_filter){.subject = GG_STR("9")}), 1);
    ck_assert_uint_eq(count((struct gg_audit_filter){0}), 1);
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_databases_time)
{
    int64_t now_us;

    set_up();
    ck_assert(gg_audit_find_now(db, arena, &now_us, &err));
    ck_assert_int_gt(now_us, 1700000000LL * 1000000);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/audit", rows_come_back_as_they_were_signed,
             a_repeated_insert_is_one_and_anothers_row_is_not_ours,
             what_is_there_of_several_stays_and_the_rest_comes, filters, what_is_removed,
             the_databases_time)
