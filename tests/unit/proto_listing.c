/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/listing.h"

#include <string.h>

static struct gg_arena *arena;

/* What was asked for as text, calendars by commas; or the fields at fault. */
static const char *text_of(const struct gg_listing_query *query)
{
    struct gg_listing list;
    struct gg_err err;
    const char *out = "";
    const char *ids = "";

    if (!gg_listing_parse(arena, query, &list, &err)) {
        ck_assert_int_eq(err.code, GG_EINVALID);
        for (const struct gg_fault *f = err.faults; f != NULL; f = f->next)
            out = gg_arena_printf(arena, "%s%s%s", out, *out == '\0' ? "" : ",", f->field);
        return out;
    }
    for (size_t i = 0; i < list.calendars; i++)
        ids = gg_arena_printf(arena, "%s%s%.*s", ids, i == 0 ? "" : ",",
                              GG_STR_ARG(list.calendar_ids[i]));
    ids = gg_arena_printf(arena, "%s%s%s", list.is_wide ? "wide:" : "", list.is_all ? "all" : "",
                          ids);
    const struct gg_str parts[] = {list.start_time, list.end_time, gg_str_of(ids), list.timezone};
    for (size_t k = 0; k < COUNT(parts); k++)
        out = gg_arena_printf(arena, "%s%.*s|", out,
                              GG_STR_ARG(parts[k].n == 0 ? GG_STR("-") : parts[k]));
    return gg_arena_printf(arena, "%s%lld", out, (long long)list.limit);
}

/* start, end, calendar, zone, limit */
START_TEST(lists)
{
    static const struct {
        const char *in[5];
        const char *out;
    } cases[] = {
        {{NULL, NULL, NULL, NULL, NULL}, "-|-|-|-|100"},
        {{"2026-03-02T13:00:00Z", "2026-03-02T15:00:00+01:00", "c", "Europe/Berlin", "1000"},
         "2026-03-02T13:00:00|2026-03-02T14:00:00|c|Europe/Berlin|1000"},
        {{"2026-03-02T13:00:00 02:00", NULL, NULL, NULL, "1"}, "2026-03-02T11:00:00|-|-|-|1"},
        {{NULL, "2026-03-02T13:00:00.25Z", NULL, NULL, NULL},
         "-|2026-03-02T13:00:00.2500000|-|-|100"},
        {{"2026-03-02", NULL, NULL, NULL, NULL}, "start_time"},
        {{"2026-03-02T13:00:00", "x", NULL, NULL, NULL}, "start_time,end_time"},
        {{"2026-03-02T13:00:00Z", "2026-03-02T13:00:00Z", NULL, NULL, NULL}, "end_time"},
        {{"2026-03-02T13:00:00Z", "2026-03-02T12:00:00Z", NULL, NULL, NULL}, "end_time"},
        {{NULL, NULL, "..", "a;b", "0"}, "calendar_id,timezone,limit"},
        {{NULL, NULL, NULL, NULL, "1001"}, "limit"},
        {{NULL, NULL, NULL, NULL, "-1"}, "limit"},
        {{NULL, NULL, NULL, NULL, "1e2"}, "limit"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const *in = cases[i].in;
        const struct gg_str id = gg_str_of(in[2]);
        const struct gg_listing_query query = {
            .start_time = gg_str_of(in[0]),
            .end_time = gg_str_of(in[1]),
            .timezone = gg_str_of(in[3]),
            .limit = gg_str_of(in[4]),
            .calendars = in[2] == NULL ? 0 : 1,
            .calendar_ids = &id,
        };
        ck_assert_str_eq(text_of(&query), cases[i].out);
    }
    gg_arena_close(arena);
}
END_TEST

static const char *text_of_ids(const char *const *ids, size_t n)
{
    struct gg_str values[64];

    for (size_t i = 0; i < n; i++)
        values[i] = gg_str_of(ids[i]);
    return text_of(&(struct gg_listing_query){.calendars = n, .calendar_ids = values});
}

START_TEST(calendars)
{
    static const struct {
        const char *ids[4];
        const char *out;
    } cases[] = {
        {{"a", "b"}, "-|-|wide:a,b|-|100"},
        /* Named twice is named once, and still the answer of a list of several. */
        {{"a", "a"}, "-|-|wide:a|-|100"},
        {{"b", "a", "b", "a"}, "-|-|wide:b,a|-|100"},
        /* Ids are another when their case is. */
        {{"a", "A"}, "-|-|wide:a,A|-|100"},
        {{"all"}, "-|-|wide:all|-|100"},
        {{"all", "all"}, "-|-|wide:all|-|100"},
        {{"All"}, "-|-|All|-|100"},
        {{"all", "a"}, "calendar_id"},
        {{"a", "all"}, "calendar_id"},
        {{"a", ".."}, "calendar_id"},
        {{"a", "$count"}, "calendar_id"},
    };
    const char *many[GG_LISTING_CALENDARS_MAX + 1];

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = 0;
        while (n < 4 && cases[i].ids[n] != NULL)
            n++;
        ck_assert_str_eq(text_of_ids(cases[i].ids, n), cases[i].out);
    }
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = gg_arena_printf(arena, "id%zu", i);
    ck_assert_ptr_nonnull(strstr(text_of_ids(many, GG_LISTING_CALENDARS_MAX), "|wide:id0,id1,"));
    ck_assert_str_eq(text_of_ids(many, GG_LISTING_CALENDARS_MAX + 1), "calendar_id");
    many[GG_LISTING_CALENDARS_MAX] = "id3";
    ck_assert_ptr_nonnull(strstr(text_of_ids(many, COUNT(many)), ",id19|"));
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/listing", lists, calendars)
