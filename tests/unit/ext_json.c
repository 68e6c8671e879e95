/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/ext/json.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_err err;

static bool parses(struct gg_str text)
{
    struct gg_json *v;

    return gg_json_parse(arena, text, &v, &err);
}

static struct gg_json *parsed(const char *text)
{
    struct gg_json *v = NULL;

    ck_assert_msg(gg_json_parse(arena, gg_str_of(text), &v, &err), "refused: %s", text);
    return v;
}

START_TEST(well_formed)
{
    static const char *const cases[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        " 1 ",
        "\t\r\n1\n",
        "1.5e3",
        "1E+400",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"", /* lone surrogates are grammatical, and Graph sends them */
        "\"\x7f\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "[]",
        "{}",
        "[[],{},[1,2]]",
        "{\"\":1}",
        "{\"a\":1,\"A\":2}",
        "[{\"a\":1},{\"a\":1}]",
        "{\"a\":{\"a\":{\"a\":null}}}",
        "{\"a\":\"b:c\",\"d\":\"{,:}\"}",
        "{\"a\":\"\\u0000\",\"b\":1}",
        "123456789012345678901234567890",
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(parses(gg_str_of(cases[i])), "%s", cases[i]);
    gg_arena_close(arena);
}
END_TEST

/* clang-format off */
START_TEST(not_well_formed)
{
    static const char *const cases[] = {
        "", " ", "nul", "nullx", "True", "NaN", "Infinity", "-Infinity", "nan", "undefined",
        /* numbers */
        "1.", "-01", "01", "00", "+1", ".5", "-", "--1", "1e", "1e+", "1e5.5", "0x10", "1_0",
        "1.2.3", "-a",
        /* structure */
        "[", "]", "[1", "[1,]", "[,]", "[1,,2]", "[1 2]", "[1]]", "{", "}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{1:2}", "{[]:1}", "{\"a\":1 \"b\":2}",
        "{\"a\":1:2}", "{\"a\",\"b\":1}", ":", ",", "1 2", "{}{}", "{} x", "\"a\"\"b\"",
        "nullnull", "[}", "{]", "(1)",
        /* what other readers let through */
        "'a'", "{'a':1}", "/**/1", "1//x", "#1", "\v1", "\f1", "\xc2\xa0[]", "\xef\xbb\xbf{}",
        /* strings */
        "\"", "\"a", "\"\\", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u00zz\"", "\"\\U0041\"",
        "\"\x01\"", "\"\n\"", "\"\\\n\"", "\"\t\"", "\"\x1f\"",
        /* no UTF-8 */
        "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\xff",
        /* names */
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":null,\"a\":null}",
        "{\"a\":1,\"b\":2,\"a\":3}", "[{\"b\":{\"c\":1,\"c\":1}}]", "{\"\":1,\"\":2}",
        "{\"a\\u0000\":1}", "{\"\\u0000\" : 1}", "{\"/\":1,\"\\/\":2}", "{\"a\":1,\"a\\u0000b\":2}",
    };
    /* clang-format on */

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        err = (struct gg_err){0};
        ck_assert_msg(!parses(gg_str_of(cases[i])), "case %zu: %s", i, cases[i]);
        ck_assert_int_eq(err.code, GG_EINVALIDJSON);
    }
    ck_assert(!parses((struct gg_str){NULL, 0}));
    ck_assert(!parses(GG_STR("1\0")));
    ck_assert(!parses(GG_STR("\0[]")));
    ck_assert(!parses(GG_STR("{}\0")));
    ck_assert(!parses(GG_STR("\"a\0b\"")));
    ck_assert(!parses(GG_STR("[1,\0 2]")));
    gg_arena_close(arena);
}
END_TEST

/* The text ends where its length says, whatever stands behind. */
START_TEST(the_length_counts)
{
    arena = gg_arena_open();
    ck_assert(parses((struct gg_str){"[1]x", 3}));
    ck_assert(parses((struct gg_str){"123", 2}));
    ck_assert(!parses((struct gg_str){"[1]", 2}));
    ck_assert(!parses((struct gg_str){"true", 3}));
    gg_arena_close(arena);
}
END_TEST

START_TEST(nesting)
{
    char text[2 * GG_JSONTEXT_DEPTH + 4];

    arena = gg_arena_open();
    for (size_t depth = GG_JSONTEXT_DEPTH - 1; depth <= GG_JSONTEXT_DEPTH + 1; depth++) {
        bool allowed = depth <= GG_JSONTEXT_DEPTH;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        ck_assert_int_eq(parses((struct gg_str){text, 2 * depth}), allowed);
        text[depth] = '1';
        memset(text + depth + 1, ']', depth);
        ck_assert_int_eq(parses((struct gg_str){text, 2 * depth + 1}), allowed);
    }
    char *deep = gg_arena_alloc(arena, 1000000);
    memset(deep, '[', 1000000);
    ck_assert(!parses((struct gg_str){deep, 1000000}));
    gg_arena_close(arena);
}
END_TEST

/* Text of n times the piece, as an array. */
static struct gg_str many(const char *piece, size_t n)
{
    struct gg_buf text;

    gg_buf_init(&text, arena, 64000000);
    gg_buf_add_char(&text, '[');
    for (size_t i = 0; i < n; i++)
        gg_buf_add_text(&text, piece);
    gg_buf_add_text(&text, "0]");
    return gg_buf_str(&text);
}

/* promise: attack/denial: JSON of absurdly many values costs no memory */
/* mutant: src/base/jsontext.c: r->weight <= GG_JSONTEXT_WEIGHT => true */
START_TEST(weight)
{
    arena = gg_arena_open();
    ck_assert(parses(many("{},", 10000)));
    ck_assert(!parses(many("0,", GG_JSONTEXT_WEIGHT - 1)));
    ck_assert_int_eq(err.code, GG_EINVALIDJSON);
    ck_assert(!parses(many("{},", GG_JSONTEXT_WEIGHT / 10)));
    gg_arena_close(arena);
}
END_TEST

START_TEST(types)
{
    static const struct {
        const char *text;
        enum gg_json_type type;
    } cases[] = {
        {"null", GG_JSON_NULL},  {"true", GG_JSON_BOOL},  {"1", GG_JSON_INT},
        {"1.0", GG_JSON_DOUBLE}, {"1e2", GG_JSON_DOUBLE}, {"\"x\"", GG_JSON_STRING},
        {"[]", GG_JSON_ARRAY},   {"{}", GG_JSON_OBJECT},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(gg_json_type(parsed(cases[i].text)) == cases[i].type, "%s", cases[i].text);
    ck_assert_ptr_null(parsed("null"));
    gg_arena_close(arena);
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *text;
        bool is_int;
        int64_t i;
        bool is_number;
        double d;
    } cases[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, true, 0},
        {"-7", true, -7, true, -7},
        {"3600.0", true, 3600, true, 3600},
        {"36e2", true, 3600, true, 3600},
        {"-1.5", false, 0, true, -1.5},
        {"1e-400", true, 0, true, 0},
        {"9007199254740992.0", true, 9007199254740992, true, 9007199254740992.0},
        {"9007199254740994.0", false, 0, true, 9007199254740994.0},
        {"1e308", false, 0, true, 1e308},
        {"1e309", false, 0, false, 0},
        {"-1e309", false, 0, false, 0},
        {"9223372036854775807", true, INT64_MAX, true, 9223372036854775807.0},
        {"-9223372036854775807", true, -INT64_MAX, true, -9223372036854775807.0},
        {"9223372036854775808", false, 0, false, 0},
        {"18446744073709551615", false, 0, false, 0},
        {"18446744073709551616", false, 0, false, 0},
        {"-9223372036854775809", false, 0, false, 0},
        {"100000000000000000000000000000", false, 0, false, 0},
        {"\"1\"", false, 0, false, 0},
        {"true", false, 0, false, 0},
        {"null", false, 0, false, 0},
        {"[1]", false, 0, false, 0},
    };

    arena = gg_arena_open();
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct gg_json *v = parsed(cases[k].text);
        int64_t i = 77;
        double d = 77;
        ck_assert_msg(gg_json_int(v, &i) == cases[k].is_int, "%s", cases[k].text);
        ck_assert_msg(gg_json_number(v, &d) == cases[k].is_number, "%s", cases[k].text);
        ck_assert_int_eq(i, cases[k].is_int ? cases[k].i : 77);
        ck_assert_double_eq(d, cases[k].is_number ? cases[k].d : 77);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(members)
{
    bool b = false;
    struct gg_str s = GG_STR("old");

    arena = gg_arena_open();
    struct gg_json *v = parsed("{\"s\":\"a\\u0000b\",\"t\":true,\"n\":null,\"l\":[1,null]}");
    ck_assert(gg_json_str(gg_json_get(v, "s"), &s) && gg_str_is_equal(s, GG_STR("a\0b")));
    ck_assert(gg_json_bool(gg_json_get(v, "t"), &b) && b);
    ck_assert(gg_json_has(v, "n") && gg_json_get(v, "n") == NULL);
    ck_assert(!gg_json_has(v, "x") && gg_json_get(v, "x") == NULL);
    ck_assert(!gg_json_has(NULL, "x") && gg_json_get(NULL, "x") == NULL);
    ck_assert(!gg_json_has(gg_json_get(v, "l"), "x") &&
              gg_json_get(gg_json_get(v, "l"), "x") == NULL);
    ck_assert_uint_eq(gg_json_length(gg_json_get(v, "l")), 2);
    ck_assert_uint_eq(gg_json_length(v), 0);
    ck_assert_uint_eq(gg_json_length(NULL), 0);
    ck_assert_ptr_nonnull(gg_json_at(gg_json_get(v, "l"), 0));
    ck_assert_ptr_null(gg_json_at(gg_json_get(v, "l"), 2));
    ck_assert_ptr_null(gg_json_at(v, 0));
    ck_assert_uint_eq(gg_json_text(v, "s").n, 3);
    ck_assert_ptr_null(gg_json_text(v, "t").p);
    ck_assert_ptr_null(gg_json_text(v, "x").p);
    s = GG_STR("old");
    ck_assert(!gg_json_str(gg_json_get(v, "t"), &s) && !gg_json_bool(gg_json_get(v, "s"), &b));
    ck_assert_gg_str(s, "old");
    gg_arena_close(arena);
}
END_TEST

START_TEST(names_keep_their_order)
{
    arena = gg_arena_open();
    struct gg_json *v = parsed("{\"z\":1,\"\\u00e4\":2,\"\":3}");
    ck_assert_gg_str(gg_json_name(v, 0), "z");
    ck_assert_gg_str(gg_json_name(v, 1), "\xc3\xa4");
    ck_assert_gg_str(gg_json_name(v, 2), "");
    ck_assert_ptr_null(gg_json_name(v, 3).p);
    ck_assert_ptr_null(gg_json_name(parsed("{}"), 0).p);
    ck_assert_ptr_null(gg_json_name(parsed("[1]"), 0).p);
    ck_assert_ptr_null(gg_json_name(NULL, 0).p);
    gg_arena_close(arena);
}
END_TEST

/* A body of the largest size, all names: neither parsing nor walking may be quadratic. */
START_TEST(many_names_are_walked_in_time)
{
    enum { NAMES = 90000 };
    struct gg_buf b;

    arena = gg_arena_open();
    gg_buf_init(&b, arena, (size_t)2 << 20);
    for (int i = 0; i < NAMES; i++)
        gg_buf_add_fmt(&b, "%c\"%d\":1", i == 0 ? '{' : ',', i);
    gg_buf_add_char(&b, '}');
    struct gg_json *v = parsed(b.p);
    for (size_t i = 0; i < NAMES; i++)
        ck_assert(gg_json_name(v, i).p != NULL);
    gg_arena_close(arena);
}
END_TEST

START_TEST(printing)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"null", "null"},
        {" { \"a\" : [ 1 , 2.50 , 1e3 , null , true ] } ", "{\"a\":[1,2.50,1e3,null,true]}"},
        {"\"http:\\/\\/x\\u0041\"", "\"http://xA\""},
        {"\"\\u0000\\n\\\"\\\\\"", "\"\\u0000\\n\\\"\\\\\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        /* Bits 10 to 15 of U+2D800 and U+10DDE1 are those of a surrogate. */
        {"{\"\\ud876\\udc00\":\"\\udbf7\\udde1\"}", "{\"\xf0\xad\xa0\x80\":\"\xf4\x8d\xb7\xa1\"}"},
        {"\"\\ud83d\\u0041\\\\ud83d\\ude00\"", "\"\xef\xbf\xbd"
                                               "A\\\\ud83d\xef\xbf\xbd\""},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_gg_str(gg_json_print(arena, parsed(cases[i].in)), cases[i].out);
    gg_arena_close(arena);
}
END_TEST

/* What a page of Graph's is taken apart with: the elements found, each in angle brackets; "none"
 * when there is no such member, or more than one. */
START_TEST(parts)
{
    static const struct {
        const char *text;
        const char *found;
    } cases[] = {
        {"{\"value\":[]}", ""},
        {" { \"value\" : [ 1 , \"a\" , { \"b\" : [ ] } ] } ", "<1><\"a\"><{ \"b\" : [ ] }>"},
        {"{\"a\":{\"value\":[1]},\"value\":[2]}", "<2>"},
        {"{\"a\":[[{\"value\":[1]}]],\"b\":\"\\\"value\\\":[1]\",\"value\":[-1.5e3,true]}",
         "<-1.5e3><true>"},
        {"{\"value\":[\"]\",\"\\\"],[\",\"\\\\\",{\"}]\":\"{[\"}]}",
         "<\"]\"><\"\\\"],[\"><\"\\\\\"><{\"}]\":\"{[\"}>"},
        {"{\"value\":[[],[[1,2],[3]],{}]}", "<[]><[[1,2],[3]]><{}>"},
        {"{\"v\\u0061lue\":[1]}", "<1>"},
        {"{\"value\":[{\"a\":1,\"a\":2},{\"b\\u0000\":1}]}",
         "<{\"a\":1,\"a\":2}><{\"b\\u0000\":1}>"},
        {"{\"value\":[1],\"value\":[2]}", "none"},
        {"{\"value\":[1],\"v\\u0061lue\":[2]}", "none"},
        {"{\"value\":{}}", ""},
        {"{\"Value\":[1]}", "none"},
        {"{\"value\\u0000\":[1]}", "none"},
        {"[\"value\",[1]]", "none"},
        {"null", "none"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_buf b;
        struct gg_jsontext_part all;
        gg_buf_init(&b, arena, 1000);
        ck_assert(gg_json_split(arena, gg_str_of(cases[i].text), 2, &all, &err));
        const struct gg_jsontext_part *value = gg_json_part(arena, &all, "value");
        if (value == NULL)
            gg_buf_add_text(&b, "none");
        for (size_t k = 0; value != NULL && k < value->count; k++)
            gg_buf_add_fmt(&b, "<%.*s>", GG_STR_ARG(value->parts[k].text));
        ck_assert_msg(gg_str_is(gg_buf_str(&b), cases[i].found), "%s: %s", cases[i].text, b.p);
    }
    err = (struct gg_err){0};
    struct gg_jsontext_part all;
    ck_assert(!gg_json_split(arena, GG_STR("{\"value\":[1,]}"), 2, &all, &err));
    ck_assert_int_eq(err.code, GG_EINVALIDJSON);
    gg_arena_close(arena);
}
END_TEST

START_TEST(texts_of_parts)
{
    static const struct {
        const char *text;
        const char *found;
    } cases[] = {
        {"{\"a\":\"b\"}", "b"},
        {"{\"a\":\"https:\\/\\/x\\u0041\"}", "https://xA"},
        {"{\"a\":\"\\ud800\"}", "\xef\xbf\xbd"},
        {"{\"a\":1}", NULL},
        {"{\"b\":\"a\"}", NULL},
        {"{\"a\":\"b\",\"a\":\"c\"}", NULL},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_jsontext_part all;
        ck_assert(gg_json_split(arena, gg_str_of(cases[i].text), 1, &all, &err));
        struct gg_str found = gg_json_part_text(arena, &all, "a");
        ck_assert_msg((found.p == NULL) == (cases[i].found == NULL), "%s", cases[i].text);
        if (found.p != NULL)
            ck_assert_gg_str(found, cases[i].found);
    }
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/json", well_formed, not_well_formed, the_length_counts, nesting, weight, types,
             numbers, members, names_keep_their_order, many_names_are_walked_in_time, printing,
             parts, texts_of_parts)
