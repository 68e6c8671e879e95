/* SPDX-License-Identifier: MIT */
#include "gg/proto/seal.h"

#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"

#define LENGTH_BYTES 4
#define ABSENT       UINT32_MAX
#define FIELDS       8

/* What is signed: each field with its length in front. */
struct text {
    unsigned char lengths[FIELDS][LENGTH_BYTES];
    struct gg_str parts[2 * FIELDS];
};

static void make_text(const struct gg_seal_row *row, struct text *text)
{
    const struct gg_str fields[FIELDS] = {
        gg_str_of(row->realm),   row->subject,
        GG_STR("access_token"),  row->ciphers.access_token,
        GG_STR("refresh_token"), row->ciphers.refresh_token,
        GG_STR("id_token"),      row->ciphers.id_token,
    };

    for (size_t i = 0; i < FIELDS; i++) {
        uint32_t length = fields[i].p == NULL ? ABSENT : (uint32_t)fields[i].n;
        for (size_t b = 0; b < LENGTH_BYTES; b++)
            text->lengths[i][b] = (unsigned char)(length >> (24 - 8 * b));
        text->parts[2 * i] = (struct gg_str){(const char *)text->lengths[i], LENGTH_BYTES};
        text->parts[2 * i + 1] = fields[i];
    }
}

static bool sign(const struct gg_fernet *f, size_t key, const struct gg_seal_row *row,
                 struct gg_mac *mac, struct gg_err *err)
{
    unsigned char derived[GG_FERNET_KEY_BYTES];
    struct gg_secret secret = {(const char *)derived, sizeof derived};
    struct text text;

    make_text(row, &text);
    bool ok = gg_fernet_derive(f, key, "seal", derived, err) &&
              gg_crypto_hmac_parts(GG_SHA256, secret, &(struct gg_parts){text.parts, 2 * FIELDS},
                                   mac, err);
    gg_wipe(derived, sizeof derived);
    return ok;
}

bool gg_seal_make(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                  struct gg_str *seal, struct gg_err *err)
{
    struct gg_mac mac;

    if (!sign(f, row->key, row, &mac, err))
        return false;
    *seal = gg_b64_format(a, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, mac.n});
    return true;
}

bool gg_seal_check(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                   struct gg_str seal, struct gg_err *err)
{
    struct gg_str given;
    struct gg_mac mac;

    if (seal.n != GG_SEAL_CHARS || !gg_b64_parse(a, GG_B64_BARE, seal, &given))
        return gg_fail(err, GG_EINTERNAL, "the seal is none");
    for (size_t i = 0; i < f->count; i++) {
        if (!sign(f, i, row, &mac, err))
            return false;
        if (gg_secret_is_equal(gg_secret_of(given),
                               (struct gg_secret){(const char *)mac.bytes, mac.n}))
            return true;
    }
    return gg_fail(err, GG_EINTERNAL, "the seal fits none of %zu keys", f->count);
}
