/* SPDX-License-Identifier: MIT */
/* Every byte string has one text in each form, and only that text reads as it. */
#include "fuzz.h"

#include "gg/proto/b64.h"

static void check_form(struct gg_arena *a, enum gg_b64 form, struct gg_str in)
{
    struct gg_str raw;

    REQUIRE(gg_b64_parse(a, form, gg_b64_format(a, form, in), &raw));
    REQUIRE(gg_str_is_equal(raw, in));
    if (gg_b64_parse(a, form, in, &raw)) {
        REQUIRE(gg_str_is_equal(gg_b64_format(a, form, raw), in));
        struct gg_str any;
        REQUIRE(gg_b64_parse_any(a, in, &any) && gg_str_is_equal(any, raw));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_str raw;

    check_form(a, GG_B64_PADDED, in);
    check_form(a, GG_B64_BARE, in);
    if (gg_b64_parse_any(a, in, &raw)) {
        struct gg_str text = gg_b64_format(a, GG_B64_PADDED, raw);
        REQUIRE(text.n >= in.n && text.n - in.n <= 2);
    }
    gg_arena_close(a);
    return 0;
}
