/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/skew.h"

#include <time.h>

static struct stand_in s;

/* A Date header of ahead_s from now. */
static const char *date_of(int64_t ahead_s)
{
    time_t at = (time_t)(gg_clock_now_s() + ahead_s);
    struct tm parts;
    char text[64];

    (void)gmtime_r(&at, &parts);
    ck_assert_uint_gt(strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts),
                      0);
    return gg_arena_strdup(s.arena, text);
}

START_TEST(microsofts)
{
    static const int64_t offsets[] = {0, 600, -600, 86400};
    int64_t ahead_s = 0;

    stand_in_open(&s);
    for (size_t i = 0; i < COUNT(offsets); i++) {
        const struct loopback_answer rows[] = {
            {.status = i == 0 ? 404 : 200, .headers = date_of(offsets[i]), .body = "{}"}};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(gg_skew_of_microsoft(&s.call, &ahead_s, &s.err), "%s", s.err.log);
        ck_assert_int_ge(ahead_s, -offsets[i]);
        ck_assert_int_le(ahead_s, -offsets[i] + 30);
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(not_known)
{
    static const struct loopback_answer dateless[] = {{.body = "{}"}};
    int64_t ahead_s;

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, dateless);
    ck_assert(!gg_skew_of_microsoft(&s.call, &ahead_s, &s.err));
    ck_assert_int_eq(s.err.code, GG_ELOGIN);
    loopback_stop(s.microsoft);
    ck_assert(!gg_skew_of_microsoft(&s.call, &ahead_s, &s.err));
    ck_assert_int_eq(s.err.code, GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

START_TEST(the_databases)
{
    int64_t ahead_s = 99;

    stand_in_open(&s);
    ck_assert(gg_skew_of_database(&s.call, &ahead_s, &s.err));
    ck_assert_int_ge(ahead_s, -5);
    ck_assert_int_le(ahead_s, 30);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/skew", microsofts, not_known, the_databases)
