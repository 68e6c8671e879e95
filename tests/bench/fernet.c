/* SPDX-License-Identifier: MIT */
/*
 * fernet PAIRS: for each pair a line "WAY RATIO" both ways: the time of proto/fernet with a 2 KB
 * token, divided by that of AES-128-CBC, HMAC-SHA256 and base64 of the same bytes by OpenSSL alone.
 * The raw side keeps its algorithms and contexts from one round to the next, makes no random IV,
 * checks nothing, and writes into buffers that are there.
 */
#include "gg/proto/fernet.h"
#include "gg/base/arena.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_BYTES 2048
#define RAW_BYTES  (TEXT_BYTES + 128)
#define ROUNDS     2000

struct raw {
    EVP_CIPHER *aes;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    unsigned char key[32];
    unsigned char iv[16];
    unsigned char text[RAW_BYTES];
    unsigned char token[RAW_BYTES];
    unsigned char out[2 * RAW_BYTES];
    int token_bytes;
    int out_bytes;
};

struct ours {
    struct gg_fernet keys;
    struct gg_arena *arena;
    struct gg_secret text;
    struct gg_str token;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "fernet: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(int ok)
{
    if (!ok)
        die("OpenSSL failed");
}

static double now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void open_raw(struct raw *r)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};

    r->aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    r->cipher = EVP_CIPHER_CTX_new();
    r->mac = EVP_MAC_CTX_new(hmac);
    must(r->aes != NULL && r->cipher != NULL && r->mac != NULL);
    must(EVP_MAC_init(r->mac, r->key, 16, params));
    memset(r->text, 'x', TEXT_BYTES);
}

static void sign(struct raw *r, int n)
{
    unsigned char mac[32];
    size_t mac_bytes = 0;

    must(EVP_MAC_init(r->mac, r->key, 16, NULL) && EVP_MAC_update(r->mac, r->token, (size_t)n) &&
         EVP_MAC_final(r->mac, mac, &mac_bytes, sizeof mac));
    memcpy(r->token + n, mac, sizeof mac);
}

/* 25 bytes stand before the ciphertext, as in a Fernet token. */
static void encrypt_raw(struct raw *r)
{
    int n = 0;
    int end = 0;

    must(EVP_EncryptInit_ex2(r->cipher, r->aes, r->key + 16, r->iv, NULL) &&
         EVP_EncryptUpdate(r->cipher, r->token + 25, &n, r->text, TEXT_BYTES) &&
         EVP_EncryptFinal_ex(r->cipher, r->token + 25 + n, &end));
    n += 25 + end;
    sign(r, n);
    r->token_bytes = n + 32;
    r->out_bytes = EVP_EncodeBlock(r->out, r->token, r->token_bytes);
}

static void decrypt_raw(struct raw *r)
{
    int n = 0;
    int end = 0;
    int body = r->token_bytes - 25 - 32;

    must(EVP_DecodeBlock(r->token, r->out, r->out_bytes) > 0);
    sign(r, r->token_bytes - 32);
    must(EVP_DecryptInit_ex2(r->cipher, r->aes, r->key + 16, r->iv, NULL) &&
         EVP_DecryptUpdate(r->cipher, r->text, &n, r->token + 25, body) &&
         EVP_DecryptFinal_ex(r->cipher, r->text + n, &end) && n + end == TEXT_BYTES);
}

static void encrypt_ours(struct ours *o)
{
    struct gg_err err;
    struct gg_str token;

    if (!gg_fernet_encrypt(&o->keys, o->arena, o->text, &token, &err))
        die(err.log);
    gg_arena_reset(o->arena);
}

static void decrypt_ours(struct ours *o)
{
    struct gg_err err;
    struct gg_secret text;

    if (!gg_fernet_decrypt(&o->keys, o->arena, o->token, &text, &err))
        die(err.log);
    gg_arena_reset(o->arena);
}

static double time_raw(struct raw *r, void (*way)(struct raw *))
{
    double begin = now_us();

    for (int i = 0; i < ROUNDS; i++)
        way(r);
    return now_us() - begin;
}

static double time_ours(struct ours *o, void (*way)(struct ours *))
{
    double begin = now_us();

    for (int i = 0; i < ROUNDS; i++)
        way(o);
    return now_us() - begin;
}

int main(int argc, char **argv)
{
    static struct raw raw;
    static char text[TEXT_BYTES];
    struct ours ours = {.arena = gg_arena_open(), .text = {text, sizeof text}};
    struct gg_arena *keep = gg_arena_open();
    struct gg_err err;
    int pairs = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 5;

    memset(text, 'x', sizeof text);
    ours.keys.count = 1;
    memset(ours.keys.keys[0], 7, GG_FERNET_KEY_BYTES);
    if (!gg_fernet_encrypt(&ours.keys, keep, ours.text, &ours.token, &err))
        die(err.log);
    open_raw(&raw);
    (void)time_raw(&raw, encrypt_raw);
    (void)time_ours(&ours, encrypt_ours);
    for (int i = 0; i < pairs; i++) {
        double encrypt = time_raw(&raw, encrypt_raw);
        (void)printf("encrypt %.4f\n", time_ours(&ours, encrypt_ours) / encrypt);
        double decrypt = time_raw(&raw, decrypt_raw);
        (void)printf("decrypt %.4f\n", time_ours(&ours, decrypt_ours) / decrypt);
    }
    gg_arena_close(ours.arena);
    gg_arena_close(keep);
    return EXIT_SUCCESS;
}
