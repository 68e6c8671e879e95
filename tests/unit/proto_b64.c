/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/b64.h"

static struct gg_arena *arena;

/* RFC 4648 section 10, and bytes that need both special characters. */
static const struct {
    const char *raw;
    const char *padded;
    const char *bare;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xbe", "-_--", "-_--"},
    {"\xff\xff", "__8=", "__8"},
};

START_TEST(vectors_both_ways)
{
    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct gg_str raw = gg_str_of(vectors[i].raw);
        struct gg_str out;
        ck_assert_gg_str(gg_b64_format(arena, GG_B64_PADDED, raw), vectors[i].padded);
        ck_assert_gg_str(gg_b64_format(arena, GG_B64_BARE, raw), vectors[i].bare);
        ck_assert(gg_b64_parse(arena, GG_B64_PADDED, gg_str_of(vectors[i].padded), &out));
        ck_assert(gg_str_is_equal(out, raw));
        ck_assert(gg_b64_parse(arena, GG_B64_BARE, gg_str_of(vectors[i].bare), &out));
        ck_assert(gg_str_is_equal(out, raw));
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(every_length_comes_back)
{
    char raw[100];
    struct gg_str out;

    arena = gg_arena_open();
    for (size_t n = 0; n < sizeof raw; n++) {
        for (size_t i = 0; i < n; i++)
            raw[i] = (char)(i * 37 + n);
        for (enum gg_b64 form = GG_B64_PADDED; form <= GG_B64_BARE; form++) {
            struct gg_str text = gg_b64_format(arena, form, (struct gg_str){raw, n});
            ck_assert(gg_b64_parse(arena, form, text, &out));
            ck_assert(gg_str_is_equal(out, (struct gg_str){raw, n}));
        }
    }
    gg_arena_close(arena);
}
END_TEST

/* "Zg" and its like have spare bits: of 64 last characters only those with none set are right. */
START_TEST(stray_bits_are_refused)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct gg_str out;

    arena = gg_arena_open();
    for (int i = 0; i < 64; i++) {
        char one[] = {'A', alphabet[i]};
        char two[] = {'A', 'A', alphabet[i]};
        ck_assert_int_eq(gg_b64_parse(arena, GG_B64_BARE, (struct gg_str){one, 2}, &out),
                         i % 16 == 0);
        ck_assert_int_eq(gg_b64_parse(arena, GG_B64_BARE, (struct gg_str){two, 3}, &out),
                         i % 4 == 0);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(one_form_only)
{
    static const struct {
        const char *in;
        bool padded;
        bool bare;
        bool any;
    } cases[] = {
        {"Zg==", true, false, true},       {"Zg", false, true, true},
        {"Zg=", false, false, false},      {"Zg===", false, false, false},
        {"Zm9v====", false, false, false}, {"Zm9v=", false, false, false},
        {"Z", false, false, false},        {"Zm9vY", false, false, false},
        {"Z===", false, false, false},     {"====", false, false, false},
        {"==", false, false, false},       {"=", false, false, false},
        {"Zg==Zg==", false, false, false}, {"Zg=g", false, false, false},
        {"Zh==", false, false, false},     {"Zh", false, false, false},
        {"A", false, false, false},        {"AAAAA", false, false, false},
        {"A===", false, false, false},     {"-_--", true, true, true},
        {"+/++", false, false, true},      {"__8=", true, false, true},
        {"//8=", false, false, true},      {"//8", false, false, true},
        {"Zm 9", false, false, false},     {"Zm9v\n", false, false, false},
        {" Zm9v", false, false, false},    {"Zm9v ", false, false, false},
        {"Zm9\xc3", false, false, false},  {"Zm.v", false, false, false},
        {"Zm9,", false, false, false},     {"Zm9@", false, false, false},
        {"Zm9[", false, false, false},     {"Zm9`", false, false, false},
        {"Zm9{", false, false, false},
    };
    struct gg_str out;

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_str in = gg_str_of(cases[i].in);
        ck_assert_msg(gg_b64_parse(arena, GG_B64_PADDED, in, &out) == cases[i].padded, "padded %s",
                      cases[i].in);
        ck_assert_msg(gg_b64_parse(arena, GG_B64_BARE, in, &out) == cases[i].bare, "bare %s",
                      cases[i].in);
        ck_assert_msg(gg_b64_parse_any(arena, in, &out) == cases[i].any, "any %s", cases[i].in);
    }
    ck_assert(!gg_b64_parse(arena, GG_B64_BARE, GG_STR("Zm9\0"), &out));
    ck_assert(!gg_b64_parse_any(arena, GG_STR("Zm\0v"), &out));
    gg_arena_close(arena);
}
END_TEST

START_TEST(any_reads_both_alphabets)
{
    struct gg_str out;

    arena = gg_arena_open();
    ck_assert(gg_b64_parse_any(arena, GG_STR("+/++"), &out));
    ck_assert_gg_str(out, "\xfb\xff\xbe");
    ck_assert(gg_b64_parse_any(arena, GG_STR("-_--"), &out));
    ck_assert_gg_str(out, "\xfb\xff\xbe");
    ck_assert(gg_b64_parse_any(arena, GG_STR(""), &out));
    ck_assert_gg_str(out, "");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/b64", vectors_both_ways, every_length_comes_back, stray_bits_are_refused,
             one_form_only, any_reads_both_alphabets)
