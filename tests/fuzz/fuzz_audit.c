/* SPDX-License-Identifier: MIT */
/* A signed row verifies, a changed one does not; whatever the table holds is judged, and what is
 * written there is printable. Bytes of a journal are a row or they are not. */
#include "fuzz.h"

#include "gg/proto/audit.h"

static const struct gg_fernet fernet = {.count = 1, .keys = {{1, 2, 3}}};

static enum gg_audit_verdict judge(const struct gg_audit_keys *keys, struct gg_arena *a,
                                   const struct gg_audit_row *row)
{
    enum gg_audit_verdict verdict;
    struct gg_err err;

    REQUIRE(gg_audit_check_row(keys, a, row, &verdict, &err));
    return verdict;
}

/* Bytes that are a row are that row's bytes; a row comes back from its own. */
static void pack(struct gg_arena *a, struct gg_str bytes, const struct gg_audit_row *signed_row,
                 const struct gg_audit_keys *keys)
{
    struct gg_audit_row row;
    struct gg_str packed;
    struct gg_err err;

    if (gg_audit_unpack(bytes, &row)) {
        REQUIRE(gg_audit_pack(a, &row, &packed, &err) && gg_str_is_equal(packed, bytes));
        REQUIRE(judge(keys, a, &row) != GG_AUDIT_GOOD);
    }
    if (!gg_audit_pack(a, signed_row, &packed, &err))
        return;
    REQUIRE(gg_audit_unpack(packed, &row));
    REQUIRE(judge(keys, a, &row) == GG_AUDIT_GOOD);
    packed.n--;
    REQUIRE(!gg_audit_unpack(packed, &row));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str rest = {(const char *)data, size};
    struct gg_audit_keys keys;
    struct gg_audit_row row = {0};
    struct gg_str *cells[] = {&row.id,      &row.at,     &row.event,           &row.realm,
                              &row.subject, &row.actor,  &row.address,         &row.request_id,
                              &row.result,  &row.detail, &row.key_fingerprint, &row.mac};
    struct gg_err err;

    struct gg_str clean = gg_audit_clean(a, rest, 64);
    REQUIRE(clean.n <= 64 && gg_str_is_printable(clean));
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        (void)gg_str_take(&rest, '|', cells[i]);
    REQUIRE(gg_audit_derive(&fernet, &keys, &err));
    REQUIRE(judge(&keys, a, &row) != GG_AUDIT_GOOD);
    REQUIRE(gg_audit_sign_row(&keys, a, &row, &err));
    REQUIRE(judge(&keys, a, &row) == GG_AUDIT_GOOD);
    pack(a, (struct gg_str){(const char *)data, size}, &row, &keys);
    if (row.detail.n > 0) {
        row.detail.n--;
        REQUIRE(judge(&keys, a, &row) == GG_AUDIT_CHANGED);
    }
    gg_arena_close(a);
    return 0;
}
