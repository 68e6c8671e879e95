/* SPDX-License-Identifier: MIT */
#include "gg/base/clock.h"

#include <time.h>

int64_t gg_clock_now_s(void)
{
    return (int64_t)time(NULL);
}

int64_t gg_clock_now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t gg_clock_mono_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t gg_clock_mono_ms(void)
{
    return gg_clock_mono_us() / 1000;
}

struct gg_deadline gg_deadline_in(int64_t ms)
{
    return (struct gg_deadline){gg_clock_mono_ms() + ms};
}

int64_t gg_deadline_left_ms(struct gg_deadline d)
{
    int64_t left = d.at_ms - gg_clock_mono_ms();

    return left > 0 ? left : 0;
}

void gg_clock_sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}
