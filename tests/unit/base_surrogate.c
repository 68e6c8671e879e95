/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/surrogate.h"

#include <stdio.h>
#include <string.h>

static struct gg_arena *arena;

START_TEST(pairs_become_characters)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"a\\uD83D\\uDE00b\\ud83d\\uDe00\"", "\"a\xf0\x9f\x98\x80"
                                               "b\xf0\x9f\x98\x80\""},
        {"\"\\ud800\\udc00\"", "\"\xf0\x90\x80\x80\""},
        {"\"\\udbff\\udfff\"", "\"\xf4\x8f\xbf\xbf\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\xf0\x9f\x98\x80\""},
        {"\"\\\\\\ud83d\\ude00\"", "\"\\\\\xf0\x9f\x98\x80\""},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_gg_str(gg_surrogate_join(arena, gg_str_of(cases[i].in)), cases[i].out);
    gg_arena_close(arena);
}
END_TEST

/* The very same bytes come back, not a copy. */
START_TEST(all_else_stays)
{
    static const char *const texts[] = {
        "",
        "\"plain\"",
        "\\",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83d-\\ude00\"",
        "\"\\ud83d\\\\ude00\"",
        "\"\\\\ud83d\\\\ude00\"", /* backslashes, and letters behind them */
        "\"\\\\ud83d\\ude00\"",
        "\"\\ud83d\\ude0",
        "\"\\ud83d\\ude0g\"",
        "\"\\ud83d\\",
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(texts); i++)
        ck_assert_ptr_eq(gg_surrogate_join(arena, gg_str_of(texts[i])).p, texts[i]);
    gg_arena_close(arena);
}
END_TEST

/* All 2^20 of them, against UTF-8 made the long way. */
START_TEST(every_pair)
{
    char in[16];
    char out[8];

    for (unsigned c = 0x10000; c < 0x110000; c++) {
        arena = gg_arena_open();
        (void)snprintf(in, sizeof in, "\\u%04x\\u%04X", 0xd800 + ((c - 0x10000) / 0x400),
                       0xdc00 + c % 0x400);
        (void)snprintf(out, sizeof out, "%c%c%c%c", (int)(0xf0 + c / 0x40000),
                       (int)(0x80 + c / 0x1000 % 0x40), (int)(0x80 + c / 0x40 % 0x40),
                       (int)(0x80 + c % 0x40));
        ck_assert_gg_str(gg_surrogate_join(arena, gg_str_of(in)), out);
        gg_arena_close(arena);
    }
}
END_TEST

GG_UNIT_MAIN("base/surrogate", pairs_become_characters, all_else_stays, every_pair)
