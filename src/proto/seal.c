/* SPDX-License-Identifier: MIT */
#include "gg/proto/seal.h"

#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"

#define LENGTH_BYTES 4
#define ABSENT       UINT32_MAX

/* How many fields each seal is over. */
enum { OF_ACCESS_TOKEN = 4, OF_ROW = 8 };

/* What is signed: each field with its length in front. */
struct text {
    unsigned char lengths[OF_ROW][LENGTH_BYTES];
    struct gg_str parts[2 * OF_ROW];
};

static void make_text(const struct gg_seal_row *row, struct text *text)
{
    const struct gg_str fields[OF_ROW] = {
        gg_str_of(row->realm),   row->subject,
        GG_STR("access_token"),  row->ciphers.access_token,
        GG_STR("refresh_token"), row->ciphers.refresh_token,
        GG_STR("id_token"),      row->ciphers.id_token,
    };

    for (size_t i = 0; i < OF_ROW; i++) {
        uint32_t length = fields[i].p == NULL ? ABSENT : (uint32_t)fields[i].n;
        for (size_t b = 0; b < LENGTH_BYTES; b++)
            text->lengths[i][b] = (unsigned char)(length >> (24 - 8 * b));
        text->parts[2 * i] = (struct gg_str){(const char *)text->lengths[i], LENGTH_BYTES};
        text->parts[2 * i + 1] = fields[i];
    }
}

static bool sign(const struct gg_fernet *f, const struct gg_seal_row *row, size_t fields,
                 struct gg_mac *mac, struct gg_err *err)
{
    unsigned char derived[GG_FERNET_KEY_BYTES];
    struct gg_secret secret = {(const char *)derived, sizeof derived};
    struct text text;

    make_text(row, &text);
    bool ok = gg_fernet_derive(f, row->key, "seal", derived, err) &&
              gg_crypto_hmac_parts(GG_SHA256, secret, &(struct gg_parts){text.parts, 2 * fields},
                                   mac, err);
    gg_wipe(derived, sizeof derived);
    return ok;
}

static struct gg_str format(struct gg_arena *a, const struct gg_mac *mac)
{
    return gg_b64_format(a, GG_B64_BARE, (struct gg_str){(const char *)mac->bytes, mac->n});
}

bool gg_seal_make(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                  struct gg_seals *seals, struct gg_err *err)
{
    struct gg_mac of_row;
    struct gg_mac of_access_token;

    if (!sign(f, row, OF_ROW, &of_row, err) ||
        !sign(f, row, OF_ACCESS_TOKEN, &of_access_token, err))
        return false;
    *seals = (struct gg_seals){format(a, &of_row), format(a, &of_access_token)};
    return true;
}

static bool parse(struct gg_arena *a, struct gg_str seal, struct gg_str *mac, struct gg_err *err)
{
    *mac = (struct gg_str){NULL, 0};
    return (seal.n == GG_SEAL_CHARS && gg_b64_parse(a, GG_B64_BARE, seal, mac)) ||
           gg_fail(err, GG_EINTERNAL, "the seal is none");
}

static bool check(const struct gg_fernet *f, struct gg_seal_row row, size_t fields,
                  struct gg_str given, struct gg_err *err)
{
    struct gg_mac mac;

    for (row.key = 0; row.key < f->count; row.key++) {
        if (!sign(f, &row, fields, &mac, err))
            return false;
        if (gg_secret_is_equal(gg_secret_of(given),
                               (struct gg_secret){(const char *)mac.bytes, mac.n}))
            return true;
    }
    return gg_fail(err, GG_EINTERNAL, "the seal fits none of %zu keys", f->count);
}

bool gg_seal_check(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                   struct gg_str seal, struct gg_err *err)
{
    struct gg_str mac;

    return parse(a, seal, &mac, err) && check(f, *row, OF_ROW, mac, err);
}

bool gg_seal_check_access(const struct gg_fernet *f, struct gg_arena *a,
                          const struct gg_seal_row *row, struct gg_str seal, struct gg_err *err)
{
    struct gg_str mac;

    return parse(a, seal, &mac, err) && check(f, *row, OF_ACCESS_TOKEN, mac, err);
}
