/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/base/clock.h"
#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"
#include "gg/proto/fernet.h"

#include <string.h>

/* https://github.com/fernet/spec: generate.json, verify.json and invalid.json have one key. */
#define SPEC_KEY "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
#define SPEC_TOKEN \
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU" \
    "4IwqDA=="
#define OTHER_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct gg_arena *arena;
static struct gg_err err;

static struct gg_fernet keys_of(const char *text)
{
    struct gg_fernet f;

    ck_assert_msg(gg_fernet_parse_keys(arena, gg_secret_of(gg_str_of(text)), &f, &err), "%s", text);
    return f;
}

static bool decrypts(const char *keys, struct gg_str token, const char *text)
{
    struct gg_fernet f = keys_of(keys);
    struct gg_secret out;

    err = (struct gg_err){0};
    return gg_fernet_decrypt(&f, arena, token, &out, &err) &&
           gg_str_is(gg_secret_reveal(out), text);
}

START_TEST(the_specs_token_decrypts)
{
    arena = gg_arena_open();
    ck_assert(decrypts(SPEC_KEY, GG_STR(SPEC_TOKEN), "hello"));
    ck_assert(decrypts(OTHER_KEY "," SPEC_KEY, GG_STR(SPEC_TOKEN), "hello"));
    /* The age is not judged: the two that the spec calls too old and too new are whole, and empty.
     */
    ck_assert(decrypts(SPEC_KEY,
                       GG_STR("gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-"
                              "Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw=="),
                       ""));
    ck_assert(decrypts(SPEC_KEY,
                       GG_STR("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTu"
                              "Gb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q=="),
                       ""));
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_specs_faults_are_found)
{
    static const struct {
        const char *what;
        const char *token;
    } cases[] = {
        {"incorrect mac", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8"
                          "AKtwcaX1YdykQUFBQUFBQUFBQQ=="},
        {"too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=="},
        {"invalid base64",
         "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8"
         "AKtwcaX1YdykRtfsH-p1YsUD2Q=="},
        {"payload size not multiple of block size",
         "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7m"
         "rfyudzUm"},
        {"payload padding error",
         "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNY"
         "IbkuKNqOhw=="},
        {"incorrect IV (causes padding error)",
         "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1"
         "TIvcZjK1zQ=="},
        {"very short payload size", "gAAAAABdnQ1TUKh2OE_ggbyCIxfg"},
        {"super short payload size", "gAAA"},
        /* and ours */
        {"nothing", ""},
        {"white space behind", SPEC_TOKEN "\n"},
        {"white space before", " " SPEC_TOKEN},
        {"a plain token", "EwB4A8l6BAAU"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(!decrypts(SPEC_KEY, gg_str_of(cases[i].token), "hello"), "%s", cases[i].what);
        ck_assert_int_eq(err.code, GG_EINTERNAL);
        ck_assert_msg(cases[i].token[0] == '\0' || strstr(err.log, cases[i].token) == NULL, "%s",
                      err.log);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(every_bit_counts)
{
    struct gg_str raw;

    arena = gg_arena_open();
    ck_assert(gg_b64_parse(arena, GG_B64_PADDED, GG_STR(SPEC_TOKEN), &raw));
    for (size_t bit = 0; bit < raw.n * 8; bit++) {
        char *bent = gg_arena_copy(arena, raw.p, raw.n);
        bent[bit / 8] = (char)(bent[bit / 8] ^ 1 << bit % 8);
        struct gg_str token = gg_b64_format(arena, GG_B64_PADDED, (struct gg_str){bent, raw.n});
        ck_assert_msg(!decrypts(SPEC_KEY, token, "hello"), "bit %zu", bit);
    }
    for (size_t n = 0; n < raw.n; n++) {
        struct gg_str token = gg_b64_format(arena, GG_B64_PADDED, (struct gg_str){raw.p, n});
        ck_assert_msg(!decrypts(SPEC_KEY, token, "hello"), "%zu bytes", n);
    }
    gg_arena_close(arena);
}
END_TEST

/* A MAC that fits makes no other version right. */
START_TEST(the_version_is_fixed)
{
    arena = gg_arena_open();
    struct gg_fernet f = keys_of(SPEC_KEY);
    struct gg_secret half = {(const char *)f.keys[0], 16};
    struct gg_str raw;
    ck_assert(gg_b64_parse(arena, GG_B64_PADDED, GG_STR(SPEC_TOKEN), &raw));
    for (int version = 0x7f; version <= 0x81; version++) {
        struct gg_mac mac;
        char *p = gg_arena_copy(arena, raw.p, raw.n);
        p[0] = (char)version;
        ck_assert(gg_crypto_hmac(GG_SHA256, half, (struct gg_str){p, raw.n - 32}, &mac, &err));
        memcpy(p + raw.n - 32, mac.bytes, 32);
        struct gg_str token = gg_b64_format(arena, GG_B64_PADDED, (struct gg_str){p, raw.n});
        ck_assert_int_eq(decrypts(SPEC_KEY, token, "hello"), version == 0x80);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_encrypted_decrypts)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 65536, GG_FERNET_IN_BYTES_MAX};

    arena = gg_arena_open();
    struct gg_fernet f = keys_of(SPEC_KEY);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *text = gg_arena_alloc(arena, sizes[i] + 1);
        memset(text, 'x', sizes[i]);
        struct gg_secret in = {text, sizes[i]};
        struct gg_secret back;
        struct gg_str token;
        ck_assert(gg_fernet_encrypt(&f, arena, in, &token, &err));
        ck_assert_uint_eq(token.n, (57 + (sizes[i] / 16 + 1) * 16 + 2) / 3 * 4);
        ck_assert(gg_fernet_decrypt(&f, arena, token, &back, &err));
        ck_assert(gg_secret_is_equal(in, back));
    }
    struct gg_str token;
    struct gg_secret over = {gg_arena_alloc(arena, GG_FERNET_IN_BYTES_MAX + 1),
                             GG_FERNET_IN_BYTES_MAX + 1};
    ck_assert(!gg_fernet_encrypt(&f, arena, over, &token, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_token_has_version_time_and_a_new_iv)
{
    struct gg_secret in = gg_secret_of(GG_STR("hello"));
    struct gg_str tokens[2];
    struct gg_str raw;

    arena = gg_arena_open();
    struct gg_fernet f = keys_of(SPEC_KEY);
    int64_t before = gg_clock_now_s();
    for (int i = 0; i < 2; i++)
        ck_assert(gg_fernet_encrypt(&f, arena, in, &tokens[i], &err));
    ck_assert(!gg_str_is_equal(tokens[0], tokens[1]));
    ck_assert(gg_b64_parse(arena, GG_B64_PADDED, tokens[0], &raw));
    int64_t at = 0;
    for (int i = 1; i <= 8; i++)
        at = at << 8 | (unsigned char)raw.p[i];
    ck_assert_int_eq((unsigned char)raw.p[0], 0x80);
    ck_assert(at >= before && at <= gg_clock_now_s());
    gg_arena_close(arena);
}
END_TEST

START_TEST(the_first_key_encrypts_and_all_decrypt)
{
    struct gg_str token;

    arena = gg_arena_open();
    struct gg_fernet both = keys_of(OTHER_KEY " , " SPEC_KEY);
    ck_assert_uint_eq(both.count, 2);
    ck_assert(gg_fernet_encrypt(&both, arena, gg_secret_of(GG_STR("x")), &token, &err));
    ck_assert(decrypts(OTHER_KEY, token, "x"));
    ck_assert(!decrypts(SPEC_KEY, token, "x"));
    ck_assert(decrypts(SPEC_KEY "," OTHER_KEY, token, "x"));
    struct gg_fernet none = {0};
    struct gg_secret out;
    ck_assert(!gg_fernet_encrypt(&none, arena, gg_secret_of(GG_STR("x")), &token, &err));
    ck_assert(!gg_fernet_decrypt(&none, arena, GG_STR(SPEC_TOKEN), &out, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(keys)
{
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
    } cases[] = {
        {SPEC_KEY, 1},
        {" \t" SPEC_KEY " ", 1},
        {SPEC_KEY "," OTHER_KEY "," SPEC_KEY, 3},
        /* The standard alphabet, as `openssl rand -base64 32` writes it. */
        {"cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4=", 1},
        {"", 0},
        {" ", 0},
        {",", 0},
        {SPEC_KEY ",", 0},
        {"," SPEC_KEY, 0},
        {SPEC_KEY " " SPEC_KEY, 0},
        {"short", 0},
        {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4", 0},   /* no padding */
        {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4==", 0}, /* too much */
        {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4eA4", 0},  /* 33 bytes */
        {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4A==", 0},  /* 31 bytes */
        {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e!=", 0},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_fernet f = {0};
        struct gg_secret text = gg_secret_of(gg_str_of(cases[i].text));
        bool good = gg_fernet_parse_keys(arena, text, &f, &err);
        ck_assert_msg(good == (cases[i].count > 0), "\"%s\"", cases[i].text);
        if (good)
            ck_assert_uint_eq(f.count, cases[i].count);
        else
            ck_assert_int_eq(err.code, GG_ENOTCONFIGURED);
        ck_assert_ptr_null(good ? NULL : strstr(err.log, "cw_0"));
    }
    struct gg_fernet f;
    struct gg_buf b;
    gg_buf_init(&b, arena, 10000);
    for (int i = 0; i < GG_FERNET_KEYS_MAX; i++)
        gg_buf_add_text(&b, i == 0 ? SPEC_KEY : "," SPEC_KEY);
    ck_assert(gg_fernet_parse_keys(arena, gg_secret_of(gg_buf_str(&b)), &f, &err));
    gg_buf_add_text(&b, "," SPEC_KEY);
    ck_assert(!gg_fernet_parse_keys(arena, gg_secret_of(gg_buf_str(&b)), &f, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(generated_keys_are_keys)
{
    struct gg_str one;
    struct gg_str two;

    arena = gg_arena_open();
    ck_assert(gg_fernet_generate(arena, &one, &err) && gg_fernet_generate(arena, &two, &err));
    ck_assert_uint_eq(one.n, 44);
    ck_assert_uint_eq(keys_of(one.p).count, 1);
    ck_assert(!gg_str_is_equal(one, two));
    gg_arena_close(arena);
}
END_TEST

/* What this derives is in databases: it never changes. Checked with Python's hmac. */
START_TEST(derived_keys)
{
    static const char *const purposes[] = {"seal", "audit", ""};
    unsigned char out[COUNT(purposes)][GG_FERNET_KEY_BYTES];
    struct gg_str hash;

    arena = gg_arena_open();
    struct gg_fernet f = keys_of(OTHER_KEY "," SPEC_KEY);
    for (size_t i = 0; i < COUNT(purposes); i++) {
        ck_assert(gg_fernet_derive(&f, 1, purposes[i], out[i], &err));
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(out[i], out[k], GG_FERNET_KEY_BYTES);
    }
    hash = gg_b64_format(arena, GG_B64_BARE, (struct gg_str){(const char *)out[0], 32});
    ck_assert_gg_str(hash, "ibQ7Gz6y-DfsfUzrgywt8DfyAlLAUzJoQjbqxL-Qd-g");
    ck_assert(gg_fernet_derive(&f, 0, "seal", out[1], &err));
    ck_assert_mem_ne(out[0], out[1], GG_FERNET_KEY_BYTES);
    ck_assert(!gg_fernet_derive(&f, 2, "seal", out[0], &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(fingerprints)
{
    char one[GG_FERNET_FINGERPRINT_CHARS + 1];
    char two[GG_FERNET_FINGERPRINT_CHARS + 1];

    arena = gg_arena_open();
    struct gg_fernet f = keys_of(OTHER_KEY "," SPEC_KEY);
    ck_assert(gg_fernet_fingerprint(&f, 0, one, &err) && gg_fernet_fingerprint(&f, 1, two, &err));
    ck_assert_str_eq(two, "d19fa6f0");
    ck_assert_str_ne(one, two);
    ck_assert(!gg_fernet_fingerprint(&f, 2, one, &err));
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/fernet", the_specs_token_decrypts, the_specs_faults_are_found, every_bit_counts,
             the_version_is_fixed, what_is_encrypted_decrypts,
             a_token_has_version_time_and_a_new_iv, the_first_key_encrypts_and_all_decrypt, keys,
             generated_keys_are_keys, derived_keys, fingerprints)
