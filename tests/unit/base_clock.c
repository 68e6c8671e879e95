/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/clock.h"

#include <time.h>

START_TEST(wall_time_is_the_systems)
{
    int64_t before = (int64_t)time(NULL);
    int64_t now = gg_clock_now_s();

    ck_assert_int_ge(now, before);
    ck_assert_int_le(now, (int64_t)time(NULL));
    ck_assert_int_ge(gg_clock_now_us() / 1000000, before);
    ck_assert_int_le(gg_clock_now_us() / 1000000, (int64_t)time(NULL) + 1);
}
END_TEST

START_TEST(sleeping_takes_its_time)
{
    int64_t before = gg_clock_mono_ms();

    gg_clock_sleep_ms(30);
    ck_assert_int_ge(gg_clock_mono_ms() - before, 30);
    ck_assert_int_lt(gg_clock_mono_ms() - before, 5000);
    gg_clock_sleep_ms(0);
}
END_TEST

START_TEST(deadlines_run_down_to_zero)
{
    struct gg_deadline d = gg_deadline_in(60000);
    int64_t left = gg_deadline_left_ms(d);

    ck_assert_int_gt(left, 50000);
    ck_assert_int_le(left, 60000);
    d = gg_deadline_in(5);
    gg_clock_sleep_ms(10);
    ck_assert_int_eq(gg_deadline_left_ms(d), 0);
    ck_assert_int_eq(gg_deadline_left_ms(gg_deadline_in(-1000)), 0);
}
END_TEST

GG_UNIT_MAIN("base/clock", wall_time_is_the_systems, sleeping_takes_its_time,
             deadlines_run_down_to_zero)
