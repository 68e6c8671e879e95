/* SPDX-License-Identifier: MIT */
/*
 * Fernet (https://github.com/fernet/spec): 0x80, time, IV, AES-128-CBC, HMAC-SHA256; base64url with
 * padding. Byte for byte what Python's `cryptography` reads and writes.
 */
#ifndef GG_PROTO_FERNET_H
#define GG_PROTO_FERNET_H

#include "gg/base/arena.h"
#include "gg/base/secret.h"
#include "gg/base/str.h"

#include <stdint.h>

#define GG_FERNET_KEYS_MAX     16
#define GG_FERNET_KEY_BYTES    32
#define GG_FERNET_IN_BYTES_MAX ((size_t)1024 * 1024)

/* Ready keys: the first encrypts, all decrypt. Wipe with gg_wipe. */
struct gg_fernet {
    size_t count;
    unsigned char keys[GG_FERNET_KEYS_MAX][GG_FERNET_KEY_BYTES];
};

/* "KEY[,KEY…]", each 44 characters of base64url (32 bytes). Spaces around a key are allowed. */
GG_MUST bool gg_fernet_parse_keys(struct gg_arena *a, struct gg_secret text, struct gg_fernet *f,
                                  struct gg_err *err);

/* One random key as text. */
GG_MUST bool gg_fernet_generate(struct gg_arena *a, struct gg_str *key, struct gg_err *err);

/*
 * Key i's own key for another purpose: HMAC-SHA256 of "graphgate PURPOSE v1" under its 32 bytes.
 * Neither tells anything of the other. i is below count.
 */
GG_MUST bool gg_fernet_derive(const struct gg_fernet *f, size_t i, const char *purpose,
                              unsigned char out[GG_FERNET_KEY_BYTES], struct gg_err *err);

/* What key i is called where it must not be shown: 8 hexadecimal digits and a zero. */
#define GG_FERNET_FINGERPRINT_CHARS 8
GG_MUST bool gg_fernet_fingerprint(const struct gg_fernet *f, size_t i,
                                   char out[GG_FERNET_FINGERPRINT_CHARS + 1], struct gg_err *err);

/*
 * Whether what is noted is a fingerprint, and none of the keys'. A note is no proof, whoever can
 * write to the database can write it: good for words alone, never for what is accepted.
 */
bool gg_fernet_lacks(const struct gg_fernet *f, struct gg_str noted);

GG_MUST bool gg_fernet_encrypt(const struct gg_fernet *f, struct gg_arena *a, struct gg_secret in,
                               struct gg_str *token, struct gg_err *err);

/* Any key may fit. The age is not judged. Fails with GG_EINTERNAL, saying why without the token. */
GG_MUST bool gg_fernet_decrypt(const struct gg_fernet *f, struct gg_arena *a, struct gg_str token,
                               struct gg_secret *out, struct gg_err *err);

/* The same, and which of the keys it was. */
struct gg_fernet_opened {
    struct gg_secret text;
    size_t key;
};
GG_MUST bool gg_fernet_open(const struct gg_fernet *f, struct gg_arena *a, struct gg_str token,
                            struct gg_fernet_opened *out, struct gg_err *err);

#endif
