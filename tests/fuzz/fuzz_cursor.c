/* SPDX-License-Identifier: MIT */
/*
 * A cursor goes on where it was made, for its user alone. What was sealed with our key by mistake,
 * as a token or a claim may be, leads nowhere else either.
 */
#include "../../src/flow/calendar.c"
#include "fuzz.h"

#define KEY "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

static const struct gg_conf conf = {.graph_url = "https://graph.microsoft.com/v1.0"};

static struct gg_token_key key_of(const char *subject)
{
    return (struct gg_token_key){gg_realm(GG_REALM_MAIN), gg_str_of(subject)};
}

static bool open_cursor(struct gg_call *c, struct gg_token_key key, struct gg_str cursor,
                        struct gg_graph_list *list, struct gg_err *err)
{
    struct gg_json *opened;

    return gg_cursor_open(c, key, cursor, &opened, err) && read_cursor(c, opened, list, err);
}

/* Each calendar is one of Graph's, and what is read is what was written. */
static void check_wide(struct gg_call *c, struct gg_str cursor)
{
    struct gg_json *opened;
    struct gg_cursor_wide wide;
    struct gg_cursor_wide again;
    struct gg_str sealed;
    struct gg_err err;

    if (!gg_cursor_open(c, key_of("7"), cursor, &opened, &err) || !gg_cursor_is_wide(opened))
        return;
    if (!gg_cursor_parse_wide(opened, &wide, &err)) {
        REQUIRE(err.code == GG_ECURSOR);
        return;
    }
    REQUIRE(wide.list.calendars >= 1 && wide.list.limit >= 1);
    for (size_t i = 0; i < wide.list.calendars; i++)
        REQUIRE(wide.given[i] >= 0 &&
                gg_graph_is_own(c, gg_str_of(gg_calendar_url(
                                       c, &wide.list, wide.list.calendar_ids[i], wide.given[i]))));
    REQUIRE(gg_cursor_format_wide(c, key_of("7"), &wide, &sealed, &err));
    REQUIRE(gg_cursor_open(c, key_of("7"), sealed, &opened, &err));
    REQUIRE(gg_cursor_parse_wide(opened, &again, &err));
    REQUIRE(again.list.calendars == wide.list.calendars && again.list.limit == wide.list.limit);
    REQUIRE(gg_str_is_equal(again.list.calendar_ids[0], wide.list.calendar_ids[0]));
    REQUIRE(!gg_cursor_open(c, key_of("8"), sealed, &opened, &err) && err.code == GG_ECURSOR);
}

static void check_open(struct gg_call *c, struct gg_str cursor)
{
    struct gg_graph_list list = {0};
    struct gg_err err;

    if (open_cursor(c, key_of("7"), cursor, &list, &err)) {
        REQUIRE(gg_graph_is_own(c, gg_str_of(list.request.url)));
        REQUIRE(list.want >= 1 && list.want <= INT64_MAX && list.skip <= INT64_MAX);
        REQUIRE(!open_cursor(c, key_of("70"), cursor, &list, &err));
    }
    REQUIRE(err.code == GG_ECURSOR || list.want >= 1);
}

/* The input as the address of a page. */
static void check_seal(struct gg_call *c, struct gg_str in)
{
    struct gg_graph_list list = {.next_url = gg_arena_copy(c->arena, in.p, in.n), .next_skip = 3};
    struct gg_graph_list again = {0};
    struct gg_str cursor;
    struct gg_err err;

    if (!gg_graph_is_own(c, in))
        return;
    list.request.key = key_of("7");
    list.request.timezone = GG_STR("UTC");
    REQUIRE(seal_cursor(c, &list, 9, &cursor, &err));
    REQUIRE(open_cursor(c, key_of("7"), cursor, &again, &err));
    REQUIRE(gg_str_is_equal(gg_str_of(again.request.url), in));
    REQUIRE(again.skip == 3 && again.want == 9 && gg_str_is(again.request.timezone, "UTC"));
    REQUIRE(!open_cursor(c, key_of("8"), cursor, &again, &err) && err.code == GG_ECURSOR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gg_ctx ctx = {.conf = &conf};
    struct gg_call c = {.ctx = &ctx, .arena = gg_arena_open()};
    struct gg_str in = {(const char *)data, size};
    struct gg_str sealed;
    struct gg_err err = {.code = GG_ECURSOR};

    if (ctx.fernet.count == 0)
        REQUIRE(gg_fernet_parse_keys(c.arena, gg_secret_of(GG_STR(KEY)), &ctx.fernet, &err));
    check_open(&c, in);
    REQUIRE(gg_fernet_encrypt(&ctx.fernet, c.arena, gg_secret_of(in), &sealed, &err));
    check_open(&c, sealed);
    check_wide(&c, sealed);
    if (size > 0 && memchr(data, '\0', size) == NULL)
        check_seal(&c, in);
    gg_arena_close(c.arena);
    return 0;
}
