/* SPDX-License-Identifier: MIT */
/* A time that is read is the one that is written. */
#include "fuzz.h"

#include "gg/proto/time.h"

static void check_time(struct gg_arena *a, const struct gg_time *t)
{
    struct gg_time again;

    REQUIRE(t->ticks >= 0 && t->ticks < GG_TIME_TICKS_PER_S);
    REQUIRE(gg_time_parse(gg_time_format_graph(a, t), &again));
    REQUIRE(again.kind == GG_TIME_LOCAL && gg_time_compare(t, &again) == 0);
    struct gg_str utc = gg_time_format_utc(a, t->seconds);
    REQUIRE(utc.n == 20 && gg_time_parse(utc, &again));
    REQUIRE(again.kind == GG_TIME_INSTANT && again.seconds == t->seconds && again.ticks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_time t;
    int64_t seconds;

    if (gg_time_parse(in, &t))
        check_time(a, &t);
    if (gg_time_parse_http(in, &seconds))
        REQUIRE(in.n == 29);
    gg_arena_close(a);
    return 0;
}
