/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>

static const struct gg_str absent;

START_TEST(equality)
{
    ck_assert(gg_str_is_equal(absent, GG_STR("")));
    ck_assert(gg_str_is_equal(GG_STR("a\0b"), GG_STR("a\0b")));
    ck_assert(!gg_str_is_equal(GG_STR("a\0b"), GG_STR("a\0c")));
    ck_assert(!gg_str_is_equal(GG_STR("ab"), GG_STR("abc")));
    ck_assert(gg_str_is(GG_STR("ab"), "ab"));
    ck_assert(!gg_str_is(GG_STR("ab\0"), "ab"));
    ck_assert(!gg_str_is(GG_STR("AB"), "ab"));
    ck_assert(gg_str_is_equal_nocase(GG_STR("AbZ"), GG_STR("aBz")));
    ck_assert(!gg_str_is_equal_nocase(GG_STR("@["), GG_STR("`{")));
    ck_assert(!gg_str_is_equal_nocase(GG_STR("\xc3\x84"), GG_STR("\xc3\xa4")));
    ck_assert_ptr_null(gg_str_of(NULL).p);
}
END_TEST

START_TEST(parts)
{
    ck_assert(gg_str_has_prefix(GG_STR("abc"), "ab"));
    ck_assert(gg_str_has_prefix(absent, ""));
    ck_assert(!gg_str_has_prefix(GG_STR("a"), "ab"));
    ck_assert_gg_str(gg_str_skip(GG_STR("abc"), 1), "bc");
    ck_assert_gg_str(gg_str_skip(GG_STR("abc"), 3), "");
    ck_assert_gg_str(gg_str_skip(GG_STR("abc"), 99), "");
    ck_assert_gg_str(gg_str_trim(GG_STR(" \t a b\t ")), "a b");
    ck_assert_gg_str(gg_str_trim(GG_STR(" \t ")), "");
    ck_assert_gg_str(gg_str_trim(GG_STR("\na\n")), "\na\n");
}
END_TEST

/* What taking by ',' gives, each part in brackets. */
START_TEST(taking)
{
    static const struct {
        struct gg_str in;
        const char *parts;
    } cases[] = {
        {{NULL, 0}, ""},        {{"", 0}, "[]"},           {{"a", 1}, "[a]"},
        {{"a,b", 3}, "[a][b]"}, {{",", 1}, "[][]"},        {{"a,", 2}, "[a][]"},
        {{",a", 2}, "[][a]"},   {{"a,,b", 4}, "[a][][b]"}, {{"a,b,c", 4}, "[a][b][]"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[64] = "";
        size_t n = 0;
        struct gg_str rest = cases[i].in;
        struct gg_str part;
        while (gg_str_take(&rest, ',', &part))
            n += (size_t)snprintf(got + n, sizeof got - n, "[%.*s]", GG_STR_ARG(part));
        ck_assert_str_eq(got, cases[i].parts);
    }
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *in;
        int64_t out; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"9999999999999999999", -1},
        {"10000000000000000000", -1},
        {"18446744073709551617", -1},
        {"", -1},
        {"00", -1},
        {"01", -1},
        {"-1", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1.0", -1},
        {"0x1", -1},
        {"1e3", -1},
        {"\xd9\xa1", -1}, /* an Arabic 1 */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t v = -1;
        bool good = gg_str_parse_int(gg_str_of(cases[i].in), 0, INT64_MAX, &v);
        ck_assert_msg(good == (cases[i].out >= 0) && v == cases[i].out, "\"%s\"", cases[i].in);
    }
}
END_TEST

START_TEST(numbers_have_bounds)
{
    int64_t v = 5;

    ck_assert(!gg_str_parse_int(GG_STR("9"), 10, 20, &v));
    ck_assert(!gg_str_parse_int(GG_STR("21"), 10, 20, &v));
    ck_assert_int_eq(v, 5);
    ck_assert(gg_str_parse_int(GG_STR("10"), 10, 20, &v) && v == 10);
    ck_assert(gg_str_parse_int(GG_STR("20"), 10, 20, &v) && v == 20);
    ck_assert(!gg_str_parse_int(absent, 0, 1, &v));
    ck_assert(!gg_str_parse_int(GG_STR("1\0"), 0, 1, &v));
}
END_TEST

START_TEST(numbers_are_written)
{
    static const struct {
        int64_t n;
        const char *decimal;
        const char *hex; /* of the same bits */
    } cases[] = {
        {0, "0", "0"},
        {-1, "-1", "ffffffffffffffff"},
        {10, "10", "a"},
        {-987, "-987", "fffffffffffffc25"},
        {INT64_MAX, "9223372036854775807", "7fffffffffffffff"},
        {INT64_MIN, "-9223372036854775808", "8000000000000000"},
    };
    char room[GG_STR_NUMBER_BYTES];

    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_gg_str(gg_str_format_int(room, cases[i].n), cases[i].decimal);
        ck_assert_gg_str(gg_str_format_digits(room, (uint64_t)cases[i].n, 16), cases[i].hex);
    }
    ck_assert_gg_str(gg_str_format_digits(room, UINT64_MAX, 10), "18446744073709551615");
}
END_TEST

START_TEST(words)
{
    ck_assert(gg_str_is_word(GG_STR("aZ09"), 4, ""));
    ck_assert(gg_str_is_word(GG_STR("a-b_c."), 64, "._-"));
    ck_assert(!gg_str_is_word(GG_STR("aZ09"), 3, ""));
    ck_assert(!gg_str_is_word(GG_STR(""), 3, ""));
    ck_assert(!gg_str_is_word(GG_STR("a b"), 64, "._-"));
    ck_assert(!gg_str_is_word(GG_STR("a\0"), 64, "._-"));
    ck_assert(!gg_str_is_word(GG_STR("a\n"), 64, "._-"));
    ck_assert(!gg_str_is_word(GG_STR("\xc3\xa4"), 64, "._-"));
}
END_TEST

START_TEST(printable)
{
    ck_assert(gg_str_is_printable(GG_STR(" ~\xc3\xa4")));
    ck_assert(gg_str_is_printable(absent));
    ck_assert(!gg_str_is_printable(GG_STR("\r")));
    ck_assert(!gg_str_is_printable(GG_STR("a\x7f")));
    ck_assert(!gg_str_is_printable(GG_STR("a\0b")));
    ck_assert(!gg_str_is_printable(GG_STR("\x1f")));
}
END_TEST

START_TEST(utf8)
{
    static const struct {
        const char *in;
        long count;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"\xc2\x80", 1},
        {"\xdf\xbf", 1},
        {"\xe0\xa0\x80", 1},
        {"\xed\x9f\xbf", 1},
        {"\xee\x80\x80", 1},
        {"\xef\xbf\xbf", 1},
        {"\xf0\x90\x80\x80", 1},
        {"\xf4\x8f\xbf\xbf", 1},
        {"a\xc3\xa4z", 3},
        {"\xc0\x80", -1},         /* overlong */
        {"\xc1\xbf", -1},         /* overlong */
        {"\xe0\x9f\xbf", -1},     /* overlong */
        {"\xf0\x8f\xbf\xbf", -1}, /* overlong */
        {"\xed\xa0\x80", -1},     /* surrogate */
        {"\xed\xbf\xbf", -1},     /* surrogate */
        {"\xf4\x90\x80\x80", -1}, /* over U+10FFFF */
        {"\xf5\x80\x80\x80", -1},
        {"\xff", -1},
        {"\x80", -1},
        {"\xc3", -1}, /* cut */
        {"\xe2\x82", -1},
        {"\xf0\x9f\x98", -1},
        {"\xc3z", -1},
        {"\xe2\x82z", -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(gg_str_count_utf8(gg_str_of(cases[i].in)) == cases[i].count, "case %zu", i);
    ck_assert_int_eq(gg_str_count_utf8(GG_STR("a\0b")), 3);
}
END_TEST

START_TEST(uuids)
{
    ck_assert(gg_str_is_uuid(GG_STR("00000000-0000-0000-0000-000000000000")));
    ck_assert(gg_str_is_uuid(GG_STR("9188040D-6c67-4c5b-b112-36a304b66dad")));
    ck_assert(!gg_str_is_uuid(GG_STR("9188040d-6c67-4c5b-b112-36a304b66dag")));
    ck_assert(!gg_str_is_uuid(GG_STR("9188040d-6c67-4c5b-b112-36a304b66da")));
    ck_assert(!gg_str_is_uuid(GG_STR("9188040d-6c67-4c5b-b112-36a304b66dad0")));
    ck_assert(!gg_str_is_uuid(GG_STR("9188040d06c67-4c5b-b112-36a304b66dad")));
    ck_assert(!gg_str_is_uuid(GG_STR("9188040-d6c67-4c5b-b112-36a304b66dad")));
    ck_assert(!gg_str_is_uuid(GG_STR("{188040d-6c67-4c5b-b112-36a304b66da}")));
    ck_assert(!gg_str_is_uuid(absent));
}
END_TEST

GG_UNIT_MAIN("base/str", equality, parts, taking, numbers, numbers_have_bounds, numbers_are_written,
             words, printable, utf8, uuids)
