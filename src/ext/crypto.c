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
#define RSA_BITS_MIN          2048
#define RSA_BITS_MAX          8192

/*
 * What OpenSSL looks up by its name at each call otherwise, which costs as much as a small token.
 * Made when first needed; of what went through only the last key of each hash is left in it.
 */
static struct {
    EVP_CIPHER *aes;
    EVP_MD *sha256;
    EVP_MAC_CTX *hmac[3];
} fetched;

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

bool gg_crypto_sha256(struct gg_str in, unsigned char out[GG_SHA256_BYTES], struct gg_err *err)
{
    if (fetched.sha256 == NULL)
        fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (fetched.sha256 == NULL || EVP_Digest(bytes(in), in.n, out, NULL, fetched.sha256, NULL) != 1)
        return fail(err, "SHA-256");
    return true;
}

static const char *digest_name(enum gg_hash hash)
{
    return hash == GG_SHA256 ? "SHA256" : hash == GG_SHA384 ? "SHA384" : "SHA512";
}

/* One for each hash, made when it is first needed; each use gives it a key of its own. */
static EVP_MAC_CTX *find_hmac(enum gg_hash hash)
{
    EVP_MAC_CTX **kept = &fetched.hmac[hash == GG_SHA256 ? 0 : hash == GG_SHA384 ? 1 : 2];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest_name(hash), 0),
        OSSL_PARAM_construct_end()};

    if (*kept != NULL)
        return *kept;
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = algorithm == NULL ? NULL : EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1) {
        *kept = ctx;
        return ctx;
    }
    EVP_MAC_CTX_free(ctx);
    return NULL;
}

bool gg_crypto_hmac_parts(enum gg_hash hash, struct gg_secret key, const struct gg_parts *in,
                          struct gg_mac *mac, struct gg_err *err)
{
    struct gg_str k = gg_secret_reveal(key);
    EVP_MAC_CTX *ctx = find_hmac(hash);
    bool ok = ctx != NULL && EVP_MAC_init(ctx, bytes(k), k.n, NULL) == 1;

    for (size_t i = 0; ok && i < in->count; i++)
        ok = in->parts[i].n == 0 || EVP_MAC_update(ctx, bytes(in->parts[i]), in->parts[i].n) == 1;
    ok = ok && EVP_MAC_final(ctx, mac->bytes, &mac->n, sizeof mac->bytes) == 1;
    return ok || fail(err, "HMAC");
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

    if (fetched.aes == NULL)
        fetched.aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    bool done = ctx != NULL && fetched.aes != NULL &&
                EVP_CipherInit_ex2(ctx, fetched.aes, aes.key, aes.iv, way == ENCRYPT, NULL) == 1 &&
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
