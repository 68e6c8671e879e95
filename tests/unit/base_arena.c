/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdint.h>
#include <string.h>

static char trace[8];

static void note(void *letter)
{
    trace[strlen(trace)] = *(const char *)letter;
}

START_TEST(memory_is_zeroed_and_aligned)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 100, 4096, 40000, 1000000};
    struct gg_arena *a = gg_arena_open();

    /* The second round runs over memory that the first one has dirtied. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned char *p = gg_arena_alloc(a, sizes[i]);
            ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < sizes[i]; k++)
                ck_assert_msg(p[k] == 0, "byte %zu of %zu is %d", k, sizes[i], p[k]);
            memset(p, 0xaa, sizes[i]);
        }
        gg_arena_reset(a);
    }
    gg_arena_close(a);
}
END_TEST

START_TEST(allocations_do_not_overlap)
{
    enum { COUNT = 3000 };
    struct gg_arena *a = gg_arena_open();
    unsigned char *p[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        p[i] = gg_arena_alloc(a, i % 50 + 1);
        memset(p[i], (int)(i % 251), i % 50 + 1);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k <= i % 50; k++)
            ck_assert_uint_eq(p[i][k], i % 251);
    gg_arena_close(a);
}
END_TEST

START_TEST(copies_end_with_nul)
{
    struct gg_arena *a = gg_arena_open();
    char *s = gg_arena_copy(a, "a\0b", 3);

    ck_assert_mem_eq(s, "a\0b", 4);
    ck_assert_str_eq(gg_arena_copy(a, NULL, 0), "");
    ck_assert_str_eq(gg_arena_strdup(a, "text"), "text");
    ck_assert_str_eq(gg_arena_printf(a, "%s-%d", "x", 7), "x-7");
    ck_assert_str_eq(gg_arena_printf(a, "%s", ""), "");
    ck_assert_uint_eq(strlen(gg_arena_printf(a, "%0100000d", 1)), 100000);
    gg_arena_close(a);
}
END_TEST

/* What was formatted too long for its block leaves nothing of it in memory that is given next. */
START_TEST(formatting_at_the_end_of_a_block)
{
    struct gg_arena *a = gg_arena_open();

    for (int round = 0; round < 5000; round++) {
        char *s = gg_arena_printf(a, "%0*d", round % 97 + 1, 7);
        ck_assert_uint_eq(strlen(s), (size_t)(round % 97) + 1);
        ck_assert_int_eq(s[round % 97], '7');
        unsigned char *p = gg_arena_alloc(a, 3);
        ck_assert(p[0] == 0 && p[1] == 0 && p[2] == 0);
        if (round % 500 == 499)
            gg_arena_reset(a);
    }
    gg_arena_close(a);
}
END_TEST

START_TEST(the_last_one_grows_in_its_place)
{
    struct gg_arena *a = gg_arena_open();
    char *first = gg_arena_strdup(a, "first");
    char *last = gg_arena_strdup(a, "last");

    ck_assert(!gg_arena_extend(a, first, 6, 100));
    ck_assert(!gg_arena_extend(a, last, 5, (size_t)1 << 40));
    ck_assert(!gg_arena_extend(a, trace, 5, 6));
    if (gg_arena_extend(a, last, 5, 1000)) { /* never in a sanitizer's build */
        for (size_t i = 5; i < 1000; i++)
            ck_assert_int_eq(last[i], 0);
        memset(last + 5, 'x', 995);
    }
    ck_assert_str_eq(gg_arena_strdup(a, "next"), "next");
    ck_assert_int_eq(strncmp(last, "last", 4), 0);
    ck_assert_str_eq(first, "first");
    gg_arena_close(a);
}
END_TEST

START_TEST(deferred_calls_run_backwards_and_once)
{
    struct gg_arena *a = gg_arena_open();

    gg_arena_defer(a, note, (char[]){"a"});
    gg_arena_defer(a, note, (char[]){"b"});
    gg_arena_defer(a, note, (char[]){"c"});
    ck_assert_str_eq(trace, "");
    gg_arena_reset(a);
    ck_assert_str_eq(trace, "cba");
    gg_arena_reset(a);
    ck_assert_str_eq(trace, "cba");
    gg_arena_defer(a, note, (char[]){"d"});
    gg_arena_close(a);
    ck_assert_str_eq(trace, "cbad");
    gg_arena_close(NULL);
}
END_TEST

/* An object may stand in the arena that it is registered with. */
static void read_text(void *s)
{
    strncat(trace, s, 3);
}

START_TEST(deferred_calls_run_before_the_wipe)
{
    struct gg_arena *a = gg_arena_open();

    gg_arena_defer(a, read_text, gg_arena_strdup(a, "abc"));
    gg_arena_close(a);
    ck_assert_str_eq(trace, "abc");
}
END_TEST

GG_UNIT_MAIN("base/arena", memory_is_zeroed_and_aligned, allocations_do_not_overlap,
             copies_end_with_nul, formatting_at_the_end_of_a_block, the_last_one_grows_in_its_place,
             deferred_calls_run_backwards_and_once, deferred_calls_run_before_the_wipe)
