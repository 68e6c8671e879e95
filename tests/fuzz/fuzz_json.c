/* SPDX-License-Identifier: MIT */
/* What is read and written again is the same; the scanner for elements agrees with the tree. */
#include "fuzz.h"

#include "gg/ext/json.h"

static void check_elements(struct gg_arena *a, struct gg_str text, const struct gg_json *v)
{
    const struct gg_json *array = gg_json_get(v, "value");
    struct gg_str *parts = NULL;
    size_t n = 0;
    struct gg_err err;

    bool found = gg_json_elements(a, text, "value", &parts, &n);
    REQUIRE(found == (gg_json_type(array) == GG_JSON_ARRAY));
    REQUIRE(n == gg_json_length(array));
    for (size_t i = 0; i < n; i++) {
        struct gg_json *part;
        REQUIRE(gg_json_parse(a, parts[i], &part, &err));
        REQUIRE(gg_str_is_equal(gg_json_print(a, part), gg_json_print(a, gg_json_at(array, i))));
    }
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
    }
    gg_arena_close(a);
    return 0;
}
