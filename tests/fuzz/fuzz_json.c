/* SPDX-License-Identifier: MIT */
/* What is read and written again is the same; what cuts it into parts agrees with the tree. */
#include "fuzz.h"

#include "gg/ext/json.h"

#include <string.h>

static void check_elements(struct gg_arena *a, struct gg_str text, const struct gg_json *v)
{
    const struct gg_json *array = gg_json_get(v, "value");
    struct gg_jsontext_part all;
    struct gg_err err;

    REQUIRE(gg_json_split(a, text, 2, &all, &err));
    const struct gg_jsontext_part *value = gg_json_part(a, &all, "value");
    REQUIRE((value != NULL && value->text.p[0] == '[') == (gg_json_type(array) == GG_JSON_ARRAY));
    for (size_t i = 0; i < gg_json_length(array); i++) {
        struct gg_json *part;
        REQUIRE(value->count == gg_json_length(array));
        REQUIRE(gg_json_parse(a, value->parts[i].text, &part, &err));
        REQUIRE(gg_str_is_equal(gg_json_print(a, part), gg_json_print(a, gg_json_at(array, i))));
    }
}

/* What json-c refuses, the cutter lets through only for a name: two equal ones, or one with a NUL.
 */
static void check_refused(struct gg_arena *a, struct gg_str text)
{
    struct gg_jsontext_part all;
    struct gg_err err;

    if (gg_json_split(a, text, 2, &all, &err))
        REQUIRE(memchr(text.p, ':', text.n) != NULL && gg_str_count_utf8(text) > 0);
}

static void check_names(const struct gg_json *v)
{
    for (size_t i = 0; gg_json_name(v, i).p != NULL; i++)
        REQUIRE(gg_json_has(v, gg_json_name(v, i).p));
}

static void check_values(const struct gg_json *v)
{
    struct gg_str s;
    int64_t i;
    double d;
    bool b;

    REQUIRE(gg_json_str(v, &s) == (gg_json_type(v) == GG_JSON_STRING));
    REQUIRE(gg_json_bool(v, &b) == (gg_json_type(v) == GG_JSON_BOOL));
    if (gg_json_int(v, &i))
        REQUIRE(gg_json_number(v, &d) && (double)i == d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str text = {(const char *)data, size};
    struct gg_json *v;
    struct gg_json *again;
    struct gg_err err;

    if (gg_json_parse(a, text, &v, &err)) {
        struct gg_str printed = gg_json_print(a, v);
        REQUIRE(gg_json_parse(a, printed, &again, &err));
        REQUIRE(gg_str_is_equal(gg_json_print(a, again), printed));
        REQUIRE(gg_str_count_utf8(printed) >= 0);
        check_elements(a, text, v);
        check_names(v);
        check_values(v);
        for (size_t i = 0; i < gg_json_length(v); i++)
            check_values(gg_json_at(v, i));
    } else {
        REQUIRE(err.code == GG_EINVALIDJSON);
        check_refused(a, text);
    }
    gg_arena_close(a);
    return 0;
}
