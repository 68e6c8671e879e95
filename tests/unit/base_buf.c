/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_buf b;

static void open_buf(size_t cap)
{
    arena = gg_arena_open();
    gg_buf_init(&b, arena, cap);
}

START_TEST(starts_empty)
{
    open_buf(10);
    ck_assert_gg_str(gg_buf_str(&b), "");
    ck_assert_ptr_nonnull(gg_buf_str(&b).p);
    ck_assert(!gg_buf_is_full(&b));
    gg_arena_close(arena);
}
END_TEST

START_TEST(every_way_of_adding)
{
    open_buf(1000);
    gg_buf_add(&b, GG_STR("one"));
    gg_buf_add(&b, (struct gg_str){NULL, 0});
    gg_buf_add_text(&b, " two");
    gg_buf_add_text(&b, NULL);
    gg_buf_add_char(&b, ' ');
    gg_buf_add_fmt(&b, "%d%s", 3, "!");
    gg_buf_add_fmt(&b, "%s", "");
    gg_buf_add_int(&b, -45);
    ck_assert_str_eq(b.p, "one two 3!-45");
    gg_buf_add_char(&b, '\0');
    ck_assert_uint_eq(gg_buf_str(&b).n, 14);
    gg_arena_close(arena);
}
END_TEST

START_TEST(grows_over_many_sizes)
{
    open_buf(100000);
    for (int i = 0; i < 10000; i++)
        gg_buf_add_fmt(&b, "%05d", i);
    struct gg_str s = gg_buf_str(&b);
    ck_assert_uint_eq(s.n, 50000);
    ck_assert_uint_eq(strlen(s.p), 50000);
    ck_assert_mem_eq(s.p + 5 * 1234, "01234", 5);
    ck_assert_mem_eq(s.p + 5 * 9999, "09999", 5);
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_reserved_does_not_move)
{
    open_buf(100000);
    gg_buf_add(&b, GG_STR("begin"));
    gg_buf_reserve(&b, 50000);
    const char *p = b.p;
    (void)gg_arena_alloc(arena, 1);
    for (int i = 0; i < 10000; i++)
        gg_buf_add_fmt(&b, "%05d", i);
    ck_assert_ptr_eq(b.p, p);
    ck_assert_mem_eq(b.p, "begin00000", 10);
    /* What can never be added needs no room. */
    gg_buf_reserve(&b, 50000);
    gg_buf_reserve(&b, SIZE_MAX);
    ck_assert_ptr_eq(b.p, p);
    ck_assert(!gg_buf_is_full(&b));
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_cap_is_exact)
{
    static const struct {
        size_t cap;
        const char *left;
        bool full;
    } cases[] = {{0, "", true}, {2, "", true}, {3, "abc", false}, {4, "abc", false}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_buf(cases[i].cap);
        gg_buf_add(&b, GG_STR("abc"));
        ck_assert_str_eq(b.p, cases[i].left);
        ck_assert_int_eq(gg_buf_is_full(&b), cases[i].full);
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(full_stays_full)
{
    open_buf(4);
    gg_buf_add_text(&b, "abc");
    gg_buf_add_fmt(&b, "%d", 12);
    ck_assert(gg_buf_is_full(&b));
    /* There would be room for one more, but a text with a hole in it is no use. */
    gg_buf_add_char(&b, 'd');
    gg_buf_add_text(&b, "");
    ck_assert(gg_buf_is_full(&b));
    ck_assert_gg_str(gg_buf_str(&b), "abc");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("base/buf", starts_empty, every_way_of_adding, grows_over_many_sizes,
             what_is_reserved_does_not_move, the_cap_is_exact, full_stays_full)
