/* SPDX-License-Identifier: MIT */
/* A query, a value a line: what is taken is in its limits, and taken again it is the same. */
#include "fuzz.h"

#include "gg/proto/listing.h"

#define IDS_MAX 64

/* The next line; absent when it is "-" or not there. */
static struct gg_str take_value(struct gg_str *rest)
{
    struct gg_str line;

    if (!gg_str_take(rest, '\n', &line) || gg_str_is(line, "-"))
        return (struct gg_str){NULL, 0};
    return line;
}

static void check_calendars(const struct gg_listing *list, size_t asked)
{
    REQUIRE(list->calendars <= GG_LISTING_CALENDARS_MAX && list->calendars <= asked);
    REQUIRE(!list->is_all || (list->is_wide && list->calendars == 0));
    REQUIRE(list->is_wide == (list->is_all || asked > 1));
    for (size_t i = 0; i < list->calendars; i++) {
        REQUIRE(gg_event_is_id(list->calendar_ids[i]));
        for (size_t k = 0; k < i; k++)
            REQUIRE(!gg_str_is_equal(list->calendar_ids[i], list->calendar_ids[k]));
    }
}

/* Graph's form has no offset, and is read as UTC; both ends, one before the other. */
static void check_times(struct gg_arena *a, const struct gg_listing *list)
{
    struct gg_time t[2];
    const struct gg_str in[2] = {list->start_time, list->end_time};

    for (size_t i = 0; i < 2; i++)
        if (in[i].p != NULL)
            REQUIRE(
                gg_time_parse(gg_str_of(gg_arena_printf(a, "%.*sZ", GG_STR_ARG(in[i]))), &t[i]));
    if (in[0].p != NULL && in[1].p != NULL)
        REQUIRE(gg_time_compare(&t[0], &t[1]) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str rest = {(const char *)data, size};
    struct gg_str ids[IDS_MAX];
    struct gg_listing_query query = {.calendar_ids = ids};
    struct gg_listing list;
    struct gg_err err;
    struct gg_str id;

    query.start_time = take_value(&rest);
    query.end_time = take_value(&rest);
    query.timezone = take_value(&rest);
    query.limit = take_value(&rest);
    while (query.calendars < IDS_MAX && gg_str_take(&rest, '\n', &id))
        if (id.n > 0)
            ids[query.calendars++] = id;
    if (gg_listing_parse(a, &query, &list, &err)) {
        REQUIRE(list.limit >= 1 && list.limit <= GG_LISTING_LIMIT_MAX);
        REQUIRE((list.start_time.p == NULL) == (query.start_time.p == NULL));
        REQUIRE((list.end_time.p == NULL) == (query.end_time.p == NULL));
        check_calendars(&list, query.calendars);
        check_times(a, &list);
    } else {
        REQUIRE(err.code == GG_EINVALID && err.faults != NULL);
    }
    gg_arena_close(a);
    return 0;
}
