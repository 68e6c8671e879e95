/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/secret.h"

static struct gg_secret of(const char *s)
{
    return gg_secret_of(gg_str_of(s));
}

START_TEST(is_set)
{
    ck_assert(gg_secret_is_set(of("x")));
    ck_assert(!gg_secret_is_set(of("")));
    ck_assert(!gg_secret_is_set(of(NULL)));
    ck_assert_gg_str(gg_secret_reveal(of("hush")), "hush");
}
END_TEST

START_TEST(equality)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {"abc", "abc", true},  {"", "", true},        {NULL, "", true},
        {"abc", "abd", false}, {"bbc", "abc", false}, {"abc", "ab", false},
        {"ab", "abc", false},  {"", "a", false},      {"\x80", "\x00", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(gg_secret_is_equal(of(cases[i].a), of(cases[i].b)) == cases[i].same,
                      "case %zu", i);
    /* Each single bit counts. */
    for (int bit = 0; bit < 8; bit++) {
        char one = (char)(1 << bit);
        char none = 0;
        ck_assert(!gg_secret_is_equal((struct gg_secret){&one, 1}, (struct gg_secret){&none, 1}));
    }
}
END_TEST

START_TEST(wiping)
{
    char s[] = "secret";

    gg_wipe(s, 3);
    ck_assert_mem_eq(s, "\0\0\0ret", 7);
    gg_wipe(NULL, 0);
}
END_TEST

GG_UNIT_MAIN("base/secret", is_set, equality, wiping)
