/* SPDX-License-Identifier: MIT */
/*
 * JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515), read with the cautions of RFC 8725: the
 * algorithm is the verifier's choice, never the token's.
 */
#ifndef GG_PROTO_JWT_H
#define GG_PROTO_JWT_H

#include "gg/base/arena.h"
#include "gg/base/secret.h"
#include "gg/ext/crypto.h"
#include "gg/ext/json.h"

#define GG_JWT_BYTES_MAX 8192 /* of a caller's token */
#define GG_JWT_LEEWAY_S  60

/* A token taken apart; nothing of it is trusted before a verify has said so. */
struct gg_jwt {
    struct gg_str alg;
    struct gg_str kid; /* absent: none */
    struct gg_str signed_part;
    struct gg_str signature;      /* decoded */
    const struct gg_json *claims; /* an object */
};

/*
 * Three canonical base64url parts, header and claims JSON objects without duplicate names, `alg`
 * a string, no `crit` at all (none is understood here). Fails with GG_EINVALIDTOKEN.
 */
GG_MUST bool gg_jwt_parse(struct gg_arena *a, struct gg_str text, size_t cap, struct gg_jwt *out,
                          struct gg_err *err);

/* HS256/384/512: alg must be exactly the one of `hash`, and the MAC right. GG_EINVALIDTOKEN. */
struct gg_jwt_key {
    enum gg_hash hash;
    struct gg_secret secret; /* not empty */
};
GG_MUST bool gg_jwt_verify_hmac(const struct gg_jwt *jwt, struct gg_jwt_key key,
                                struct gg_err *err);

/* RS256 only. GG_EINVALIDTOKEN. */
GG_MUST bool gg_jwt_verify_rsa(const struct gg_jwt *jwt, struct gg_rsa key, struct gg_err *err);

/*
 * exp (required), nbf, iat against now with the leeway; NumericDates may have fractions. iat in the
 * future is refused. Fails with GG_EINVALIDTOKEN.
 */
GG_MUST bool gg_jwt_check_times(const struct gg_json *claims, int64_t now_s, int64_t leeway_s,
                                struct gg_err *err);

/* `aud` is the string, or an array of strings that has it. */
bool gg_jwt_has_audience(const struct gg_json *claims, struct gg_str audience);

/* "HS256", "HS384", "HS512" or false. */
GG_MUST bool gg_jwt_parse_alg(struct gg_str name, enum gg_hash *hash);

/* Signs claims (JSON text) with header {"alg":…,"typ":"JWT"}. */
GG_MUST bool gg_jwt_sign(struct gg_arena *a, struct gg_jwt_key key, struct gg_str claims,
                         struct gg_str *out, struct gg_err *err);

#endif
