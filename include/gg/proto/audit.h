/* SPDX-License-Identifier: MIT */
/*
 * What makes the audit tamper-evident: the one form in which a row and a seal are signed.
 *
 * A MAC is HMAC-SHA256 (RFC 2104) over the text `graphgate audit row v1` (or `… seal v1`, `…
 * removal v1`) and the fields in their order, each as a netstring ("5:token,"), an absent one as
 * "-,": two different rows never have the same text. Its key is derived from a Fernet key
 * (gg_fernet_derive), which key_fingerprint names.
 */
#ifndef GG_PROTO_AUDIT_H
#define GG_PROTO_AUDIT_H

#include "gg/proto/fernet.h"

#define GG_AUDIT_ID_CHARS  36
#define GG_AUDIT_MAC_CHARS 43
/* One row of a seal's listing: its id and its MAC. */
#define GG_AUDIT_ENTRY_CHARS (GG_AUDIT_ID_CHARS + GG_AUDIT_MAC_CHARS)

/* The first signs, all verify. Wipe with gg_wipe. */
struct gg_audit_keys {
    size_t count;
    unsigned char keys[GG_FERNET_KEYS_MAX][GG_FERNET_KEY_BYTES];
    char names[GG_FERNET_KEYS_MAX][GG_FERNET_FINGERPRINT_CHARS + 1];
};
GG_MUST bool gg_audit_derive(const struct gg_fernet *f, struct gg_audit_keys *keys,
                             struct gg_err *err);

/* As the table has it. at is "2026-03-02T13:00:00.123456", UTC. What may be absent may be NULL. */
struct gg_audit_row {
    struct gg_str id;
    struct gg_str at;
    struct gg_str event;
    struct gg_str realm;      /* may be absent */
    struct gg_str subject;    /* may be absent */
    struct gg_str actor;      /* may be absent */
    struct gg_str address;    /* may be absent */
    struct gg_str request_id; /* may be absent */
    struct gg_str result;
    struct gg_str detail; /* may be absent */
    struct gg_str key_fingerprint;
    struct gg_str mac;
};

/*
 * id (a UUID of version 7, RFC 9562 section 5.7, whose rand_a begins with the microseconds) and at
 * of the same moment.
 */
GG_MUST bool gg_audit_stamp(struct gg_arena *a, int64_t at_us, struct gg_audit_row *row,
                            struct gg_err *err);

/* The least id that a row of this moment can have. */
struct gg_str gg_audit_least_id(struct gg_arena *a, int64_t at_us);

/* at of a moment. */
struct gg_str gg_audit_format_time(struct gg_arena *a, int64_t at_us);

/* Sets key_fingerprint and mac. */
GG_MUST bool gg_audit_sign_row(const struct gg_audit_keys *keys, struct gg_arena *a,
                               struct gg_audit_row *row, struct gg_err *err);

/*
 * A row as bytes, for base/journal: of each column in turn its length (2 bytes of the machine's own
 * order; 0xffff: absent) and itself. No column is longer than GG_AUDIT_CELL_MAX. What is no such
 * thing is not parsed; whether what is parsed is a row of ours, its MAC says. The strings are
 * borrowed from `bytes`.
 */
#define GG_AUDIT_CELL_MAX 4096
GG_MUST bool gg_audit_pack(struct gg_arena *a, const struct gg_audit_row *row, struct gg_str *bytes,
                           struct gg_err *err);
GG_MUST bool gg_audit_unpack(struct gg_str bytes, struct gg_audit_row *row);

enum gg_audit_verdict {
    GG_AUDIT_GOOD,
    GG_AUDIT_CHANGED,
    GG_AUDIT_NO_KEY, /* the key that key_fingerprint names is not among them */
};
GG_MUST bool gg_audit_check_row(const struct gg_audit_keys *keys, struct gg_arena *a,
                                const struct gg_audit_row *row, enum gg_audit_verdict *verdict,
                                struct gg_err *err);

/* A finished span of rows. */
struct gg_audit_seal {
    int64_t number; /* from 1 */
    struct gg_str first_id;
    struct gg_str last_id;
    int64_t row_count;
    struct gg_str rows_hash; /* SHA-256 of the listing */
    struct gg_str previous;  /* the MAC of the seal before; empty for the first */
    struct gg_str made_at;
    struct gg_str made_by;
    struct gg_str key_fingerprint;
    struct gg_str mac;
    struct gg_str listing; /* entries in the order of ids; absent when not asked for, or removed */
    /* Of a span whose rows retention has removed; else absent. */
    struct gg_str removed_at;
    struct gg_str removed_by;
    struct gg_str removed_fingerprint;
    struct gg_str removed_mac;
};

/* rows_hash of the listing, key_fingerprint and mac. */
GG_MUST bool gg_audit_sign_seal(const struct gg_audit_keys *keys, struct gg_arena *a,
                                struct gg_audit_seal *seal, struct gg_err *err);
GG_MUST bool gg_audit_check_seal(const struct gg_audit_keys *keys, struct gg_arena *a,
                                 const struct gg_audit_seal *seal, enum gg_audit_verdict *verdict,
                                 struct gg_err *err);

/* The same of removed_*: removed_fingerprint and removed_mac. */
GG_MUST bool gg_audit_sign_removal(const struct gg_audit_keys *keys, struct gg_arena *a,
                                   struct gg_audit_seal *seal, struct gg_err *err);
GG_MUST bool gg_audit_check_removal(const struct gg_audit_keys *keys, struct gg_arena *a,
                                    const struct gg_audit_seal *seal,
                                    enum gg_audit_verdict *verdict, struct gg_err *err);

/* At most n bytes of printable ASCII, what is not as '?'; absent stays absent. */
struct gg_str gg_audit_clean(struct gg_arena *a, struct gg_str s, size_t n);

#endif
