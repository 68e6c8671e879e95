/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/audit.h"
#include "gg/store/audit.h"

static struct stand_in s;

static void set_up(void)
{
    stand_in_open(&s);
    s.call.who = (struct gg_who){GG_STR("main:7"), GG_STR("192.0.2.1"), GG_STR("rid")};
}

static struct gg_audit_page find_all(void)
{
    struct gg_audit_page page = {.limit = 500};

    ck_assert(gg_audit_find(s.ctx.db, s.arena, &(struct gg_audit_filter){0}, &page, &s.err));
    return page;
}

START_TEST(what_was_noted_is_written_once)
{
    set_up();
    ck_assert(gg_audit_flush(&s.call, &s.err));
    for (int i = 0; i < 6; i++)
        gg_audit_note(&s.call,
                      (struct gg_audit_event){.event = "token.use",
                                              .realm = gg_realm(GG_REALM_BETA),
                                              .subject = GG_STR("sub\nject"),
                                              .result = i == 5 ? "failed" : NULL,
                                              .detail = gg_arena_printf(s.arena, "%d", i)});
    ck_assert(gg_audit_flush(&s.call, &s.err));
    ck_assert(gg_audit_flush(&s.call, &s.err));
    struct gg_audit_page page = find_all();
    ck_assert_uint_eq(page.count, 6);
    for (size_t i = 0; i < 6; i++) {
        enum gg_audit_verdict verdict;
        struct gg_audit_row *r = &page.rows[i];
        ck_assert(gg_audit_check_row(&s.ctx.audit_keys, s.arena, r, &verdict, &s.err));
        ck_assert_int_eq(verdict, GG_AUDIT_GOOD);
        ck_assert_gg_str(r->detail, gg_arena_printf(s.arena, "%zu", i));
        ck_assert_gg_str(r->result, i == 5 ? "failed" : "ok");
        ck_assert_gg_str(r->realm, "beta");
        ck_assert_gg_str(r->subject, "sub?ject");
        ck_assert_gg_str(r->actor, "main:7");
        ck_assert_gg_str(r->address, "192.0.2.1");
        ck_assert_gg_str(r->request_id, "rid");
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(what_is_too_long_is_cut)
{
    set_up();
    const char *text = gg_arena_printf(s.arena, "%0300d", 1);
    s.call.who = (struct gg_who){gg_str_of(text), gg_str_of(text), gg_str_of(text)};
    gg_audit_note(&s.call, (struct gg_audit_event){text, NULL, gg_str_of(text), text, text});
    s.conf.audit_fails_closed = true;
    ck_assert_msg(gg_audit_flush(&s.call, &s.err), "%s", s.err.log);
    ck_assert_uint_eq(find_all().rows[0].detail.n, 255);
    ck_assert_ptr_null(find_all().rows[0].realm.p);
    stand_in_close(&s);
}
END_TEST

START_TEST(a_write_that_fails)
{
    set_up();
    s.ctx.audit_keys.count = 0;
    gg_audit_note(&s.call, (struct gg_audit_event){.event = "token.use"});
    ck_assert(gg_audit_flush(&s.call, &s.err));
    s.conf.audit_fails_closed = true;
    ck_assert(gg_audit_flush(&s.call, &s.err)); /* it is forgotten */
    gg_audit_note(&s.call, (struct gg_audit_event){.event = "token.use"});
    ck_assert(!gg_audit_flush(&s.call, &s.err));
    ck_assert_int_eq(s.err.code, GG_EDATABASE);
    ck_assert_int_gt(s.err.retry_after_s, 0);
    ck_assert_uint_eq(find_all().count, 0);
    struct gg_db *db = s.ctx.db;
    s.ctx.db = NULL;
    gg_audit_note(&s.call, (struct gg_audit_event){.event = "token.use"});
    ck_assert(!gg_audit_flush(&s.call, &s.err));
    s.ctx.db = db;
    stand_in_close(&s);
}
END_TEST

START_TEST(results)
{
    struct gg_err err;

    ck_assert_str_eq(gg_audit_result(true, NULL), "ok");
    (void)gg_fail(&err, GG_ENOTFOUND, "x");
    ck_assert_str_eq(gg_audit_result(false, &err), "not_found");
    err.microsoft_code[0] = 'M';
    ck_assert_str_eq(gg_audit_result(false, &err), "M");
}
END_TEST

GG_UNIT_MAIN("flow/audit", what_was_noted_is_written_once, what_is_too_long_is_cut,
             a_write_that_fails, results)
