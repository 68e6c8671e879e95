/* SPDX-License-Identifier: MIT */
#include "gg/ext/crypto.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_TEXT_BYTES_MAX 64
#define BLOCK_BYTES_MAX       128 /* of SHA-384 and SHA-512 */
#define KEPT_KEY_BYTES        128
#define KEYED_KEPT            8
#define RSA_BITS_MIN          2048
#define RSA_BITS_MAX          8192

/*
 * HMAC (RFC 2104) with one key, as far as it goes without a text: what is hashed in front of it,
 * within and without.
 */
struct keyed {
    enum gg_hash hash; /* 0: for no other text than one */
    size_t n;
    unsigned char key[KEPT_KEY_BYTES];
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
};

/*
 * What OpenSSL looks up by its name at each call otherwise, which costs as much as a small token;
 * and the few keys that a request needs, which the process has in its memory anyway. All made when
 * first needed.
 */
static struct {
    EVP_CIPHER *aes;
    EVP_MD *digests[3];
    EVP_MD_CTX *digest;
    struct keyed keyed[KEYED_KEPT];
    size_t next; /* of these, gives way to another */
} kept;

/* OpenSSL keeps its errors in a queue of the thread; nobody here reads it. */
static bool fail(struct gg_err *err, const char *what)
{
    ERR_clear_error();
    return gg_fail(err, GG_EINTERNAL, "OpenSSL: %s failed", what);
}

static const unsigned char *bytes(struct gg_str s)
{
    return (const unsigned char *)(s.p == NULL ? "" : s.p);
}

bool gg_crypto_random(void *to, size_t n, struct gg_err *err)
{
    if (n > INT_MAX || RAND_bytes(to, (int)n) != 1)
        return fail(err, "random");
    return true;
}

/* base64url without padding; at most RANDOM_TEXT_BYTES_MAX. */
static struct gg_str format_text(struct gg_arena *a, const unsigned char *raw, size_t n)
{
    unsigned char text[RANDOM_TEXT_BYTES_MAX / 3 * 4 + 5];
    size_t length = (n * 8 + 5) / 6;

    (void)EVP_EncodeBlock(text, raw, (int)n);
    for (size_t i = 0; i < length; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    struct gg_str out = {gg_arena_copy(a, text, length), length};
    gg_wipe(text, sizeof text);
    return out;
}

bool gg_crypto_random_text(struct gg_arena *a, size_t n, struct gg_str *out, struct gg_err *err)
{
    unsigned char raw[RANDOM_TEXT_BYTES_MAX];

    if (n > sizeof raw)
        return fail(err, "random text");
    if (!gg_crypto_random(raw, n, err))
        return false;
    *out = format_text(a, raw, n);
    gg_wipe(raw, sizeof raw);
    return true;
}

struct gg_str gg_crypto_format_uuid(struct gg_arena *a, const unsigned char bytes16[16],
                                    unsigned version)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    static const char digits[] = "0123456789abcdef";
    char *text = gg_arena_copy(a, form, sizeof form - 1);
    char *to = text;

    for (size_t i = 0; i < 16; i++) {
        unsigned b = bytes16[i];
        b = i == 6 ? (b & 0x0f) | version << 4 : i == 8 ? (b & 0x3f) | 0x80 : b;
        to += *to == '-' ? 1 : 0;
        *to++ = digits[b >> 4];
        *to++ = digits[b & 0x0f];
    }
    return (struct gg_str){text, sizeof form - 1};
}

/*
 * A call of OpenSSL's generator costs as much whether it gives 16 bytes or thousands. Ids are no
 * secrets; but a fork must not make two processes give the same.
 */
bool gg_crypto_random_id(void *to, size_t n, struct gg_err *err)
{
    static unsigned char stock[2048];
    static size_t left;
    static pid_t owner;
    pid_t self = getpid();

    if (n > sizeof stock)
        return fail(err, "random id");
    if (owner != self || left < n) {
        if (!gg_crypto_random(stock, sizeof stock, err))
            return false;
        owner = self;
        left = sizeof stock;
    }
    left -= n;
    memcpy(to, stock + left, n);
    return true;
}

bool gg_crypto_random_uuid(struct gg_arena *a, struct gg_str *out, struct gg_err *err)
{
    unsigned char raw[16];

    if (!gg_crypto_random_id(raw, sizeof raw, err))
        return false;
    *out = gg_crypto_format_uuid(a, raw, 4);
    return true;
}

bool gg_crypto_hash_text(struct gg_arena *a, struct gg_str in, struct gg_str *out,
                         struct gg_err *err)
{
    unsigned char hash[GG_SHA256_BYTES];

    if (!gg_crypto_sha256(in, hash, err))
        return false;
    *out = format_text(a, hash, sizeof hash);
    return true;
}

static const EVP_MD *find_digest(enum gg_hash hash)
{
    EVP_MD **md = &kept.digests[hash == GG_SHA256 ? 0 : hash == GG_SHA384 ? 1 : 2];

    if (*md == NULL)
        *md = EVP_MD_fetch(NULL,
                           hash == GG_SHA256   ? "SHA256"
                           : hash == GG_SHA384 ? "SHA384"
                                               : "SHA512",
                           NULL);
    return *md;
}

bool gg_crypto_sha256(struct gg_str in, unsigned char out[GG_SHA256_BYTES], struct gg_err *err)
{
    const EVP_MD *md = find_digest(GG_SHA256);

    if (md == NULL || EVP_Digest(bytes(in), in.n, out, NULL, md, NULL) != 1)
        return fail(err, "SHA-256");
    return true;
}

static bool begin_digest(EVP_MD_CTX **ctx, const EVP_MD *md, const unsigned char *key,
                         unsigned char pad)
{
    unsigned char block[BLOCK_BYTES_MAX];
    size_t n = (size_t)EVP_MD_get_block_size(md);

    for (size_t i = 0; i < n; i++)
        block[i] = key[i] ^ pad;
    if (*ctx == NULL)
        *ctx = EVP_MD_CTX_new();
    bool ok = *ctx != NULL && EVP_DigestInit_ex2(*ctx, md, NULL) == 1 &&
              EVP_DigestUpdate(*ctx, block, n) == 1;
    gg_wipe(block, sizeof block);
    return ok;
}

/* A key that is longer than a block of the hash stands for its hash. */
static bool set_key(struct keyed *k, const EVP_MD *md, struct gg_str key)
{
    unsigned char block[BLOCK_BYTES_MAX] = {0};
    bool ok = true;

    if (key.n > (size_t)EVP_MD_get_block_size(md))
        ok = EVP_Digest(key.p, key.n, block, NULL, md, NULL) == 1;
    else if (key.n > 0)
        memcpy(block, key.p, key.n);
    ok = ok && begin_digest(&k->inner, md, block, 0x36) && begin_digest(&k->outer, md, block, 0x5c);
    gg_wipe(block, sizeof block);
    return ok;
}

/* NULL when OpenSSL fails. Keys that may be found are all our own: no need of constant time. */
static const struct keyed *find_keyed(enum gg_hash hash, struct gg_str key)
{
    for (size_t i = 0; i < KEYED_KEPT; i++) {
        struct keyed *k = &kept.keyed[i];
        if (k->hash == hash && k->n == key.n && memcmp(k->key, bytes(key), key.n) == 0)
            return k;
    }
    struct keyed *k = &kept.keyed[kept.next];
    const EVP_MD *md = find_digest(hash);
    k->hash = 0;
    if (md == NULL || !set_key(k, md, key))
        return NULL;
    kept.next = (kept.next + 1) % KEYED_KEPT;
    if (key.n <= sizeof k->key) {
        memcpy(k->key, bytes(key), key.n);
        k->n = key.n;
        k->hash = hash;
    }
    return k;
}

/* What has been hashed in `from`, and these behind it. */
static bool go_on(const EVP_MD_CTX *from, const struct gg_str *parts, size_t count,
                  struct gg_mac *mac)
{
    unsigned n = 0;

    if (kept.digest == NULL)
        kept.digest = EVP_MD_CTX_new();
    if (kept.digest == NULL || EVP_MD_CTX_copy_ex(kept.digest, from) != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (parts[i].n > 0 && EVP_DigestUpdate(kept.digest, parts[i].p, parts[i].n) != 1)
            return false;
    if (EVP_DigestFinal_ex(kept.digest, mac->bytes, &n) != 1)
        return false;
    mac->n = n;
    return true;
}

bool gg_crypto_hmac_parts(enum gg_hash hash, struct gg_secret key, const struct gg_parts *in,
                          struct gg_mac *mac, struct gg_err *err)
{
    const struct keyed *k = find_keyed(hash, gg_secret_reveal(key));

    if (k == NULL || !go_on(k->inner, in->parts, in->count, mac))
        return fail(err, "HMAC");
    const struct gg_str inner = {(const char *)mac->bytes, mac->n};
    return go_on(k->outer, &inner, 1, mac) || fail(err, "HMAC");
}

bool gg_crypto_hmac(enum gg_hash hash, struct gg_secret key, struct gg_str in, struct gg_mac *mac,
                    struct gg_err *err)
{
    return gg_crypto_hmac_parts(hash, key, &(struct gg_parts){&in, 1}, mac, err);
}

enum way { DECRYPT, ENCRYPT };

static bool run_cipher(enum way way, struct gg_aes aes, struct gg_str in, unsigned char *to,
                       size_t *n)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int body = 0;
    int tail = 0;

    if (kept.aes == NULL)
        kept.aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    bool done = ctx != NULL && kept.aes != NULL &&
                EVP_CipherInit_ex2(ctx, kept.aes, aes.key, aes.iv, way == ENCRYPT, NULL) == 1 &&
                EVP_CipherUpdate(ctx, to, &body, bytes(in), (int)in.n) == 1 &&
                EVP_CipherFinal_ex(ctx, to + body, &tail) == 1;

    EVP_CIPHER_CTX_free(ctx);
    *n = done ? (size_t)body + (size_t)tail : 0;
    return done;
}

static bool apply_cipher(enum way way, struct gg_arena *a, struct gg_aes aes, struct gg_str in,
                         struct gg_str *out)
{
    if (in.n > INT_MAX - 2 * GG_AES_BLOCK_BYTES)
        return false;
    unsigned char *to = gg_arena_alloc(a, in.n + GG_AES_BLOCK_BYTES + 1);
    size_t n = 0;
    if (!run_cipher(way, aes, in, to, &n))
        return false;
    to[n] = '\0';
    *out = (struct gg_str){(const char *)to, n};
    return true;
}

bool gg_crypto_encrypt(struct gg_arena *a, struct gg_aes aes, struct gg_str in, struct gg_str *out,
                       struct gg_err *err)
{
    return apply_cipher(ENCRYPT, a, aes, in, out) || fail(err, "encryption");
}

bool gg_crypto_decrypt(struct gg_arena *a, struct gg_aes aes, struct gg_str in, struct gg_str *out,
                       struct gg_err *err)
{
    return apply_cipher(DECRYPT, a, aes, in, out) || fail(err, "decryption");
}

bool gg_crypto_derive(struct gg_secret password, struct gg_str salt, int rounds,
                      unsigned char out[32], struct gg_err *err)
{
    struct gg_str p = gg_secret_reveal(password);

    if (p.n > INT_MAX || salt.n > INT_MAX || rounds < 1 ||
        PKCS5_PBKDF2_HMAC(p.p == NULL ? "" : p.p, (int)p.n, bytes(salt), (int)salt.n, rounds,
                          EVP_sha256(), 32, out) != 1)
        return fail(err, "PBKDF2");
    return true;
}

/* NULL when OpenSSL does not take it. */
static EVP_PKEY *build_key(const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_BLD_free(build);
    return key;
}

/* The size is held at both ends: a small key is weak, a huge one costs seconds. */
static EVP_PKEY *open_key(struct gg_rsa rsa)
{
    EVP_PKEY *key = NULL;

    if (rsa.n.n > RSA_BITS_MAX / 8 + 1 || rsa.e.n > 8)
        return NULL;
    BIGNUM *n = BN_bin2bn(bytes(rsa.n), (int)rsa.n.n, NULL);
    BIGNUM *e = BN_bin2bn(bytes(rsa.e), (int)rsa.e.n, NULL);
    if (n != NULL && e != NULL && BN_num_bits(n) >= RSA_BITS_MIN &&
        BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e))
        key = build_key(n, e);
    BN_free(n);
    BN_free(e);
    return key;
}

bool gg_crypto_verify_rs256(struct gg_rsa key, struct gg_str in, struct gg_str sig,
                            struct gg_err *err)
{
    EVP_PKEY *pkey = open_key(key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey != NULL && ctx != NULL &&
                EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
                EVP_DigestVerify(ctx, bytes(sig), sig.n, bytes(in), in.n) == 1;

    EVP_MD_CTX_free(ctx);
    bool usable = pkey != NULL;
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (!good)
        return gg_fail(err, GG_EINVALIDTOKEN,
                       usable ? "the RSA signature is wrong" : "the RSA key is not usable");
    return true;
}
