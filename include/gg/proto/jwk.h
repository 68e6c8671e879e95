/* SPDX-License-Identifier: MIT */
/* JSON Web Key Sets (RFC 7517) as Microsoft's /discovery/v2.0/keys has them: RSA keys for signing.
 */
#ifndef GG_PROTO_JWK_H
#define GG_PROTO_JWK_H

#include "gg/base/arena.h"
#include "gg/ext/crypto.h"

#define GG_JWKS_MAX 1000

struct gg_jwk {
    struct gg_str kid;
    struct gg_str issuer; /* a template with {tenantid}, a fixed issuer, or absent */
    struct gg_rsa rsa;
};

struct gg_jwks {
    size_t count;
    struct gg_jwk *keys;
};

/*
 * Takes the RSA keys that may sign (`use` sig or absent) and have a kid; others are passed over.
 * Fails with GG_ELOGIN when the text is no key set, or has no such key. All of it is the arena's.
 */
GG_MUST bool gg_jwk_parse_set(struct gg_arena *a, struct gg_str text, struct gg_jwks *out,
                              struct gg_err *err);

/* NULL when there is none. */
const struct gg_jwk *gg_jwk_find(const struct gg_jwks *set, struct gg_str kid);

#endif
