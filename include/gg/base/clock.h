/* SPDX-License-Identifier: MIT */
/* Wall time for what is written down, monotonic time for what is waited for. */
#ifndef GG_BASE_CLOCK_H
#define GG_BASE_CLOCK_H

#include <stdint.h>

/* A point in monotonic time; a request has one, and every wait in it ends by then. */
struct gg_deadline {
    int64_t at_ms;
};

int64_t gg_clock_now_s(void);   /* seconds since 1970, UTC */
int64_t gg_clock_now_us(void);  /* the same in microseconds */
int64_t gg_clock_mono_ms(void); /* since some fixed moment */
int64_t gg_clock_mono_us(void); /* since the same */

struct gg_deadline gg_deadline_in(int64_t ms);
int64_t gg_deadline_left_ms(struct gg_deadline d); /* 0 when it has passed */

void gg_clock_sleep_ms(int64_t ms);

#endif
