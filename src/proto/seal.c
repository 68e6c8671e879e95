/* SPDX-License-Identifier: MIT */
#include "gg/proto/seal.h"

#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"

#include <string.h>

#define LENGTH_BYTES 4
#define ABSENT       UINT32_MAX
#define FIELDS       8

/* What is signed, in its order. */
static void list_fields(const struct gg_seal_row *row, struct gg_str fields[FIELDS])
{
    const struct gg_str list[FIELDS] = {
        gg_str_of(row->realm),   row->subject,
        GG_STR("access_token"),  row->ciphers.access_token,
        GG_STR("refresh_token"), row->ciphers.refresh_token,
        GG_STR("id_token"),      row->ciphers.id_token,
    };

    memcpy(fields, list, sizeof list);
}

static struct gg_str join(struct gg_arena *a, const struct gg_seal_row *row)
{
    struct gg_str fields[FIELDS];
    size_t n = 0;

    list_fields(row, fields);
    for (size_t i = 0; i < FIELDS; i++)
        n += LENGTH_BYTES + fields[i].n;
    char *text = gg_arena_alloc(a, n);
    char *to = text;
    for (size_t i = 0; i < FIELDS; i++) {
        uint32_t length = fields[i].p == NULL ? ABSENT : (uint32_t)fields[i].n;
        for (int shift = 24; shift >= 0; shift -= 8)
            *to++ = (char)(length >> shift);
        if (fields[i].n > 0)
            memcpy(to, fields[i].p, fields[i].n);
        to += fields[i].n;
    }
    return (struct gg_str){text, n};
}

static bool sign(const struct gg_fernet *f, size_t key, struct gg_str text, struct gg_mac *mac,
                 struct gg_err *err)
{
    unsigned char derived[GG_FERNET_KEY_BYTES];
    struct gg_secret secret = {(const char *)derived, sizeof derived};

    bool ok = gg_fernet_derive(f, key, "seal", derived, err) &&
              gg_crypto_hmac(GG_SHA256, secret, text, mac, err);
    gg_wipe(derived, sizeof derived);
    return ok;
}

bool gg_seal_make(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                  struct gg_str *seal, struct gg_err *err)
{
    struct gg_mac mac;

    if (!sign(f, row->key, join(a, row), &mac, err))
        return false;
    *seal = gg_b64_format(a, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, mac.n});
    return true;
}

bool gg_seal_check(const struct gg_fernet *f, struct gg_arena *a, const struct gg_seal_row *row,
                   struct gg_str seal, struct gg_err *err)
{
    struct gg_str text = join(a, row);
    struct gg_str given;
    struct gg_mac mac;

    if (seal.n != GG_SEAL_CHARS || !gg_b64_parse(a, GG_B64_BARE, seal, &given))
        return gg_fail(err, GG_EINTERNAL, "the seal is none");
    for (size_t i = 0; i < f->count; i++) {
        if (!sign(f, i, text, &mac, err))
            return false;
        if (gg_secret_is_equal(gg_secret_of(given),
                               (struct gg_secret){(const char *)mac.bytes, mac.n}))
            return true;
    }
    return gg_fail(err, GG_EINTERNAL, "the seal fits none of %zu keys", f->count);
}
