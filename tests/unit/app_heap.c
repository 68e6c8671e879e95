/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "unit.h"

#include "gg/app/heap.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#if defined(__GLIBC__) && !defined(GG_SANITIZE)
#include <malloc.h>

/* A block's usable size goes up to the next allocation: what is cut off can still be looked at. */
static size_t count_other(const unsigned char *p, size_t from, size_t to, unsigned char byte)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += p[i] != byte;
    return count;
}

START_TEST(keeps_what_is_in_it)
{
    static const size_t sizes[] = {1, 24, 1000, 999, 100, 4096, 300000, 299999, 5000000, 70, 1};
    unsigned char *p = NULL;
    size_t before = 0;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        p = realloc(p, sizes[i]);
        ck_assert_ptr_nonnull(p);
        size_t kept = before < sizes[i] ? before : sizes[i];
        ck_assert_uint_eq(count_other(p, 0, kept, 0x5a), 0);
        memset(p, 0x5a, sizes[i]);
        before = sizes[i];
    }
    free(p);
    ck_assert_ptr_null(realloc(malloc(8), 0));
    free(NULL);
}
END_TEST

START_TEST(clears_what_is_cut_off)
{
    static const size_t sizes[] = {64, 4000, 200000, 3000000};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *p = malloc(sizes[i]);
        ck_assert_ptr_nonnull(p);
        memset(p, 0x5a, sizes[i]);
        size_t least = sizes[i] * 3 / 4;
        p = realloc(p, least);
        ck_assert_uint_eq(count_other(p, 0, least, 0x5a), 0);
        ck_assert_uint_eq(count_other(p, least, sizes[i], 0), 0);
        free(p);
    }
}
END_TEST

/* Of a block that a stranger's length made, and nothing was put into, no page becomes real. */
START_TEST(a_large_empty_block_stays_unreal)
{
    struct rusage before;
    struct rusage after;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
    void *volatile p = malloc((size_t)1 << 30);
    ck_assert_ptr_nonnull(p);
    free(p);
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 64L * 1024);
}
END_TEST

GG_UNIT_MAIN("app/heap", keeps_what_is_in_it, clears_what_is_cut_off,
             a_large_empty_block_stays_unreal)
#else
START_TEST(is_left_out)
{
}
END_TEST

GG_UNIT_MAIN("app/heap", is_left_out)
#endif
