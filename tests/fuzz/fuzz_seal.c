/* SPDX-License-Identifier: MIT */
/* A seal is good for the row that it was made for, and for no other; any text may stand in its
 * place. */
#include "fuzz.h"

#include "gg/proto/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gg_fernet keys = {.count = 2, .keys = {{1, 2, 3}, {4, 5, 6}}};
    struct gg_arena *a = gg_arena_open();
    struct gg_str rest = {(const char *)data, size};
    struct gg_seal_row row = {.realm = "main", .key = size % 2};
    struct gg_seal_row other;
    struct gg_str *parts[] = {&row.subject, &row.ciphers.access_token, &row.ciphers.refresh_token,
                              &row.ciphers.id_token};
    struct gg_seals seals;
    struct gg_err err;

    for (size_t i = 0; i < 4; i++)
        (void)gg_str_take(&rest, '|', parts[i]);
    REQUIRE(gg_seal_make(&keys, a, &row, &seals, &err) && seals.row.n == GG_SEAL_CHARS);
    struct gg_str seal = seals.row;
    REQUIRE(gg_seal_check(&keys, a, &row, seal, &err));
    REQUIRE(gg_seal_check_access(&keys, a, &row, seals.access_token, &err));
    REQUIRE(!gg_seal_check_access(&keys, a, &row, seal, &err));
    REQUIRE(!gg_seal_check(&keys, a, &row, seals.access_token, &err));
    other = row;
    other.realm = "beta";
    REQUIRE(!gg_seal_check(&keys, a, &other, seal, &err));
    REQUIRE(!gg_seal_check_access(&keys, a, &other, seals.access_token, &err));
    /* Where one part ends and the next begins is sealed, too. */
    if (row.ciphers.access_token.n > 0) {
        other = row;
        other.ciphers.access_token.n--;
        REQUIRE(!gg_seal_check(&keys, a, &other, seal, &err));
    }
    REQUIRE(!gg_seal_check(&keys, a, &row, rest, &err) || gg_str_is_equal(rest, seal));
    gg_arena_close(a);
    return 0;
}
