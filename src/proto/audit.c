/* SPDX-License-Identifier: MIT */
#include "gg/proto/audit.h"

#include "gg/base/buf.h"
#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"
#include "gg/proto/time.h"

#include <stddef.h>
#include <string.h>

#define TEXT_BYTES_MAX 4096
#define PURPOSE        "audit"
#define ROW            "graphgate audit row v1"
#define SEAL           "graphgate audit seal v1"
#define REMOVAL        "graphgate audit removal v1"

bool gg_audit_derive(const struct gg_fernet *f, struct gg_audit_keys *keys, struct gg_err *err)
{
    keys->count = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (!gg_fernet_derive(f, i, PURPOSE, keys->keys[i], err) ||
            !gg_fernet_fingerprint(f, i, keys->names[i], err))
            return false;
        keys->count++;
    }
    return true;
}

struct gg_str gg_audit_clean(struct gg_arena *a, struct gg_str s, size_t n)
{
    if (s.p == NULL)
        return s;
    n = s.n < n ? s.n : n;
    char *copy = gg_arena_copy(a, s.p, n);
    for (size_t i = 0; i < n; i++)
        if (copy[i] < 0x20 || copy[i] > 0x7e)
            copy[i] = '?';
    return (struct gg_str){copy, n};
}

/* 48 bits of milliseconds, ten in rand_a of microseconds; the rest is free. */
static struct gg_str format_id(struct gg_arena *a, int64_t at_us, const unsigned char rest[8])
{
    uint64_t ms = (uint64_t)at_us / 1000;
    unsigned rand_a = (unsigned)(at_us % 1000) << 2 | rest[0] >> 6;
    unsigned char raw[16] = {[6] = (unsigned char)(rand_a >> 8), [7] = (unsigned char)rand_a};

    for (int i = 0; i < 6; i++)
        raw[i] = (unsigned char)(ms >> (40 - 8 * i));
    memcpy(raw + 8, rest, 8);
    return gg_crypto_format_uuid(a, raw, 7);
}

struct gg_str gg_audit_least_id(struct gg_arena *a, int64_t at_us)
{
    static const unsigned char none[8];

    return format_id(a, at_us < 0 ? 0 : at_us, none);
}

struct gg_str gg_audit_format_time(struct gg_arena *a, int64_t at_us)
{
    struct gg_str s = gg_time_format_utc(a, at_us / 1000000);

    return gg_str_of(
        gg_arena_printf(a, "%.*s.%06lld", (int)s.n - 1, s.p, (long long)(at_us % 1000000)));
}

bool gg_audit_stamp(struct gg_arena *a, int64_t at_us, struct gg_audit_row *row, struct gg_err *err)
{
    unsigned char rest[8];

    if (!gg_crypto_random_id(rest, sizeof rest, err))
        return false;
    row->id = format_id(a, at_us, rest);
    row->at = gg_audit_format_time(a, at_us);
    return true;
}

/* The text that a MAC covers: what it is, then its fields; and the MAC that is there. */
#define FIELDS_MAX 12

struct signing {
    const char *what;
    struct gg_str fields[FIELDS_MAX];
    size_t count;
    struct gg_str key_fingerprint;
    struct gg_str mac;
};

static bool sign(struct gg_arena *a, const unsigned char *key, const struct signing *s,
                 struct gg_str *out, struct gg_err *err)
{
    const struct gg_secret secret = {(const char *)key, GG_FERNET_KEY_BYTES};
    struct gg_buf text;
    struct gg_mac mac;

    gg_buf_init(&text, a, TEXT_BYTES_MAX);
    gg_buf_add_text(&text, s->what);
    for (size_t i = 0; i < s->count; i++) {
        if (s->fields[i].p == NULL) {
            gg_buf_add_char(&text, '-');
        } else {
            gg_buf_add_int(&text, (int64_t)s->fields[i].n);
            gg_buf_add_char(&text, ':');
        }
        gg_buf_add(&text, s->fields[i]);
        gg_buf_add_char(&text, ',');
    }
    if (gg_buf_is_full(&text))
        return gg_fail(err, GG_EINTERNAL, "too much for one row of the audit");
    if (!gg_crypto_hmac(GG_SHA256, secret, gg_buf_str(&text), &mac, err))
        return false;
    *out = gg_b64_format(a, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, mac.n});
    return true;
}

static bool is_equal(struct gg_str a, struct gg_str b)
{
    return gg_secret_is_equal(gg_secret_of(a), gg_secret_of(b));
}

static bool check(const struct gg_audit_keys *keys, struct gg_arena *a, const struct signing *s,
                  enum gg_audit_verdict *verdict, struct gg_err *err)
{
    struct gg_str mac;

    *verdict = GG_AUDIT_NO_KEY;
    for (size_t i = 0; i < keys->count; i++) {
        if (!gg_str_is(s->key_fingerprint, keys->names[i]))
            continue;
        if (!sign(a, keys->keys[i], s, &mac, err))
            return false;
        *verdict = is_equal(mac, s->mac) ? GG_AUDIT_GOOD : GG_AUDIT_CHANGED;
        return true;
    }
    return true;
}

/* The key that signs, by its name. */
static bool choose_key(const struct gg_audit_keys *keys, struct gg_arena *a, struct gg_str *name,
                       struct gg_err *err)
{
    if (keys->count == 0)
        return gg_fail(err, GG_EINTERNAL, "there is no key for the audit");
    *name = gg_str_of(gg_arena_strdup(a, keys->names[0]));
    return true;
}

static struct signing signing_of_row(const struct gg_audit_row *r)
{
    return (struct signing){
        .what = ROW,
        .fields = {r->id, r->at, r->event, r->realm, r->subject, r->actor, r->address,
                   r->request_id, r->result, r->detail, r->key_fingerprint},
        .count = 11,
        .key_fingerprint = r->key_fingerprint,
        .mac = r->mac,
    };
}

bool gg_audit_sign_row(const struct gg_audit_keys *keys, struct gg_arena *a,
                       struct gg_audit_row *row, struct gg_err *err)
{
    if (!choose_key(keys, a, &row->key_fingerprint, err))
        return false;
    struct signing s = signing_of_row(row);
    return sign(a, keys->keys[0], &s, &row->mac, err);
}

bool gg_audit_check_row(const struct gg_audit_keys *keys, struct gg_arena *a,
                        const struct gg_audit_row *row, enum gg_audit_verdict *verdict,
                        struct gg_err *err)
{
    struct signing s = signing_of_row(row);

    return check(keys, a, &s, verdict, err);
}

#define ABSENT UINT16_MAX

_Static_assert(GG_AUDIT_CELL_MAX < ABSENT, "a length is no mark");

#define COLUMN(name) offsetof(struct gg_audit_row, name)
static const size_t columns[] = {
    COLUMN(id),      COLUMN(at),     COLUMN(event),           COLUMN(realm),
    COLUMN(subject), COLUMN(actor),  COLUMN(address),         COLUMN(request_id),
    COLUMN(result),  COLUMN(detail), COLUMN(key_fingerprint), COLUMN(mac)};
#undef COLUMN
#define COLUMNS (sizeof columns / sizeof columns[0])

static const struct gg_str *cell_of(const struct gg_audit_row *row, size_t i)
{
    return (const struct gg_str *)(const void *)((const char *)row + columns[i]);
}

bool gg_audit_pack(struct gg_arena *a, const struct gg_audit_row *row, struct gg_str *bytes,
                   struct gg_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (cell_of(row, i)->n > GG_AUDIT_CELL_MAX)
            return gg_fail(err, GG_EINTERNAL, "too much for one row of the audit");
        n += sizeof(uint16_t) + cell_of(row, i)->n;
    }
    char *p = gg_arena_alloc(a, n);
    *bytes = (struct gg_str){p, n};
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct gg_str *cell = cell_of(row, i);
        uint16_t length = cell->p == NULL ? ABSENT : (uint16_t)cell->n;
        memcpy(p, &length, sizeof length);
        p += sizeof length;
        if (cell->n > 0)
            memcpy(p, cell->p, cell->n);
        p += cell->n;
    }
    return true;
}

bool gg_audit_unpack(struct gg_str bytes, struct gg_audit_row *row)
{
    *row = (struct gg_audit_row){.id = {NULL, 0}};
    for (size_t i = 0; i < COLUMNS; i++) {
        uint16_t length;
        if (bytes.n < sizeof length)
            return false;
        memcpy(&length, bytes.p, sizeof length);
        bytes = gg_str_skip(bytes, sizeof length);
        if (length == ABSENT)
            continue;
        if (length > GG_AUDIT_CELL_MAX || length > bytes.n)
            return false;
        *(struct gg_str *)(void *)((char *)row + columns[i]) = (struct gg_str){bytes.p, length};
        bytes = gg_str_skip(bytes, length);
    }
    return bytes.n == 0;
}

static struct gg_str number(struct gg_arena *a, int64_t n)
{
    return gg_str_of(gg_arena_printf(a, "%lld", (long long)n));
}

static struct signing signing_of_seal(struct gg_arena *a, const struct gg_audit_seal *s)
{
    return (struct signing){
        .what = SEAL,
        .fields = {number(a, s->number), s->first_id, s->last_id, number(a, s->row_count),
                   s->rows_hash, s->previous, s->made_at, s->made_by, s->key_fingerprint},
        .count = 9,
        .key_fingerprint = s->key_fingerprint,
        .mac = s->mac,
    };
}

bool gg_audit_sign_seal(const struct gg_audit_keys *keys, struct gg_arena *a,
                        struct gg_audit_seal *seal, struct gg_err *err)
{
    if (!choose_key(keys, a, &seal->key_fingerprint, err) ||
        !gg_crypto_hash_text(a, seal->listing, &seal->rows_hash, err))
        return false;
    struct signing s = signing_of_seal(a, seal);
    return sign(a, keys->keys[0], &s, &seal->mac, err);
}

bool gg_audit_check_seal(const struct gg_audit_keys *keys, struct gg_arena *a,
                         const struct gg_audit_seal *seal, enum gg_audit_verdict *verdict,
                         struct gg_err *err)
{
    struct signing s = signing_of_seal(a, seal);

    return check(keys, a, &s, verdict, err);
}

static struct signing signing_of_removal(struct gg_arena *a, const struct gg_audit_seal *s)
{
    return (struct signing){
        .what = REMOVAL,
        .fields = {number(a, s->number), s->mac, s->removed_at, s->removed_by,
                   s->removed_fingerprint},
        .count = 5,
        .key_fingerprint = s->removed_fingerprint,
        .mac = s->removed_mac,
    };
}

bool gg_audit_sign_removal(const struct gg_audit_keys *keys, struct gg_arena *a,
                           struct gg_audit_seal *seal, struct gg_err *err)
{
    if (!choose_key(keys, a, &seal->removed_fingerprint, err))
        return false;
    struct signing s = signing_of_removal(a, seal);
    return sign(a, keys->keys[0], &s, &seal->removed_mac, err);
}

bool gg_audit_check_removal(const struct gg_audit_keys *keys, struct gg_arena *a,
                            const struct gg_audit_seal *seal, enum gg_audit_verdict *verdict,
                            struct gg_err *err)
{
    struct signing s = signing_of_removal(a, seal);

    return check(keys, a, &s, verdict, err);
}
