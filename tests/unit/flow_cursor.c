/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/flow/cursor.h"

static struct gg_ctx ctx = {.fernet = {.count = 1, .keys = {{1, 2, 3}}}};
static struct gg_call call = {.ctx = &ctx};
static struct gg_err err;

static struct gg_token_key key_of(const char *subject)
{
    return (struct gg_token_key){gg_realm(GG_REALM_MAIN), gg_str_of(subject)};
}

static enum gg_code open_wide(struct gg_str cursor, struct gg_cursor_wide *out)
{
    struct gg_json *opened;

    err = (struct gg_err){.code = GG_OK};
    if (!gg_cursor_open(&call, key_of("7"), cursor, &opened, &err))
        return err.code;
    ck_assert(gg_cursor_is_wide(opened));
    return gg_cursor_parse_wide(opened, out, &err) ? GG_OK : err.code;
}

START_TEST(what_was_written)
{
    const struct gg_cursor_wide wide = {
        .list = {.start_time = GG_STR("2026-03-02T13:00:00"),
                 .timezone = GG_STR("Asia/Tokyo"),
                 .limit = 7,
                 .calendars = 2,
                 .calendar_ids = {GG_STR("a/+\"=="), GG_STR("\xc3\xa4")}},
        .given = {0, 123},
    };
    struct gg_cursor_wide again;
    struct gg_json *opened;
    struct gg_str cursor;

    call.arena = gg_arena_open();
    ck_assert(gg_cursor_format_wide(&call, key_of("7"), &wide, &cursor, &err));
    ck_assert_int_eq(open_wide(cursor, &again), GG_OK);
    ck_assert_gg_str(again.list.start_time, "2026-03-02T13:00:00");
    ck_assert_ptr_null(again.list.end_time.p);
    ck_assert_gg_str(again.list.timezone, "Asia/Tokyo");
    ck_assert_int_eq(again.list.limit, 7);
    ck_assert_uint_eq(again.list.calendars, 2);
    ck_assert_gg_str(again.list.calendar_ids[0], "a/+\"==");
    ck_assert_gg_str(again.list.calendar_ids[1], "\xc3\xa4");
    ck_assert(again.given[0] == 0 && again.given[1] == 123 && again.list.is_wide);
    /* Nobody else's, and not of the other realm. */
    ck_assert(!gg_cursor_open(&call, key_of("70"), cursor, &opened, &err));
    ck_assert_int_eq(err.code, GG_ECURSOR);
    ck_assert(!gg_cursor_open(&call, (struct gg_token_key){gg_realm(GG_REALM_BETA), GG_STR("7")},
                              cursor, &opened, &err));
    ck_assert_int_eq(err.code, GG_ECURSOR);
    gg_arena_close(call.arena);
}
END_TEST

/* Sealed with our key, and nothing that was written here. */
START_TEST(what_leads_elsewhere)
{
    static const char *const texts[] = {
        "\"limit\":5,\"calendars\":[]",
        "\"limit\":5,\"calendars\":null",
        "\"limit\":5,\"calendars\":{\"a\":1}",
        "\"limit\":5,\"calendars\":[\"a\"]",
        "\"limit\":5,\"calendars\":[1,\"a\"]",
        "\"limit\":5,\"calendars\":[\"a\",-1]",
        "\"limit\":5,\"calendars\":[\"a\",1e99]",
        "\"limit\":5,\"calendars\":[\"..\",1]",
        "\"limit\":5,\"calendars\":[\"\",1]",
        "\"limit\":5,\"calendars\":[\"a\",1,\"$count\",1]",
        "\"limit\":0,\"calendars\":[\"a\",1]",
        "\"limit\":1001,\"calendars\":[\"a\",1]",
        "\"calendars\":[\"a\",1]",
        "\"limit\":5,\"calendars\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
        "1,"
        "1,1,1,1,1,1,1,1,1,1]",
    };
    struct gg_cursor_wide wide;
    struct gg_str cursor;

    call.arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct gg_str text = gg_str_of(
            gg_arena_printf(call.arena, "{\"cursor\":\"main\",\"sub\":\"7\",%s}", texts[i]));
        ck_assert(gg_fernet_encrypt(&ctx.fernet, call.arena, gg_secret_of(text), &cursor, &err));
        ck_assert_msg(open_wide(cursor, &wide) == GG_ECURSOR, "%s", texts[i]);
    }
    gg_arena_close(call.arena);
}
END_TEST

START_TEST(longest_ids_fit)
{
    struct gg_cursor_wide wide = {.list = {.limit = 1, .calendars = GG_LISTING_CALENDARS_MAX}};
    struct gg_cursor_wide again;
    struct gg_str cursor;

    call.arena = gg_arena_open();
    for (size_t i = 0; i < GG_LISTING_CALENDARS_MAX; i++) {
        char *id = gg_arena_alloc(call.arena, GG_EVENT_ID_BYTES_MAX);
        for (size_t k = 0; k < GG_EVENT_ID_BYTES_MAX; k++)
            id[k] = k % 2 == 0 ? '"' : 'a';
        wide.list.calendar_ids[i] = (struct gg_str){id, GG_EVENT_ID_BYTES_MAX};
    }
    ck_assert(gg_cursor_format_wide(&call, key_of("7"), &wide, &cursor, &err));
    ck_assert_int_eq(open_wide(cursor, &again), GG_OK);
    ck_assert_uint_eq(again.list.calendar_ids[19].n, GG_EVENT_ID_BYTES_MAX);
    gg_arena_close(call.arena);
}
END_TEST

GG_UNIT_MAIN("flow/cursor", what_was_written, what_leads_elsewhere, longest_ids_fit)
