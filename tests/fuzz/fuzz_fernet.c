/* SPDX-License-Identifier: MIT */
/* What is encrypted decrypts; tokens without the right MAC do not, nor crash those that have it. */
#include "fuzz.h"

#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"
#include "gg/proto/fernet.h"

#include <string.h>

#define KEY "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

static void check_round_trip(const struct gg_fernet *f, struct gg_arena *a, struct gg_secret in)
{
    struct gg_str token;
    struct gg_secret back;
    struct gg_err err;

    REQUIRE(gg_fernet_encrypt(f, a, in, &token, &err));
    REQUIRE(gg_fernet_decrypt(f, a, token, &back, &err));
    REQUIRE(gg_secret_is_equal(in, back));
}

/* The input as what stands before the MAC, so that the fuzzer gets past it. */
static void try_signed(const struct gg_fernet *f, struct gg_arena *a, struct gg_str in)
{
    struct gg_mac mac;
    struct gg_secret half = {(const char *)f->keys[0], 16};
    struct gg_secret out;
    struct gg_err err;

    REQUIRE(gg_crypto_hmac(GG_SHA256, half, in, &mac, &err));
    char *raw = gg_arena_alloc(a, in.n + mac.n);
    memcpy(raw, in.p, in.n);
    memcpy(raw + in.n, mac.bytes, mac.n);
    struct gg_str token = gg_b64_format(a, GG_B64_PADDED, (struct gg_str){raw, in.n + mac.n});
    if (gg_fernet_decrypt(f, a, token, &out, &err))
        REQUIRE(out.n < in.n && (unsigned char)in.p[0] == 0x80);
    else
        REQUIRE(err.code == GG_EINTERNAL);
}

static void try_keys(struct gg_arena *a, struct gg_secret text)
{
    struct gg_fernet f;
    struct gg_err err;

    if (gg_fernet_parse_keys(a, text, &f, &err)) {
        REQUIRE(f.count >= 1 && f.count <= GG_FERNET_KEYS_MAX);
        check_round_trip(&f, a, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_fernet f;
    struct gg_secret out;
    struct gg_err err;

    REQUIRE(gg_fernet_parse_keys(a, gg_secret_of(GG_STR(KEY)), &f, &err));
    if (gg_fernet_decrypt(&f, a, in, &out, &err))
        check_round_trip(&f, a, out);
    check_round_trip(&f, a, gg_secret_of(in));
    if (size > 0)
        try_signed(&f, a, in);
    try_keys(a, gg_secret_of(in));
    gg_arena_close(a);
    return 0;
}
