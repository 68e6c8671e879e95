/* SPDX-License-Identifier: MIT */
/* What every unit test shares: one suite a program, and an arena that lives for the program. */
#ifndef GG_TESTS_UNIT_H
#define GG_TESTS_UNIT_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The text of s equals the literal. */
#define ck_assert_gg_str(s, lit) \
    do { \
        struct gg_str ck_s = (s); \
        ck_assert_msg(gg_str_is(ck_s, (lit)), "%s is \"%.*s\", not \"%s\"", #s, GG_STR_ARG(ck_s), \
                      (lit)); \
    } while (0)

/* Defines main(): runs the functions listed, each a START_TEST. */
#define GG_UNIT_MAIN(name, ...) \
    int main(void) \
    { \
        const TTest *tests[] = {__VA_ARGS__}; \
        Suite *suite = suite_create(name); \
        TCase *tcase = tcase_create(name); \
        tcase_set_timeout(tcase, 60); \
        for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) \
            tcase_add_test(tcase, tests[i]); \
        suite_add_tcase(suite, tcase); \
        SRunner *runner = srunner_create(suite); \
        srunner_run_all(runner, CK_NORMAL); \
        int failed = srunner_ntests_failed(runner); \
        srunner_free(runner); \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
    }

#endif
