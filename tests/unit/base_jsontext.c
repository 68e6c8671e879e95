/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/base/jsontext.h"

#include <string.h>

/* What is well-formed is tested where json-c has its say too, in ext_json.c. */

static struct gg_arena *arena;

static bool checks(struct gg_str text)
{
    struct gg_jsontext seen;

    return gg_jsontext_check(text, &seen);
}

START_TEST(what_is_seen)
{
    static const struct {
        const char *text;
        size_t members;
        bool has_nul_name;
    } cases[] = {
        {"1", 0, false},
        {"[1,2,\"a:b\"]", 0, false},
        {"{\"a\":1}", 1, false},
        {"{\"a\":{\"b\":1,\"a\":{}},\"c\":[{\"d\":{}}]}", 5, false},
        {"{\"a\":\"\\u0000\"}", 1, false},
        {"{\"a\\u0000\":1}", 1, true},
        {"{\"\\u0000\":1,\"b\":2}", 2, true},
        {"{\"\\\\u0000\":1}", 1, false},
        {"{\"\\u00000\":1}", 1, true},
        {"{\"\\u0001\":1}", 1, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_jsontext seen;
        ck_assert(gg_jsontext_check(gg_str_of(cases[i].text), &seen));
        ck_assert_msg(seen.members == cases[i].members, "%s", cases[i].text);
        ck_assert_msg(seen.has_nul_name == cases[i].has_nul_name, "%s", cases[i].text);
    }
}
END_TEST

/* Strings are read eight bytes at a time: each byte, at each place, in strings of each length. */
START_TEST(every_byte_at_every_place)
{
    char text[40];

    for (size_t n = 1; n <= 20; n++)
        for (size_t at = 0; at < n; at++)
            for (int c = 0; c < 256; c++) {
                text[0] = '"';
                memset(text + 1, 'x', n);
                text[1 + at] = (char)c;
                text[1 + n] = '"';
                bool good = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
                ck_assert_msg(checks((struct gg_str){text, n + 2}) == good, "%d at %zu of %zu", c,
                              at, n);
                ck_assert(checks((struct gg_str){text, n + 1}) == (c == '"' && at == n - 1));
            }
}
END_TEST

START_TEST(utf8_at_every_place)
{
    static const struct {
        const char *bytes;
        bool good;
    } cases[] = {
        {"\xc3\xa9", true},          {"\xe2\x98\x83", true}, {"\xf0\x9f\x98\x80", true},
        {"\xc0\x80", false},         {"\xe2\x98", false},    {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false}, {"\x80", false},        {"\xf0\x9f\x98\"", false},
    };
    char text[40];

    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t at = 0; at < 17; at++) {
            size_t n = strlen(cases[i].bytes);
            memset(text, 'x', sizeof text);
            text[0] = '"';
            memcpy(text + 1 + at, cases[i].bytes, n);
            text[20 + n] = '"';
            ck_assert_msg(checks((struct gg_str){text, 21 + n}) == cases[i].good, "%zu at %zu", i,
                          at);
        }
}
END_TEST

/* Nothing behind the end is looked at: each text is cut at each of its bytes. */
START_TEST(every_cut)
{
    static const char text[] =
        " {\"a\\u00e9\\n\":[-1.5e+3,true,false,null,{\"b\":\"0123456789\"},[]],\"c\":{}} ";

    ck_assert(checks(gg_str_of(text)));
    ck_assert(!checks((struct gg_str){text, 0}));
    for (size_t n = 1; n + 2 < sizeof text - 1; n++) {
        char *cut = malloc(n); /* no byte more, for AddressSanitizer to see */
        ck_assert(cut != NULL);
        memcpy(cut, text, n);
        ck_assert_msg(!checks((struct gg_str){cut, n}), "%zu", n);
        free(cut);
    }
}
END_TEST

/* A tree as text: name=text of each part, in round brackets those below it. */
static void draw(struct gg_buf *b, const struct gg_jsontext_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct gg_jsontext_part *one = &part->parts[i];
        gg_buf_add_fmt(b, "%s%.*s=%.*s", i == 0 ? "" : " ", GG_STR_ARG(one->name),
                       GG_STR_ARG(one->text));
        if (one->count > 0) {
            gg_buf_add_char(b, '(');
            draw(b, one);
            gg_buf_add_char(b, ')');
        }
    }
}

START_TEST(levels)
{
    static const char text[] = "[ {\"a\" : [1, [2]], \"b\":{\"c\":3}} , 4 ]";
    static const char *const drawn[] = {
        "",
        "={\"a\" : [1, [2]], \"b\":{\"c\":3}} =4",
        "={\"a\" : [1, [2]], \"b\":{\"c\":3}}(a=[1, [2]] b={\"c\":3}) =4",
        "={\"a\" : [1, [2]], \"b\":{\"c\":3}}(a=[1, [2]](=1 =[2]) b={\"c\":3}(c=3)) =4",
        "={\"a\" : [1, [2]], \"b\":{\"c\":3}}(a=[1, [2]](=1 =[2](=2)) b={\"c\":3}(c=3)) =4",
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(drawn); i++) {
        struct gg_jsontext_part all;
        struct gg_buf b;
        ck_assert(gg_jsontext_split(arena, gg_str_of(text), (int)i, &all));
        ck_assert_gg_str(all.text, text);
        gg_buf_init(&b, arena, 1000);
        draw(&b, &all);
        ck_assert_gg_str(gg_buf_str(&b), drawn[i]);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(many_parts)
{
    enum { MANY = 1000 };
    char text[2 * MANY + 2] = "[";

    for (size_t i = 0; i < MANY; i++) {
        text[1 + 2 * i] = (char)('0' + i % 10);
        text[2 + 2 * i] = ',';
        arena = gg_arena_open();
        struct gg_jsontext_part all;
        char end = text[2 + 2 * i];
        text[2 + 2 * i] = ']';
        ck_assert(gg_jsontext_split(arena, (struct gg_str){text, 3 + 2 * i}, 1, &all));
        ck_assert_uint_eq(all.count, i + 1);
        for (size_t k = 0; k <= i; k++)
            ck_assert(all.parts[k].text.n == 1 && all.parts[k].text.p == text + 1 + 2 * k);
        text[2 + 2 * i] = end;
        gg_arena_close(arena);
    }
}
END_TEST

/* Only what is cut counts: one deeper, or checked alone, may be as heavy as any. */
START_TEST(too_many_parts)
{
    for (size_t n = GG_JSONTEXT_PARTS - 1; n <= GG_JSONTEXT_PARTS + 1; n++) {
        char *text = malloc(2 * n + 3);
        struct gg_jsontext_part all;
        ck_assert(text != NULL);
        memset(text, '[', 2);
        for (size_t i = 0; i < n; i++) {
            text[2 + 2 * i] = '0';
            text[3 + 2 * i] = i == n - 1 ? ']' : ',';
        }
        text[2 + 2 * n] = ']';
        arena = gg_arena_open();
        ck_assert(gg_jsontext_split(arena, (struct gg_str){text, 2 * n + 3}, 1, &all));
        struct gg_str flat = {text + 1, 2 * n + 1};
        ck_assert(checks(flat));
        ck_assert(gg_jsontext_split(arena, flat, 1, &all) == (n <= GG_JSONTEXT_PARTS));
        gg_arena_close(arena);
        free(text);
    }
}
END_TEST

GG_UNIT_MAIN("base/jsontext", what_is_seen, every_byte_at_every_place, utf8_at_every_place,
             every_cut, levels, many_parts, too_many_parts)
