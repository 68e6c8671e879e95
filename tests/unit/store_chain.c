/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "unit.h"

#include "gg/store/chain.h"

#define ID "019cae8c-f580-7001-8000-000000000000"

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
    database_run(db, "DELETE FROM audit_seals");
}

static struct gg_audit_seal make(int64_t number, const char *made_by)
{
    struct gg_audit_seal s = {.number = number,
                              .first_id = GG_STR(ID),
                              .last_id = GG_STR(ID),
                              .row_count = 1,
                              .previous = GG_STR(""),
                              .made_at = GG_STR("2026-03-02T14:00:00.000001"),
                              .made_by = gg_str_of(made_by),
                              .listing = GG_STR("listing")};

    ck_assert(gg_audit_sign_seal(&keys, arena, &s, &err));
    return s;
}

static bool add(struct gg_audit_seal s)
{
    bool added;

    ck_assert_msg(gg_chain_put(db, arena, &s, &added, &err), "%s", err.log);
    return added;
}

START_TEST(seals_come_back_as_they_were_signed)
{
    struct gg_audit_seal last;
    enum gg_audit_verdict verdict;

    set_up();
    ck_assert(gg_chain_find_last(db, arena, &last, &err));
    ck_assert_int_eq(last.number, 0);
    ck_assert_gg_str(last.mac, "");
    for (int64_t n = 1; n <= 120; n++)
        ck_assert(add(make(n, "ctl:root")));
    ck_assert(gg_chain_find_last(db, arena, &last, &err));
    ck_assert_int_eq(last.number, 120);
    ck_assert(gg_audit_check_seal(&keys, arena, &last, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
    ck_assert_ptr_null(last.listing.p);
    ck_assert(gg_chain_find_listing(db, arena, &last, &err));
    ck_assert_gg_str(last.listing, "listing");
    struct gg_chain_page page = {.after = 0};
    ck_assert(gg_chain_find(db, arena, &page, &err));
    ck_assert_uint_eq(page.count, GG_CHAIN_PAGE_MAX);
    page.after = page.seals[page.count - 1].number;
    ck_assert(gg_chain_find(db, arena, &page, &err));
    ck_assert_uint_eq(page.count, 20);
    ck_assert_int_eq(page.seals[0].number, 101);
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/store/chain.c: gg_str_is_equal(done.rows[0][0], seal->mac) => done.rows[0][0].n > 0
 */
START_TEST(a_number_is_taken_once)
{
    set_up();
    ck_assert(add(make(1, "one")));
    ck_assert(add(make(1, "one"))); /* the same again, as after a lost answer */
    ck_assert(!add(make(1, "other")));
    ck_assert_str_eq(database_cell(db, arena, "SELECT GROUP_CONCAT(made_by) FROM audit_seals"),
                     "one");
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_removal)
{
    enum gg_audit_verdict verdict;
    struct gg_audit_seal s;

    set_up();
    s = make(1, "one");
    ck_assert(add(s));
    s.removed_at = GG_STR("2027-03-02T14:00:00.000001");
    s.removed_by = GG_STR("ctl:root");
    ck_assert(gg_audit_sign_removal(&keys, arena, &s, &err));
    ck_assert(gg_chain_note_removal(db, arena, &s, &err));
    ck_assert(gg_chain_find_last(db, arena, &s, &err));
    ck_assert(gg_audit_check_removal(&keys, arena, &s, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
    ck_assert(gg_chain_find_listing(db, arena, &s, &err));
    ck_assert_ptr_null(s.listing.p);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("store/chain", seals_come_back_as_they_were_signed, a_number_is_taken_once, a_removal)
