/* SPDX-License-Identifier: MIT */
/* Whatever a caller says: faults that have names, or JSON for Graph that reads as it was written.
 */
#include "fuzz.h"

#include "gg/proto/listing.h"

static void check_faults(const struct gg_err *err)
{
    REQUIRE(err->code == GG_EINVALID && err->faults != NULL);
    for (const struct gg_fault *f = err->faults; f != NULL; f = f->next)
        REQUIRE(f->field != NULL && f->detail[0] != '\0');
}

static void check_body(struct gg_arena *a, struct gg_str in, enum gg_event_use use)
{
    struct gg_event_input input = {.use = use, .transaction_id = GG_STR("id")};
    struct gg_json *body;
    struct gg_json *sent;
    struct gg_str out;
    struct gg_err err;

    if (!gg_json_parse(a, in, &body, &err))
        return;
    input.body = body;
    if (!gg_event_format(a, &input, &out, &err)) {
        check_faults(&err);
        return;
    }
    REQUIRE(gg_json_parse(a, out, &sent, &err) && gg_json_type(sent) == GG_JSON_OBJECT);
    REQUIRE(gg_str_is(gg_json_text(sent, "transactionId"), "id"));
    if (use == GG_EVENT_CREATE)
        REQUIRE(gg_str_is_equal(gg_json_text(sent, "subject"), gg_json_text(body, "subject")) &&
                gg_json_has(sent, "start") && gg_json_has(sent, "end"));
}

/* The input as each value of the query. */
static void check_list(struct gg_arena *a, struct gg_str in)
{
    const struct gg_str ids[] = {in, in, GG_STR("id")};
    struct gg_listing_query query = {in, in, in, in, 3, ids};
    struct gg_listing list;
    struct gg_err err;

    if (gg_listing_parse(a, &query, &list, &err))
        REQUIRE(false); /* nothing is a time and a number */
    check_faults(&err);
    query = (struct gg_listing_query){.start_time = in};
    if (gg_listing_parse(a, &query, &list, &err))
        REQUIRE(list.start_time.n >= 19 && list.end_time.p == NULL);
    query = (struct gg_listing_query){.limit = in};
    if (gg_listing_parse(a, &query, &list, &err))
        REQUIRE(list.limit >= 1 && list.limit <= GG_LISTING_LIMIT_MAX);
    query = (struct gg_listing_query){.calendars = 3, .calendar_ids = ids};
    if (gg_listing_parse(a, &query, &list, &err))
        REQUIRE(list.is_wide && !list.is_all && gg_event_is_id(in) &&
                list.calendars == (gg_str_is(in, "id") ? 1 : 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};

    check_body(a, in, GG_EVENT_CREATE);
    check_body(a, in, GG_EVENT_UPDATE);
    if (size > 0)
        check_list(a, in);
    if (gg_event_is_id(in))
        REQUIRE(gg_str_is_printable(in) && !gg_str_is(in, ".."));
    gg_arena_close(a);
    return 0;
}
