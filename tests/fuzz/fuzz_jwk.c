/* SPDX-License-Identifier: MIT */
/* A key that is taken has all its parts, and verifies nothing by chance. */
#include "fuzz.h"

#include "gg/proto/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_jwks set;
    struct gg_err err;

    if (gg_jwk_parse_set(a, in, &set, &err)) {
        REQUIRE(set.count >= 1 && set.count <= GG_JWKS_MAX);
        for (size_t i = 0; i < set.count; i++) {
            const struct gg_jwk *key = &set.keys[i];
            REQUIRE(key->kid.n > 0 && key->rsa.n.n > 0 && key->rsa.e.n > 0);
            const struct gg_jwk *found = gg_jwk_find(&set, key->kid);
            REQUIRE(found != NULL && found <= key);
            REQUIRE(!gg_crypto_verify_rs256(key->rsa, in, key->rsa.n, &err));
        }
    } else {
        REQUIRE(err.code == GG_ELOGIN);
    }
    gg_arena_close(a);
    return 0;
}
