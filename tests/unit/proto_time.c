/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/time.h"

#include <time.h>

#define YEAR_1    (-62135596800)
#define YEAR_9999 253402300799

/* Seconds as Python's datetime counts them. */
/* promise: faults/clock: Leap days and seconds, 2038, 2100 and 9999 are read to the second */
START_TEST(good_times)
{
    static const struct {
        const char *in;
        enum gg_time_kind kind;
        int64_t seconds;
        int64_t ticks;
    } cases[] = {
        /* RFC 3339 section 5.8 */
        {"1985-04-12T23:20:50.52Z", GG_TIME_INSTANT, 482196050, 5200000},
        {"1996-12-19T16:39:57-08:00", GG_TIME_INSTANT, 851042397, 0},
        {"1990-12-31T23:59:60Z", GG_TIME_INSTANT, 662688000, 0},
        {"1990-12-31T15:59:60-08:00", GG_TIME_INSTANT, 662688000, 0},
        {"1937-01-01T12:00:27.87+00:20", GG_TIME_INSTANT, -1041337173, 8700000},
        /* kinds */
        {"1970-01-01T00:00:00Z", GG_TIME_INSTANT, 0, 0},
        {"1970-01-01t00:00:00z", GG_TIME_INSTANT, 0, 0},
        {"1970-01-01T00:00:00", GG_TIME_LOCAL, 0, 0},
        {"1970-01-01T00:00:00.5", GG_TIME_LOCAL, 0, 5000000},
        {"1970-01-01", GG_TIME_DATE, 0, 0},
        {"1969-12-31T23:59:59Z", GG_TIME_INSTANT, -1, 0},
        /* offsets */
        {"1970-01-01T00:00:00-00:00", GG_TIME_INSTANT, 0, 0},
        {"1970-01-02T00:00:00+23:59", GG_TIME_INSTANT, 60, 0},
        {"1970-01-01T00:00:00-23:59", GG_TIME_INSTANT, 86340, 0},
        {"2026-03-02T13:00:00+05:30", GG_TIME_INSTANT, 1772436600, 0},
        {"1990-12-31T23:59:60.5Z", GG_TIME_INSTANT, 662688000, 5000000},
        {"1991-01-01T05:29:60+05:30", GG_TIME_INSTANT, 662688000, 0},
        /* fractions */
        {"1970-01-01T00:00:00.1Z", GG_TIME_INSTANT, 0, 1000000},
        {"1970-01-01T00:00:00.0000001Z", GG_TIME_INSTANT, 0, 1},
        {"1970-01-01T00:00:00.9999999Z", GG_TIME_INSTANT, 0, 9999999},
        {"1970-01-01T00:00:00.99999999Z", GG_TIME_INSTANT, 0, 9999999},
        {"1970-01-01T00:00:00.000000099Z", GG_TIME_INSTANT, 0, 0},
        {"2026-03-02T13:00:00.0000000", GG_TIME_LOCAL, 1772456400, 0},
        /* leap days */
        {"2000-02-29", GG_TIME_DATE, 951782400, 0},
        {"2024-02-29", GG_TIME_DATE, 1709164800, 0},
        {"2024-03-01", GG_TIME_DATE, 1709251200, 0},
        {"2400-02-29", GG_TIME_DATE, 13574563200, 0},
        /* edges */
        {"2038-01-19T03:14:07Z", GG_TIME_INSTANT, 2147483647, 0},
        {"2038-01-19T03:14:08Z", GG_TIME_INSTANT, 2147483648, 0},
        {"1901-12-13T20:45:51Z", GG_TIME_INSTANT, -2147483649, 0},
        {"0001-01-01T00:00:00Z", GG_TIME_INSTANT, YEAR_1, 0},
        {"0001-01-01", GG_TIME_DATE, YEAR_1, 0},
        {"9999-12-31T23:59:59.9999999Z", GG_TIME_INSTANT, YEAR_9999, 9999999},
        {"9999-12-31T23:59:59+00:01", GG_TIME_INSTANT, YEAR_9999 - 60, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_time t;
        ck_assert_msg(gg_time_parse(gg_str_of(cases[i].in), &t), "%s", cases[i].in);
        ck_assert_msg(t.kind == cases[i].kind, "%s", cases[i].in);
        ck_assert_msg(t.seconds == cases[i].seconds, "%s: %lld", cases[i].in, (long long)t.seconds);
        ck_assert_msg(t.ticks == cases[i].ticks, "%s: %lld", cases[i].in, (long long)t.ticks);
    }
}
END_TEST

/* clang-format off */
/* promise: faults/clock: Days and times that do not exist are 422 */
START_TEST(bad_times)
{
    static const char *const cases[] = {
        "", "2026", "2026-03", "2026-3-2", "26-03-02", "02026-03-02", "20260302", "2026/03/02",
        "2026-03-02 ", " 2026-03-02", "2026-03-02x", "+2026-03-02", "-026-03-02", "2026-03-0a",
        /* no such day */
        "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29",
        "1900-02-29", "2100-02-29", "2024-02-30", "0000-01-01", "0000-02-29",
        /* no such hour */
        "2026-03-02T24:00:00Z", "2026-03-02T23:60:00Z", "2026-03-02T23:59:61Z",
        "2026-03-02T12:00:60Z", "2026-03-02T23:59:60", "2026-03-02T23:59:60+01:00",
        "2026-03-02T23:58:60Z",
        /* cut and loose forms */
        "2026-03-02T", "2026-03-02T13", "2026-03-02T13:00", "2026-03-02T13:00Z",
        "2026-03-02T13:00:0", "2026-03-02T1:00:00Z", "2026-03-02T13:00:00 Z",
        "2026-03-02 13:00:00Z", "2026-03-02T13.00.00Z", "2026-03-02T13:00:00Z ",
        "2026-03-02T13:00:00ZZ", "2026-03-02T13:00:00\n", "2026-W10-1", "2026-061",
        "2026-03-02T130000Z", "2026-03-02Z", "2026-03-02+01:00",
        /* fractions */
        "2026-03-02T13:00:00.", "2026-03-02T13:00:00.Z", "2026-03-02T13:00:00,5Z",
        "2026-03-02T13:00:00.1234567890Z", "2026-03-02T13:00:00.-1Z", "2026-03-02T13:00:00.1.1Z",
        /* offsets */
        "2026-03-02T13:00:00+", "2026-03-02T13:00:00+01", "2026-03-02T13:00:00+0100",
        "2026-03-02T13:00:00+01:", "2026-03-02T13:00:00+01:0", "2026-03-02T13:00:00+24:00",
        "2026-03-02T13:00:00+01:60", "2026-03-02T13:00:00 01:00", "2026-03-02T13:00:00+01:00:00",
        "2026-03-02T13:00:00GMT", "2026-03-02T13:00:00\342\210\22201:00",
        /* in no four-digit year once the offset is off */
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
    };
    /* clang-format on */
    struct gg_time t;

    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(!gg_time_parse(gg_str_of(cases[i]), &t), "%s", cases[i]);
    ck_assert(!gg_time_parse((struct gg_str){NULL, 0}, &t));
    ck_assert(!gg_time_parse(GG_STR("2026-03-02\0"), &t));
}
END_TEST

/* Against the C library, over every day from 1600 to 2500 and at odd seconds. */
START_TEST(days_agree_with_libc)
{
    struct gg_arena *a = gg_arena_open();

    for (int64_t s = -11676096000; s < 16725225600; s += 86400 - 61) {
        char want[32];
        struct tm tm;
        struct gg_time t;
        time_t at = (time_t)s;
        ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
        (void)strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
        struct gg_str got = gg_time_format_utc(a, s);
        ck_assert_str_eq(got.p, want);
        ck_assert(gg_time_parse(got, &t) && t.seconds == s);
        if (s % 1000 == 0)
            gg_arena_reset(a);
    }
    gg_arena_close(a);
}
END_TEST

START_TEST(formatting)
{
    static const struct {
        int64_t seconds;
        int64_t ticks;
        const char *graph;
    } cases[] = {
        {0, 0, "1970-01-01T00:00:00"},
        {-1, 0, "1969-12-31T23:59:59"},
        {1772456400, 5000000, "2026-03-02T13:00:00.5000000"},
        {1772456400, 1, "2026-03-02T13:00:00.0000001"},
        {951782399, 0, "2000-02-28T23:59:59"},
        {951782400, 0, "2000-02-29T00:00:00"},
        {YEAR_1, 0, "0001-01-01T00:00:00"},
        {YEAR_9999, 9999999, "9999-12-31T23:59:59.9999999"},
        {YEAR_1 - 1, 0, "0001-01-01T00:00:00"},
        {YEAR_9999 + 1, 0, "9999-12-31T23:59:59"},
        {INT64_MIN, 0, "0001-01-01T00:00:00"},
        {INT64_MAX, 0, "9999-12-31T23:59:59"},
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_time t = {.seconds = cases[i].seconds, .ticks = cases[i].ticks};
        ck_assert_gg_str(gg_time_format_graph(a, &t), cases[i].graph);
        const char *utc = gg_arena_printf(a, "%.19sZ", cases[i].graph);
        ck_assert_gg_str(gg_time_format_utc(a, cases[i].seconds), utc);
    }
    gg_arena_close(a);
}
END_TEST

/* promise: faults/clock: Dates of HTTP after 2038 are read right */
START_TEST(http_dates)
{
    static const struct {
        const char *in;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777}, /* RFC 9110 section 5.6.7 */
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
        {"Sunday, 06-Nov-94 08:49:37 GMT", -1},
        {"Sun Nov  6 08:49:37 1994", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 anF 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Wed, 29 Feb 2023 00:00:00 GMT", -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37.5 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 +0000", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 No", -1},
        {"Sun,", -1},
        {"120", -1},
        {"", -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t s = -1;
        bool good = gg_time_parse_http(gg_str_of(cases[i].in), &s);
        ck_assert_msg(good == (cases[i].seconds >= 0) && s == cases[i].seconds, "%s", cases[i].in);
    }
}
END_TEST

START_TEST(comparing)
{
    struct gg_time a = {.seconds = 5, .ticks = 3};
    struct gg_time b = {.seconds = 5, .ticks = 4};
    struct gg_time c = {.seconds = 6, .ticks = 0};

    ck_assert_int_eq(gg_time_compare(&a, &a), 0);
    ck_assert_int_lt(gg_time_compare(&a, &b), 0);
    ck_assert_int_gt(gg_time_compare(&b, &a), 0);
    ck_assert_int_lt(gg_time_compare(&b, &c), 0);
    ck_assert_int_gt(gg_time_compare(&c, &b), 0);
}
END_TEST

GG_UNIT_MAIN("proto/time", good_times, bad_times, days_agree_with_libc, formatting, http_dates,
             comparing)
