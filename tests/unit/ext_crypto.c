/* SPDX-License-Identifier: MIT */
#include "bytes.h"
#include "unit.h"

#include "gg/base/buf.h"
#include "gg/ext/crypto.h"

#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;
static struct gg_err err;

START_TEST(random_bytes_differ)
{
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};

    ck_assert(gg_crypto_random(a, sizeof a, &err) && gg_crypto_random(b, sizeof b, &err));
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert(gg_crypto_random(a, 0, &err));
}
END_TEST

START_TEST(random_ids_differ)
{
    unsigned char a[2048];
    unsigned char b[2048];

    ck_assert(gg_crypto_random_id(a, 8, &err));
    for (int i = 0; i < 600; i++, memcpy(a, b, 8)) {
        ck_assert(gg_crypto_random_id(b, 8, &err));
        ck_assert_mem_ne(a, b, 8);
    }
    ck_assert(gg_crypto_random_id(a, sizeof a, &err) && gg_crypto_random_id(b, sizeof b, &err));
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert(!gg_crypto_random_id(a, sizeof a + 1, &err));
}
END_TEST

START_TEST(random_text_is_bare_base64url)
{
    struct gg_str one;
    struct gg_str two;

    arena = gg_arena_open();
    for (size_t n = 1; n <= 64; n++) {
        ck_assert(gg_crypto_random_text(arena, n, &one, &err));
        ck_assert(one.n == (n * 8 + 5) / 6 && strlen(one.p) == one.n);
        ck_assert(gg_str_is_word(one, 86, "-_"));
    }
    ck_assert(gg_crypto_random_text(arena, 64, &two, &err) && !gg_str_is_equal(one, two));
    ck_assert(!gg_crypto_random_text(arena, 65, &two, &err));
    gg_arena_close(arena);
}
END_TEST

/* FIPS 180-2, B.1, and the empty text. */
START_TEST(sha256_vectors)
{
    unsigned char out[GG_SHA256_BYTES];

    arena = gg_arena_open();
    ck_assert(gg_crypto_sha256(GG_STR("abc"), out, &err));
    const char *want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    ck_assert_mem_eq(out, unhex(arena, want).p, 32);
    ck_assert(gg_crypto_sha256((struct gg_str){NULL, 0}, out, &err));
    want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    ck_assert_mem_eq(out, unhex(arena, want).p, 32);
    gg_arena_close(arena);
}
END_TEST

/* RFC 7636 appendix B: the code challenge of a code verifier. */
START_TEST(hash_text_vector)
{
    struct gg_str out;

    arena = gg_arena_open();
    ck_assert(gg_crypto_hash_text(arena, GG_STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
                                  &out, &err));
    ck_assert_gg_str(out, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    gg_arena_close(arena);
}
END_TEST

START_TEST(uuids_are_of_version_4)
{
    unsigned char raw[16] = {0};
    struct gg_str a;
    struct gg_str b;

    arena = gg_arena_open();
    ck_assert_gg_str(gg_crypto_format_uuid(arena, raw, 4), "00000000-0000-4000-8000-000000000000");
    memset(raw, 255, sizeof raw);
    ck_assert_gg_str(gg_crypto_format_uuid(arena, raw, 4), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    ck_assert_gg_str(gg_crypto_format_uuid(arena, raw, 7), "ffffffff-ffff-7fff-bfff-ffffffffffff");
    ck_assert(gg_crypto_random_uuid(arena, &a, &err) && gg_crypto_random_uuid(arena, &b, &err));
    ck_assert(gg_str_is_uuid(a) && gg_str_is_uuid(b) && !gg_str_is_equal(a, b));
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/ext/crypto.c: owner != self || => owner < 0 || */
START_TEST(no_two_processes_make_one_uuid)
{
    struct gg_str mine;
    char theirs[37] = "";
    int ends[2];

    arena = gg_arena_open();
    ck_assert(gg_crypto_random_uuid(arena, &mine, &err) && pipe(ends) == 0);
    pid_t pid = fork();
    ck_assert(gg_crypto_random_uuid(arena, &mine, &err));
    if (pid == 0)
        _exit((int)write(ends[1], mine.p, 36));
    ck_assert(read(ends[0], theirs, 36) == 36 && !gg_str_is(mine, theirs));
    gg_arena_close(arena);
}
END_TEST

/* NIST SP 800-38A, F.2.1; the last block is the padding. */
START_TEST(aes_vector)
{
    arena = gg_arena_open();
    struct gg_aes aes = {
        .key = (const unsigned char *)unhex(arena, "2b7e151628aed2a6abf7158809cf4f3c").p,
        .iv = (const unsigned char *)unhex(arena, "000102030405060708090a0b0c0d0e0f").p,
    };
    struct gg_str plain =
        unhex(arena, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                     "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
    struct gg_str want =
        unhex(arena, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
                     "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7");
    struct gg_str out;
    struct gg_str back;

    ck_assert(gg_crypto_encrypt(arena, aes, plain, &out, &err));
    ck_assert_uint_eq(out.n, 80);
    ck_assert_mem_eq(out.p, want.p, 64);
    ck_assert(gg_crypto_decrypt(arena, aes, out, &back, &err));
    ck_assert(gg_str_is_equal(back, plain));
    gg_arena_close(arena);
}
END_TEST

START_TEST(aes_round_trips_at_every_length)
{
    arena = gg_arena_open();
    struct gg_aes aes = {
        .key = (const unsigned char *)"0123456789abcdef",
        .iv = (const unsigned char *)"fedcba9876543210",
    };
    struct gg_str out;
    struct gg_str back;

    for (size_t n = 0; n < 70; n++) {
        ck_assert(gg_crypto_encrypt(arena, aes, fill(arena, 'x', n), &out, &err));
        ck_assert_uint_eq(out.n, (n / 16 + 1) * 16);
        ck_assert(gg_crypto_decrypt(arena, aes, out, &back, &err));
        ck_assert_uint_eq(back.n, n);
        ck_assert(gg_str_is_equal(back, fill(arena, 'x', n)));
    }
    /* Nothing, half a block and a block without its padding do not decrypt. */
    ck_assert(!gg_crypto_decrypt(arena, aes, (struct gg_str){"", 0}, &back, &err));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    ck_assert(!gg_crypto_decrypt(arena, aes, (struct gg_str){out.p, 24}, &back, &err));
    ck_assert(!gg_crypto_decrypt(arena, aes, (struct gg_str){out.p, 16}, &back, &err));
    gg_arena_close(arena);
}
END_TEST

/* The first is RFC 7914 section 11 (its first 32 bytes), the others are widely published ones. */
START_TEST(pbkdf2_vectors)
{
    static const struct {
        const char *password;
        const char *salt;
        int rounds;
        const char *out;
    } cases[] = {
        {"passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
        {"password", "salt", 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"},
        {"password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"},
        {"password", "salt", 4096,
         "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"},
        /* As graphgate derives a key: made with Python's hashlib. */
        {"jwt-secret", "faraday_token_encryption_salt", 100000,
         "d638178f9716f2008563894b2e0622f94106edbc148bb2821f1046c1eee8f444"},
    };
    unsigned char out[32];

    arena = gg_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(gg_crypto_derive(gg_secret_of(gg_str_of(cases[i].password)),
                                   gg_str_of(cases[i].salt), cases[i].rounds, out, &err));
        ck_assert_mem_eq(out, unhex(arena, cases[i].out).p, 32);
    }
    ck_assert(!gg_crypto_derive(gg_secret_of(GG_STR("x")), GG_STR("y"), 0, out, &err));
    gg_arena_close(arena);
}
END_TEST

/* RFC 7515 A.2 */
static const char signed_text[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";
static const char modulus[] =
    "a1f8160ae2e3c9b465ce8d2d656263362b927dbe29e1f02477fc1625cc90a136e38bd93497c5b6ea63dd7711"
    "e67c7429f956b0fb8a8f089adc4b69893cc1333f53edd019b87784252fec914fe4857769594bea4280d32c0f"
    "55bf62944f130396bc6e9bdf6ebdd2bda3678eeca0c668f701b38dbffb38c8342ce2fe6d27fade4a5a487497"
    "9dd4b9cf9adec4c75b05852c2c0f5ef8a5c1750392f944e8ed64c110c6b647609aa4783aeb9c6c9ad7553130"
    "50638b83665c6f6f7a82a396702a1f641b82d3ebf2392219491fb686872c5716f50af8358d9a8b9d17c34072"
    "8f7f87d89a18d8fcab67ad84590c2ecf759339363c07034d6f606f9e21e05456cae5e9a1";

static const char signature[] =
    "702e218943e88fd11eb5d82dbf7845f34106ae1b81fff7731116add1717d83656d420afd3c96eedd73a2663e"
    "5166687b000b87226e0187ed1073f945e582adfcef16d85a798ee8c66ddb3db8975b17d09402beedd5d9d970"
    "07108db28160d5f8040ca7445762b81fbe7ff9d92e0ae76f24f25b33bbe6f44ae61eb1040acb20044d3ef912"
    "8ed40130795bd4bd3b41eecad066ab651981fde48df77f372dc38b9fafdd3befb18b5da3cc3c2eb02f9e3a41"
    "d612caad15911273a05f23b9e838faaf849d698429ef5a1e88798236c3d40e604522a544c8f27a7a2db80663"
    "d16cf7caea56de405cb2215a45b2c25566b55ac1a748a070dfc8a32a469543d019eefb47";

static const char small_modulus[] =
    "ce248516eb55d504dd41720c95c180a12302537d8f455893c97699513a0e1bdfbc8dbcb744a518c11b4bd835"
    "8bbfde50142c4363254ce1c5533bd120a7785bee89edba291eda29d1132b416f9a844d75c356573f88ede270"
    "42cba27609eac5e3bc20d5b2fb42fbb9bf82adb829ed010a454afc6543c6f488bae6f7ec45c170ff";

static const char small_signature[] =
    "2748814cdb5ef681cc33f81b3cbaa9efdf423abfc189eaf2a7fd3dc48a652ffbf6d4b9e97cc0574eb5d9a405"
    "a90de5d9ee720d5e5697132a9715c04e8726327d82ff845384e687b030f3181388438fe5ad5baffc7c6581a9"
    "841158101996cd7886a3aa0ce3371cb4ea9209b11cc4f834ff67db1e2450e0090a43c54b4613eb92";

static bool verify(const char *n, const char *e, const char *text, const char *sig)
{
    return gg_crypto_verify_rs256((struct gg_rsa){unhex(arena, n), unhex(arena, e)},
                                  gg_str_of(text), unhex(arena, sig), &err);
}

START_TEST(rsa_vector)
{
    arena = gg_arena_open();
    ck_assert(verify(modulus, "010001", signed_text, signature));
    /* Zeros in front change no number. */
    const char *padded = gg_arena_printf(arena, "00%s", modulus);
    ck_assert(verify(padded, "00010001", signed_text, signature));
    gg_arena_close(arena);
}
END_TEST

/* With exponent 1 a signature is the padded hash itself (RFC 8017 section 9.2): anyone's to make.
 */
START_TEST(rsa_refuses_exponent_1)
{
    unsigned char hash[GG_SHA256_BYTES];
    struct gg_buf b;

    arena = gg_arena_open();
    gg_buf_init(&b, arena, 1000);
    gg_buf_add_text(&b, "0001");
    for (int i = 0; i < 256 - 3 - 19 - 32; i++)
        gg_buf_add_text(&b, "ff");
    gg_buf_add_text(&b, "003031300d060960864801650304020105000420");
    ck_assert(gg_crypto_sha256(gg_str_of(signed_text), hash, &err));
    for (size_t i = 0; i < sizeof hash; i++)
        gg_buf_add_fmt(&b, "%02x", (unsigned)hash[i]);
    ck_assert_uint_eq(gg_buf_str(&b).n, strlen(signature));
    ck_assert(!verify(modulus, "01", signed_text, b.p));
    gg_arena_close(arena);
}
END_TEST

START_TEST(rsa_refuses)
{
    arena = gg_arena_open();
    char *bent = gg_arena_strdup(arena, signature);
    bent[100] = bent[100] == '0' ? '1' : '0';
    const char *longer = gg_arena_printf(arena, "%s00", signature);
    const char *shorter = gg_arena_strdup(arena, signature + 2);
    const char *huge = gg_arena_printf(arena, "%s%02050d1", modulus, 0);
    char *even = gg_arena_strdup(arena, modulus);
    even[strlen(even) - 1] = '0';
    const struct {
        const char *what;
        const char *n;
        const char *e;
        const char *text;
        const char *sig;
    } cases[] = {
        {"other text", modulus, "010001", "other", signature},
        {"bent signature", modulus, "010001", signed_text, bent},
        {"longer signature", modulus, "010001", signed_text, longer},
        {"shorter signature", modulus, "010001", signed_text, shorter},
        {"no signature", modulus, "010001", signed_text, ""},
        {"other exponent", modulus, "03", signed_text, signature},
        {"exponent 1", modulus, "01", signed_text, signature},
        {"exponent 0", modulus, "00", signed_text, signature},
        {"even exponent", modulus, "010000", signed_text, signature},
        {"no exponent", modulus, "", signed_text, signature},
        {"huge exponent", modulus, "010000000000000001", signed_text, signature},
        {"no modulus", "", "010001", signed_text, signature},
        {"even modulus", even, "010001", signed_text, signature},
        {"huge modulus", huge, "010001", signed_text, signature},
        {"1024 bits, though right", small_modulus, "010001", signed_text, small_signature},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        err = (struct gg_err){0};
        ck_assert_msg(!verify(cases[i].n, cases[i].e, cases[i].text, cases[i].sig), "%s",
                      cases[i].what);
        ck_assert_int_eq(err.code, GG_EINVALIDTOKEN);
    }
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/crypto", random_bytes_differ, random_ids_differ, random_text_is_bare_base64url,
             sha256_vectors, hash_text_vector, uuids_are_of_version_4,
             no_two_processes_make_one_uuid, aes_vector, aes_round_trips_at_every_length,
             pbkdf2_vectors, rsa_vector, rsa_refuses_exponent_1, rsa_refuses)
