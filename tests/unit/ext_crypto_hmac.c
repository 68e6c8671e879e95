/* SPDX-License-Identifier: MIT */
#include "bytes.h"
#include "unit.h"

#include "gg/ext/crypto.h"

static struct gg_arena *arena;
static struct gg_err err;

static void check_mac(enum gg_hash hash, struct gg_str key, struct gg_str in, const char *want)
{
    struct gg_mac mac;

    ck_assert(gg_crypto_hmac(hash, gg_secret_of(key), in, &mac, &err));
    ck_assert_uint_eq(mac.n, (size_t)hash / 8);
    ck_assert_uint_eq(mac.n, strlen(want) / 2);
    ck_assert_mem_eq(mac.bytes, unhex(arena, want).p, mac.n);
}

/* RFC 4231 section 4, but for case 5, which is cut. */
START_TEST(hmac_vectors)
{
    static const struct {
        struct gg_str key; /* p NULL: n times 0xaa */
        struct gg_str in;
        const char *out[3];
    } cases[] = {
        {{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20},
         {"Hi There", 8},
         {"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
          "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
          "faea9ea9076ede7f4af152e8b2fa9cb6",
          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
          "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
        {{"Jefe", 4},
         {"what do ya want for nothing?", 28},
         {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
          "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
          "8e2240ca5e69e2c78b3239ecfab21649",
          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
          "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
        {{NULL, 20},
         {NULL, 50},
         {"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
          "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
          "2a5ab39dc13814b94e3ab6e101a34f27",
          "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
          "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"}},
        {{NULL, 131},
         {"Test Using Larger Than Block-Size Key - Hash Key First", 54},
         {"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
          "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
          "0c2ef6ab4030fe8296248df163f44952",
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
        {{NULL, 131},
         {"This is a test using a larger than block-size key and a larger than block-size data. "
          "The key needs to be hashed before being used by the HMAC algorithm.",
          152},
         {"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
          "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
          "a678cc31e799176d3860e6110c46523e",
          "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
          "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"}},
    };
    static const enum gg_hash hashes[] = {GG_SHA256, GG_SHA384, GG_SHA512};

    arena = gg_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t h = 0; h < 3; h++) {
            bool filled = cases[i].key.p == NULL;
            check_mac(hashes[h], filled ? fill(arena, '\xaa', cases[i].key.n) : cases[i].key,
                      cases[i].in.p == NULL ? fill(arena, '\xdd', cases[i].in.n) : cases[i].in,
                      cases[i].out[h]);
        }
    gg_arena_close(arena);
}
END_TEST

/* RFC 4231 section 4, case 2, wherever it is cut. */
START_TEST(hmac_of_pieces)
{
    const struct gg_str text = GG_STR("what do ya want for nothing?");
    struct gg_mac mac;

    arena = gg_arena_open();
    struct gg_str want =
        unhex(arena, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    for (size_t n = 0; n <= text.n; n++) {
        const struct gg_str parts[] = {{text.p, n}, {NULL, 0}, {text.p + n, text.n - n}};
        ck_assert(gg_crypto_hmac_parts(GG_SHA256, gg_secret_of(GG_STR("Jefe")),
                                       &(struct gg_parts){parts, 3}, &mac, &err));
        ck_assert(gg_str_is_equal((struct gg_str){(char *)mac.bytes, mac.n}, want));
    }
    gg_arena_close(arena);
}
END_TEST

/* Keys of every length, longer ones than a block too: none stands for another. */
START_TEST(hmac_of_many_keys)
{
    static const enum gg_hash hashes[] = {GG_SHA256, GG_SHA384, GG_SHA512};
    struct gg_mac macs[40];
    struct gg_mac again;

    arena = gg_arena_open();
    for (size_t step = 1; step <= 7; step += 3)
        for (size_t i = 0; i < COUNT(macs); i++) {
            size_t k = step * i % COUNT(macs);
            struct gg_secret key = gg_secret_of(fill(arena, 'k', k * 5));
            ck_assert(gg_crypto_hmac(hashes[k % 3], key, GG_STR("x"), step == 1 ? &macs[k] : &again,
                                     &err));
            ck_assert(step == 1 || memcmp(again.bytes, macs[k].bytes, macs[k].n) == 0);
            for (size_t other = 0; step == 1 && other < k; other++)
                ck_assert_mem_ne(macs[k].bytes, macs[other].bytes, 32);
        }
    gg_arena_close(arena);
}
END_TEST

START_TEST(hmac_takes_an_empty_key_as_one)
{
    arena = gg_arena_open();
    check_mac(GG_SHA256, (struct gg_str){NULL, 0}, (struct gg_str){NULL, 0},
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/crypto, HMAC", hmac_vectors, hmac_of_pieces, hmac_of_many_keys,
             hmac_takes_an_empty_key_as_one)
