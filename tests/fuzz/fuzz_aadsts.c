/* SPDX-License-Identifier: MIT */
/* What is found is a row of the table, by its own number or word; the short form fits a log line.
 */
#include "fuzz.h"

#include "gg/proto/aadsts.h"

#include <string.h>

static void check_row(const struct gg_aadsts *row)
{
    size_t count;
    const struct gg_aadsts *table = gg_aadsts_table(&count);

    REQUIRE(row >= table && row < table + count);
    REQUIRE(strlen(row->why) < 80 && strchr(row->why, '"') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    const struct gg_aadsts *row = gg_aadsts_find(in);
    struct gg_str codes;

    if (row != NULL) {
        check_row(row);
        REQUIRE(row->word == NULL ? row->number > 0 : gg_str_is(in, row->word));
    }
    /* Numbers before the first blank, the word behind it. */
    (void)gg_str_take(&in, ' ', &codes);
    const char *word = in.p == NULL ? "" : gg_arena_copy(a, in.p, in.n);
    row = gg_aadsts_of(gg_arena_copy(a, codes.p, codes.n), word);
    if (row != NULL)
        check_row(row);
    gg_arena_close(a);
    return 0;
}
