/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/audit.h"

#include <string.h>

/* Made with Python's hmac and hashlib, for the key 01 02 03 and 29 zeros. */
#define ID          "019cae8c-f580-7001-8000-000000000000"
#define FINGERPRINT "945bda3c"
#define ROW_MAC     "zxP8OTORQ3TEarvqhhGhB6e8vav9noDVKB_8CQVxiOk"
#define ROWS_HASH   "0baz90lHe8wtpoWeGPNjk0I6op8xStDpocQ2-NeMPQ0"
#define SEAL_MAC    "VbwOW4UIhfmlOwd1A_LFX7XAP9-9oygzgQOWYRxkL9k"
#define REMOVAL_MAC "sJ-jb6PantXZso8v3MINc4MWxmZeRcJWyYyOa056mHo"

static struct gg_arena *arena;
static struct gg_audit_keys keys;
static struct gg_err err;

static void set_up(void)
{
    struct gg_fernet f = {.count = 2, .keys = {{1, 2, 3}, {4, 5, 6}}};

    arena = gg_arena_open();
    ck_assert(gg_audit_derive(&f, &keys, &err));
    ck_assert_uint_eq(keys.count, 2);
}

static struct gg_audit_row row(void)
{
    return (struct gg_audit_row){
        .id = GG_STR(ID),
        .at = GG_STR("2026-03-02T13:00:00.123456"),
        .event = GG_STR("token.use"),
        .realm = GG_STR("main"),
        .subject = GG_STR("7"),
        .actor = GG_STR("main:7"),
        .address = GG_STR("2001:db8::1"),
        .request_id = GG_STR("rid"),
        .result = GG_STR("ok"),
    };
}

static enum gg_audit_verdict check(struct gg_audit_row r)
{
    enum gg_audit_verdict verdict;

    ck_assert(gg_audit_check_row(&keys, arena, &r, &verdict, &err));
    return verdict;
}

START_TEST(a_row_has_the_mac_that_others_make)
{
    set_up();
    struct gg_audit_row r = row();
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    ck_assert_gg_str(r.key_fingerprint, FINGERPRINT);
    ck_assert_gg_str(r.mac, ROW_MAC);
    ck_assert_int_eq(check(r), GG_AUDIT_GOOD);
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/proto/audit.c: return bytes.n == 0; => return true; */
/* mutant: src/proto/audit.c: || length > bytes.n => || false */
START_TEST(a_row_comes_back_from_its_bytes)
{
    struct gg_audit_row back;
    struct gg_str bytes;

    set_up();
    struct gg_audit_row r = row();
    r.actor.n = 0;
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    ck_assert(gg_audit_pack(arena, &r, &bytes, &err));
    ck_assert(gg_audit_unpack(bytes, &back));
    ck_assert_int_eq(check(back), GG_AUDIT_GOOD);
    ck_assert_gg_str(back.mac, gg_arena_printf(arena, "%.*s", GG_STR_ARG(r.mac)));
    ck_assert_ptr_null(back.detail.p);
    ck_assert(back.actor.p != NULL && back.actor.n == 0);
    for (size_t n = 0; n < bytes.n; n++)
        ck_assert(!gg_audit_unpack((struct gg_str){gg_arena_copy(arena, bytes.p, n), n}, &back));
    bytes.n++;
    ck_assert(!gg_audit_unpack(
        (struct gg_str){gg_arena_printf(arena, "%*s", (int)bytes.n, ""), bytes.n}, &back));
    char *longer = gg_arena_alloc(arena, bytes.n);
    memcpy(longer, bytes.p, bytes.n - 1);
    longer[bytes.n - 1] = 'x';
    ck_assert(!gg_audit_unpack((struct gg_str){longer, bytes.n}, &back));
    r.detail = (struct gg_str){gg_arena_alloc(arena, GG_AUDIT_CELL_MAX + 1), GG_AUDIT_CELL_MAX + 1};
    ck_assert(!gg_audit_pack(arena, &r, &bytes, &err));
    r.detail.n--;
    ck_assert(gg_audit_pack(arena, &r, &bytes, &err) && gg_audit_unpack(bytes, &back));
    ck_assert_uint_eq(back.detail.n, GG_AUDIT_CELL_MAX);
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/proto/audit.c: r->result, r->detail, => r->result, r->result, */
START_TEST(one_changed_byte_in_any_field)
{
    set_up();
    struct gg_audit_row good = row();
    good.detail = GG_STR("detail");
    ck_assert(gg_audit_sign_row(&keys, arena, &good, &err));
    size_t count = sizeof good / sizeof(struct gg_str);
    for (size_t i = 0; i < count; i++) {
        struct gg_audit_row r = good;
        struct gg_str *field = (struct gg_str *)&r + i;
        char *copy = gg_arena_copy(arena, field->p, field->n);
        copy[field->n - 1] ^= 1;
        field->p = copy;
        bool is_fingerprint = field == &r.key_fingerprint;
        ck_assert_int_eq(check(r), is_fingerprint ? GG_AUDIT_NO_KEY : GG_AUDIT_CHANGED);
        *field = (struct gg_str){NULL, 0};
        ck_assert_int_ne(check(r), GG_AUDIT_GOOD);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(fields_do_not_run_into_each_other)
{
    set_up();
    struct gg_audit_row r = row();
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    r.realm = GG_STR("main1");
    r.subject = GG_STR("");
    ck_assert_int_eq(check(r), GG_AUDIT_CHANGED);
    r = row();
    r.detail = GG_STR("");
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    r.detail = (struct gg_str){NULL, 0};
    ck_assert_int_eq(check(r), GG_AUDIT_CHANGED);
    gg_arena_close(arena);
}
END_TEST

START_TEST(an_older_key_verifies)
{
    set_up();
    struct gg_audit_row r = row();
    ck_assert(gg_audit_sign_row(&keys, arena, &r, &err));
    struct gg_fernet turned = {.count = 2, .keys = {{4, 5, 6}, {1, 2, 3}}};
    ck_assert(gg_audit_derive(&turned, &keys, &err));
    ck_assert_int_eq(check(r), GG_AUDIT_GOOD);
    struct gg_audit_row newer = row();
    ck_assert(gg_audit_sign_row(&keys, arena, &newer, &err));
    ck_assert(!gg_str_is(newer.key_fingerprint, FINGERPRINT));
    turned.count = 1;
    ck_assert(gg_audit_derive(&turned, &keys, &err));
    ck_assert_int_eq(check(r), GG_AUDIT_NO_KEY);
    keys.count = 0;
    ck_assert(!gg_audit_sign_row(&keys, arena, &r, &err));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    gg_arena_close(arena);
}
END_TEST

START_TEST(seals_and_removals)
{
    enum gg_audit_verdict verdict;

    set_up();
    struct gg_audit_seal s = {
        .number = 1,
        .first_id = GG_STR(ID),
        .last_id = GG_STR(ID),
        .row_count = 1,
        .previous = GG_STR(""),
        .made_at = GG_STR("2026-03-02T14:00:00.000000"),
        .made_by = GG_STR("ctl:root"),
        .listing = GG_STR(ID ROW_MAC),
    };
    ck_assert(gg_audit_sign_seal(&keys, arena, &s, &err));
    ck_assert_gg_str(s.rows_hash, ROWS_HASH);
    ck_assert_gg_str(s.mac, SEAL_MAC);
    ck_assert(gg_audit_check_seal(&keys, arena, &s, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
    s.removed_at = GG_STR("2027-03-02T14:00:00.000000");
    s.removed_by = GG_STR("ctl:root");
    ck_assert(gg_audit_sign_removal(&keys, arena, &s, &err));
    ck_assert_gg_str(s.removed_mac, REMOVAL_MAC);
    ck_assert(gg_audit_check_removal(&keys, arena, &s, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
    s.row_count = 2;
    ck_assert(gg_audit_check_seal(&keys, arena, &s, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_CHANGED);
    s.number = 2;
    ck_assert(gg_audit_check_removal(&keys, arena, &s, &verdict, &err));
    ck_assert_int_eq(verdict, GG_AUDIT_CHANGED);
    gg_arena_close(arena);
}
END_TEST

START_TEST(ids_are_in_the_order_of_time)
{
    struct gg_audit_row a;
    struct gg_audit_row b;

    set_up();
    ck_assert(gg_audit_stamp(arena, 1772456400123456, &a, &err));
    ck_assert_gg_str(a.at, "2026-03-02T13:00:00.123456");
    ck_assert(gg_str_is_uuid(a.id));
    ck_assert_msg(strncmp(a.id.p, "019caea2-54fb-772", 17) == 0, "%s", a.id.p);
    ck_assert_ptr_nonnull(strchr("89ab", a.id.p[19]));
    ck_assert_int_lt(strcmp(gg_audit_least_id(arena, 1772456400123456).p, a.id.p), 0);
    b = a;
    ck_assert(gg_audit_stamp(arena, 1772456400123457, &a, &err));
    ck_assert_int_lt(strcmp(b.id.p, a.id.p), 0);
    ck_assert_int_lt(strcmp(gg_audit_least_id(arena, 1772456400123457).p, a.id.p), 0);
    ck_assert_int_lt(strcmp(b.id.p, gg_audit_least_id(arena, 1772456400123457).p), 0);
    ck_assert_gg_str(gg_audit_least_id(arena, -5), "00000000-0000-7000-8000-000000000000");
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_not_printable)
{
    set_up();
    ck_assert_gg_str(gg_audit_clean(arena, GG_STR("a\nb\x7f\xc3\xa9 z"), 20), "a?b??? z");
    ck_assert_gg_str(gg_audit_clean(arena, GG_STR("abcdef"), 3), "abc");
    ck_assert_ptr_null(gg_audit_clean(arena, gg_str_of(NULL), 3).p);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/audit", a_row_has_the_mac_that_others_make, a_row_comes_back_from_its_bytes,
             one_changed_byte_in_any_field, fields_do_not_run_into_each_other,
             an_older_key_verifies, seals_and_removals, ids_are_in_the_order_of_time,
             what_is_not_printable)
