/* SPDX-License-Identifier: MIT */
#include "gg/proto/fernet.h"

#include "gg/base/clock.h"
#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"

#include <stdio.h>
#include <string.h>

#define VERSION      0x80
#define KEY_CHARS    44
#define HALF_BYTES   16                           /* a key is 16 bytes to sign and 16 to encrypt */
#define HEAD_BYTES   (1 + 8 + GG_AES_BLOCK_BYTES) /* version, time, IV */
#define MAC_BYTES    GG_SHA256_BYTES
#define IV_OFFSET    9
#define LENGTH_BYTES (HEAD_BYTES + GG_AES_BLOCK_BYTES + MAC_BYTES) /* of the shortest token */

bool gg_fernet_parse_keys(struct gg_arena *a, struct gg_secret text, struct gg_fernet *f,
                          struct gg_err *err)
{
    struct gg_str rest = gg_secret_reveal(text);
    struct gg_str part;
    struct gg_str key;

    f->count = 0;
    while (gg_str_take(&rest, ',', &part)) {
        size_t number = f->count + 1;
        part = gg_str_trim(part);
        if (number > GG_FERNET_KEYS_MAX)
            return gg_fail(err, GG_ENOTCONFIGURED, "TOKEN_ENCRYPTION_KEY: over %d keys",
                           GG_FERNET_KEYS_MAX);
        /* Python takes both alphabets, so `openssl rand -base64 32` has made working keys. */
        if (part.n != KEY_CHARS || !gg_b64_parse_any(a, part, &key) || key.n != GG_FERNET_KEY_BYTES)
            return gg_fail(err, GG_ENOTCONFIGURED,
                           "TOKEN_ENCRYPTION_KEY: key %zu is not 44 characters of URL-safe base64",
                           number);
        memcpy(f->keys[f->count++], key.p, GG_FERNET_KEY_BYTES);
    }
    if (f->count == 0)
        return gg_fail(err, GG_ENOTCONFIGURED, "TOKEN_ENCRYPTION_KEY: there is no key");
    return true;
}

bool gg_fernet_generate(struct gg_arena *a, struct gg_str *key, struct gg_err *err)
{
    unsigned char raw[GG_FERNET_KEY_BYTES];

    if (!gg_crypto_random(raw, sizeof raw, err))
        return false;
    *key = gg_b64_format(a, GG_B64_PADDED, (struct gg_str){(const char *)raw, sizeof raw});
    gg_wipe(raw, sizeof raw);
    return true;
}

bool gg_fernet_derive(const struct gg_fernet *f, size_t i, const char *purpose,
                      unsigned char out[GG_FERNET_KEY_BYTES], struct gg_err *err)
{
    const struct gg_str parts[] = {GG_STR("graphgate "), gg_str_of(purpose), GG_STR(" v1")};
    struct gg_mac mac;

    if (i >= f->count)
        return gg_fail(err, GG_EINTERNAL, "Fernet: no key %zu", i);
    struct gg_secret key = {(const char *)f->keys[i], GG_FERNET_KEY_BYTES};
    if (!gg_crypto_hmac_parts(GG_SHA256, key, &(struct gg_parts){parts, 3}, &mac, err))
        return false;
    memcpy(out, mac.bytes, GG_FERNET_KEY_BYTES);
    gg_wipe(&mac, sizeof mac);
    return true;
}

bool gg_fernet_fingerprint(const struct gg_fernet *f, size_t i,
                           char out[GG_FERNET_FINGERPRINT_CHARS + 1], struct gg_err *err)
{
    unsigned char derived[GG_FERNET_KEY_BYTES];
    unsigned char hash[GG_SHA256_BYTES];
    struct gg_str in = {(const char *)derived, sizeof derived};

    bool ok =
        gg_fernet_derive(f, i, "fingerprint", derived, err) && gg_crypto_sha256(in, hash, err);
    gg_wipe(derived, sizeof derived);
    if (ok)
        (void)snprintf(out, GG_FERNET_FINGERPRINT_CHARS + 1, "%02x%02x%02x%02x", hash[0], hash[1],
                       hash[2], hash[3]);
    return ok;
}

static bool sign(const unsigned char *key, struct gg_str in, struct gg_mac *mac, struct gg_err *err)
{
    return gg_crypto_hmac(GG_SHA256, (struct gg_secret){(const char *)key, HALF_BYTES}, in, mac,
                          err);
}

/* Version, time and IV, all big-endian. */
static bool make_head(unsigned char head[HEAD_BYTES], struct gg_err *err)
{
    uint64_t now = (uint64_t)gg_clock_now_s();

    head[0] = VERSION;
    for (int i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)(now >> (56 - 8 * i));
    return gg_crypto_random(head + IV_OFFSET, GG_AES_BLOCK_BYTES, err);
}

bool gg_fernet_encrypt(const struct gg_fernet *f, struct gg_arena *a, struct gg_secret in,
                       struct gg_str *token, struct gg_err *err)
{
    unsigned char head[HEAD_BYTES];
    struct gg_mac mac;
    struct gg_str text = gg_secret_reveal(in);
    struct gg_str body;

    if (f->count == 0 || text.n > GG_FERNET_IN_BYTES_MAX)
        return gg_fail(err, GG_EINTERNAL, "Fernet: no key, or too much to encrypt");
    struct gg_aes aes = {.key = f->keys[0] + HALF_BYTES, .iv = head + IV_OFFSET};
    if (!make_head(head, err) || !gg_crypto_encrypt(a, aes, text, &body, err))
        return false;
    size_t n = HEAD_BYTES + body.n;
    char *raw = gg_arena_alloc(a, n + MAC_BYTES);
    memcpy(raw, head, HEAD_BYTES);
    memcpy(raw + HEAD_BYTES, body.p, body.n);
    if (!sign(f->keys[0], (struct gg_str){raw, n}, &mac, err))
        return false;
    memcpy(raw + n, mac.bytes, MAC_BYTES);
    *token = gg_b64_format(a, GG_B64_PADDED, (struct gg_str){raw, n + MAC_BYTES});
    return true;
}

/* A token's bytes, of a version and a length that there are. */
static bool parse(struct gg_arena *a, struct gg_str token, struct gg_str *raw, struct gg_err *err)
{
    if (token.n > (GG_FERNET_IN_BYTES_MAX + LENGTH_BYTES + 2) / 3 * 4 ||
        !gg_b64_parse(a, GG_B64_PADDED, token, raw))
        return gg_fail(err, GG_EINTERNAL, "Fernet token is too long or not base64url");
    if (raw->n < LENGTH_BYTES || (raw->n - LENGTH_BYTES) % GG_AES_BLOCK_BYTES != 0 ||
        (unsigned char)raw->p[0] != VERSION)
        return gg_fail(err, GG_EINTERNAL, "Fernet token has a wrong version or length");
    return true;
}

bool gg_fernet_lacks(const struct gg_fernet *f, struct gg_str noted)
{
    char own[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err ignored;

    if (noted.n != GG_FERNET_FINGERPRINT_CHARS)
        return false;
    for (size_t i = 0; i < noted.n; i++)
        if (strchr("0123456789abcdef", noted.p[i]) == NULL || noted.p[i] == '\0')
            return false;
    for (size_t i = 0; i < f->count; i++)
        if (!gg_fernet_fingerprint(f, i, own, &ignored) || gg_str_is(noted, own))
            return false;
    return true;
}

/* The key whose MAC the token has. */
static bool find_key(const struct gg_fernet *f, struct gg_str raw, size_t *i, struct gg_err *err)
{
    struct gg_mac mac;
    struct gg_str in = {raw.p, raw.n - MAC_BYTES};
    struct gg_secret sent = {raw.p + in.n, MAC_BYTES};

    for (*i = 0; *i < f->count; ++*i) {
        if (!sign(f->keys[*i], in, &mac, err))
            return false;
        if (gg_secret_is_equal(sent, (struct gg_secret){(const char *)mac.bytes, MAC_BYTES}))
            return true;
    }
    return gg_fail(err, GG_EINTERNAL, "Fernet token fits none of %zu keys", f->count);
}

bool gg_fernet_open(const struct gg_fernet *f, struct gg_arena *a, struct gg_str token,
                    struct gg_fernet_opened *out, struct gg_err *err)
{
    struct gg_str raw = {NULL, 0};
    struct gg_str text;

    if (!parse(a, token, &raw, err) || !find_key(f, raw, &out->key, err))
        return false;
    struct gg_aes aes = {.key = f->keys[out->key] + HALF_BYTES,
                         .iv = (const unsigned char *)raw.p + IV_OFFSET};
    struct gg_str body = {raw.p + HEAD_BYTES, raw.n - HEAD_BYTES - MAC_BYTES};
    if (!gg_crypto_decrypt(a, aes, body, &text, err))
        return false;
    out->text = gg_secret_of(text);
    return true;
}

bool gg_fernet_decrypt(const struct gg_fernet *f, struct gg_arena *a, struct gg_str token,
                       struct gg_secret *out, struct gg_err *err)
{
    struct gg_fernet_opened opened;

    if (!gg_fernet_open(f, a, token, &opened, err))
        return false;
    *out = opened.text;
    return true;
}
