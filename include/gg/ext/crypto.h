/* SPDX-License-Identifier: MIT */
/* OpenSSL's libcrypto: what the protocols need of it, and nothing of OpenSSL in the signatures. */
#ifndef GG_EXT_CRYPTO_H
#define GG_EXT_CRYPTO_H

#include "gg/base/arena.h"
#include "gg/base/secret.h"
#include "gg/base/str.h"

#define GG_SHA256_BYTES    32
#define GG_MAC_BYTES_MAX   64
#define GG_AES_BLOCK_BYTES 16

/* The bits of the hash, as in HS256, HS384, HS512. */
enum gg_hash { GG_SHA256 = 256, GG_SHA384 = 384, GG_SHA512 = 512 };

GG_MUST bool gg_crypto_random(void *to, size_t n, struct gg_err *err);

/* The same for ids, which must differ but are no secret; n at most 2048. Costs far less. */
GG_MUST bool gg_crypto_random_id(void *to, size_t n, struct gg_err *err);

/* n random bytes as base64url without padding (RFC 4648 section 5), n at most 64. */
GG_MUST bool gg_crypto_random_text(struct gg_arena *a, size_t n, struct gg_str *out,
                                   struct gg_err *err);

/* 16 bytes, but for the six bits that say so, as a UUID of a version; and a random one, of version
 * 4 (RFC 9562). */
struct gg_str gg_crypto_format_uuid(struct gg_arena *a, const unsigned char bytes[16],
                                    unsigned version);
GG_MUST bool gg_crypto_random_uuid(struct gg_arena *a, struct gg_str *out, struct gg_err *err);

GG_MUST bool gg_crypto_sha256(struct gg_str in, unsigned char out[GG_SHA256_BYTES],
                              struct gg_err *err);

/* SHA-256 as base64url without padding, 43 characters: how a secret is looked up without being
 * kept. */
GG_MUST bool gg_crypto_hash_text(struct gg_arena *a, struct gg_str in, struct gg_str *out,
                                 struct gg_err *err);

/* RFC 2104. n becomes 32, 48 or 64. */
struct gg_mac {
    unsigned char bytes[GG_MAC_BYTES_MAX];
    size_t n;
};
GG_MUST bool gg_crypto_hmac(enum gg_hash hash, struct gg_secret key, struct gg_str in,
                            struct gg_mac *mac, struct gg_err *err);

/* The same of a text that lies in pieces. */
struct gg_parts {
    const struct gg_str *parts;
    size_t count;
};
GG_MUST bool gg_crypto_hmac_parts(enum gg_hash hash, struct gg_secret key,
                                  const struct gg_parts *in, struct gg_mac *mac,
                                  struct gg_err *err);

/* AES-128-CBC with PKCS #7 padding; key and iv are 16 bytes. Borrows in; out is the arena's. */
struct gg_aes {
    const unsigned char *key;
    const unsigned char *iv;
};
GG_MUST bool gg_crypto_encrypt(struct gg_arena *a, struct gg_aes aes, struct gg_str in,
                               struct gg_str *out, struct gg_err *err);
GG_MUST bool gg_crypto_decrypt(struct gg_arena *a, struct gg_aes aes, struct gg_str in,
                               struct gg_str *out, struct gg_err *err);

/* PBKDF2-HMAC-SHA256 (RFC 8018): 32 bytes to out. */
GG_MUST bool gg_crypto_derive(struct gg_secret password, struct gg_str salt, int rounds,
                              unsigned char out[32], struct gg_err *err);

/*
 * RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3). n and e are big-endian, as in a JWK;
 * fewer than 2048 bits, or more than 8192, are refused. GG_EINVALIDTOKEN for a bad signature as for
 * a bad key.
 */
struct gg_rsa {
    struct gg_str n;
    struct gg_str e;
};
GG_MUST bool gg_crypto_verify_rs256(struct gg_rsa key, struct gg_str in, struct gg_str sig,
                                    struct gg_err *err);

#endif
