/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/logline.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct gg_logline line;

/* The line of one format, without its end. */
static const char *made(enum gg_logline_form form, const char *fmt, ...) GG_PRINTF(2, 3);
static const char *made(enum gg_logline_form form, const char *fmt, ...)
{
    va_list ap;

    gg_logline_begin(&line, form);
    va_start(ap, fmt);
    gg_logline_add_fmt(&line, fmt, ap);
    va_end(ap);
    struct gg_str text = gg_logline_end(&line);
    ck_assert_uint_le(text.n, GG_LOGLINE_BYTES - 1);
    ck_assert_uint_eq(strlen(text.p), text.n);
    ck_assert_ptr_eq(strchr(text.p, '\n'), text.p + text.n - 1);
    line.p[text.n - 1] = '\0';
    return line.p;
}

#define LOGFMT(...) made(GG_LOGLINE_LOGFMT, __VA_ARGS__)
#define JSON(...)   made(GG_LOGLINE_JSON, __VA_ARGS__)

START_TEST(every_conversion)
{
    ck_assert_str_eq(LOGFMT("a=%s b=%.*s c=%.2s d=%c e=%%", "x", 2, "yzw", "123", '!'),
                     "a=x b=yz c=12 d=! e=%");
    ck_assert_str_eq(LOGFMT("a=%d b=%i c=%u d=%x", -1, 2, 3U, 255U), "a=-1 b=2 c=3 d=ff");
    ck_assert_str_eq(LOGFMT("a=%ld b=%lu c=%lld d=%llu e=%llx", -1L, 2UL, INT64_MIN + 0LL,
                            UINT64_MAX + 0ULL, 0xabcdefULL),
                     "a=-1 b=2 c=-9223372036854775808 d=18446744073709551615 e=abcdef");
    ck_assert_str_eq(LOGFMT("a=%zu b=%jd c=%hhu d=%hd e=%zd", (size_t)7, (intmax_t)8,
                            (unsigned char)9, (short)10, (ssize_t)-1),
                     "a=7 b=8 c=9 d=10 e=-1");
    ck_assert_str_eq(JSON("a=%s b=%d c=%u d=%x e=\"%d\" f=%d%%", "1", -2, 3U, 4U, 5, 6),
                     "{\"a\":\"1\",\"b\":-2,\"c\":3,\"d\":\"4\",\"e\":\"5\",\"f\":\"6%\"}");
}
END_TEST

START_TEST(text_around_conversions)
{
    ck_assert_str_eq(LOGFMT("a=x b=\"one two\" c=%s-%s d=\"%s, %d\" e= f=\"\"", "1", "2", "3", 4),
                     "a=x b=\"one two\" c=1-2 d=\"3, 4\" e= f=\"\"");
    ck_assert_str_eq(JSON("a=x b=\"one two\" c=%s-%s d=\"%s, %d\" e= f=\"\"", "1", "2", "3", 4),
                     "{\"a\":\"x\",\"b\":\"one two\",\"c\":\"1-2\",\"d\":\"3, 4\",\"e\":\"\","
                     "\"f\":\"\"}");
    const char *volatile none = NULL;
    ck_assert_str_eq(LOGFMT("a=%s", none), "a=(null)");
    ck_assert_str_eq(LOGFMT("a=%.*s b=%s", -1, "whole", "x"), "a=whole b=x");
    ck_assert_str_eq(LOGFMT("a=1 "), "a=1");
    ck_assert_str_eq(JSON("a=1"), "{\"a\":\"1\"}");
}
END_TEST

/* Bytes behind the given length are not even looked at. */
START_TEST(lengths_are_kept)
{
    struct gg_arena *a = gg_arena_open();
    char *three = gg_arena_alloc(a, 3);

    memcpy(three, "xyz", 3);
    ck_assert_str_eq(LOGFMT("a=%.*s b=%d", 3, three, 1), "a=xyz b=1");
    ck_assert_str_eq(LOGFMT("a=%.*s b=%d", 0, three, 1), "a= b=1");
    ck_assert_str_eq(LOGFMT("a=%.*s b=%d", 4, "x\0yz", 1), "a=x b=1");
    gg_arena_close(a);
}
END_TEST

/* mutant: src/base/logline.c: || needs_quotes(value) ? => || false ? */
START_TEST(a_value_makes_no_key)
{
    ck_assert_str_eq(LOGFMT("a=%s b=%s", "1 level=error", "x=y"), "a=\"1 level=error\" b=\"x=y\"");
    ck_assert_str_eq(LOGFMT("a=\"%s\" b=2", "x\" b=\"1"), "a=\"x\\x22 b=\\x221\" b=2");
    ck_assert_str_eq(LOGFMT("a=%s b=2", "\""), "a=\"\\x22\" b=2");
    ck_assert_str_eq(LOGFMT("a=%s b=2", "x\\"), "a=x\\x5c b=2");
    ck_assert_str_eq(LOGFMT("a=%s b=2", "\n\r\t\x1b\x7f\x01"),
                     "a=\\x0a\\x0d\\x09\\x1b\\x7f\\x01 b=2");
    ck_assert_str_eq(JSON("a=\"%s\" b=2", "x\",\"b\":\"1"),
                     "{\"a\":\"x\\\",\\\"b\\\":\\\"1\",\"b\":\"2\"}");
    ck_assert_str_eq(JSON("a=%s", "\n\\\x7f\x01"), "{\"a\":\"\\u000a\\\\\\u007f\\u0001\"}");
}
END_TEST

/* Whole characters stay readable in JSON; bytes that are none become U+FFFD. */
START_TEST(both_forms_are_ascii)
{
    const char *text = "\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\xff\xc3";

    ck_assert_str_eq(LOGFMT("a=%s", text),
                     "a=\\xc3\\xa9\\xe2\\x80\\xa8\\xf0\\x9f\\x98\\x80\\xff\\xc3");
    ck_assert_str_eq(JSON("a=%s", text), "{\"a\":\"\\u00e9\\u2028\\ud83d\\ude00\\ufffd\\ufffd\"}");
    /* A surrogate, an overlong slash, a number above the last. */
    ck_assert_str_eq(JSON("a=%s", "\xed\xa0\x80z"), "{\"a\":\"\\ufffd\\ufffd\\ufffdz\"}");
    ck_assert_str_eq(JSON("a=%s", "\xc0\xafz"), "{\"a\":\"\\ufffd\\ufffdz\"}");
    ck_assert_str_eq(JSON("a=%s", "\xf4\x90\x80\x80z"),
                     "{\"a\":\"\\ufffd\\ufffd\\ufffd\\ufffdz\"}");
}
END_TEST

/* With what is not known no argument is taken: the format itself is shown. */
START_TEST(an_unknown_format_is_text)
{
    static const char *const formats[] = {"%5d", "a=%f",  "just words", "=x",
                                          "A=1", "a=\"x", "a=\"x\"y",   "a=%"};

    for (size_t i = 0; i < COUNT(formats); i++) {
        char want[192];
        char logfmt[128];
        const char *fmt = formats[i];
        gg_logline_begin(&line, GG_LOGLINE_JSON);
        va_list none;
        memset(&none, 0, sizeof none);
        gg_logline_add(&line, "b", GG_STR("1"));
        gg_logline_add_fmt(&line, fmt, none);
        (void)gg_logline_end(&line);
        size_t n = 0;
        for (const char *p = fmt; *p != '\0'; p++)
            n += (size_t)snprintf(logfmt + n, sizeof logfmt - n, "%s%c", *p == '"' ? "\\" : "", *p);
        (void)snprintf(want, sizeof want, "{\"b\":\"1\",\"text\":\"%s\"}\n", logfmt);
        ck_assert_str_eq(line.p, want);
    }
    ck_assert_str_eq(LOGFMT("a=%d %s", 1, "x"), "a=1 text=\"%s\"");
}
END_TEST

static void check_cut(enum gg_logline_form form, const char *text, size_t least)
{
    const char *out = made(form, "a=%s text=\"%s\" c=%d d=%s", "x", text, 12345, "y");
    const char *end = form == GG_LOGLINE_JSON ? "\"}" : "\"";
    size_t n = strlen(out);

    ck_assert_uint_ge(n, least);
    ck_assert_ptr_null(strstr(out, "12345"));
    ck_assert_ptr_null(strstr(out, "y"));
    ck_assert_str_eq(out + n - strlen(end), end);
}

/* mutant: src/base/logline.c: if (l->is_full || l->n => if (l->n */
START_TEST(a_long_line_is_cut_and_whole)
{
    static const char *const pieces[] = {"x", "\x01", "\"", "\xf0\x9f\x98\x80", "\xff"};
    static char huge[3 * GG_LOGLINE_BYTES];

    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t n = strlen(pieces[i]);
        for (size_t at = 0; at + n < sizeof huge; at += n)
            memcpy(huge + at, pieces[i], n);
        check_cut(GG_LOGLINE_LOGFMT, huge, GG_LOGLINE_BYTES - 20);
        check_cut(GG_LOGLINE_JSON, huge, GG_LOGLINE_BYTES - 20);
        memset(huge, 0, sizeof huge);
    }
}
END_TEST

/* A number has all of its digits, or is not there. */
START_TEST(a_number_is_not_cut)
{
    static char text[GG_LOGLINE_BYTES];

    for (size_t n = GG_LOGLINE_BYTES - 120; n < GG_LOGLINE_BYTES - 1; n++) {
        memset(text, 'x', n);
        const char *out = JSON("a=%s b=%d", text, 1234567);
        const char *number = strstr(out, "\"b\"");
        ck_assert(number == NULL || strcmp(number, "\"b\":1234567}") == 0);
        ck_assert_str_eq(out + strlen(out) - 1, "}");
    }
}
END_TEST

static void name(struct gg_str subject, char *out, size_t size)
{
    (void)snprintf(out, size, "<%zu \"%.*s\">", size, GG_STR_ARG(subject));
}

/* A name is a value too. */
START_TEST(a_subject_is_named)
{
    gg_logline_begin(&line, GG_LOGLINE_LOGFMT);
    line.name_subject = name;
    gg_logline_add(&line, "subject", GG_STR("42"));
    gg_logline_add(&line, "subjects", GG_STR("42"));
    ck_assert_gg_str(gg_logline_end(&line), "subject=\"<64 \\x2242\\x22>\" subjects=42\n");
}
END_TEST

GG_UNIT_MAIN("base/logline", every_conversion, text_around_conversions, lengths_are_kept,
             a_value_makes_no_key, both_forms_are_ascii, an_unknown_format_is_text,
             a_long_line_is_cut_and_whole, a_number_is_not_cut, a_subject_is_named)
