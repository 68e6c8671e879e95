/* SPDX-License-Identifier: MIT */
/* What every fuzzer shares: libFuzzer's entry point, and how a broken promise is told. */
#ifndef GG_TESTS_FUZZ_H
#define GG_TESTS_FUZZ_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) \
    do { \
        if (!(what)) { \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
            abort(); \
        } \
    } while (0)

#endif
