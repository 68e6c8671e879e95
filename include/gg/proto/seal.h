/* SPDX-License-Identifier: MIT */
/*
 * The seals of a row of tokens: they say whose they are, so that who can write to the database
 * cannot give them to another.
 *
 * HMAC-SHA256 (RFC 2104) over the realm's name, the subject, and of each token the name of its
 * column and its ciphertext: all of them with their length in front, an absent one with a length
 * that nothing has. The seal of the access token alone ends behind it, where the row's goes on:
 * neither can stand for the other. The key is derived from a Fernet key (gg_fernet_derive, "seal").
 */
#ifndef GG_PROTO_SEAL_H
#define GG_PROTO_SEAL_H

#include "gg/base/tokens.h"
#include "gg/proto/fernet.h"

/* Base64url without padding. */
#define GG_SEAL_CHARS 43

/* What is sealed. */
struct gg_seal_row {
    const char *realm;
    struct gg_str subject; /* in its one canonical form */
    struct gg_ciphers ciphers;
    size_t key; /* for making: which of the Fernet keys; the one that encrypted the row */
};

/* Columns seal and access_seal. */
struct gg_seals {
    struct gg_str row;
    struct gg_str access_token;
};

GG_MUST bool gg_seal_make(const struct gg_fernet *f, struct gg_arena *a,
                          const struct gg_seal_row *row, struct gg_seals *seals,
                          struct gg_err *err);

/* Any key may fit. Fails with GG_EINTERNAL when none does, and says nothing of the seal. */
GG_MUST bool gg_seal_check(const struct gg_fernet *f, struct gg_arena *a,
                           const struct gg_seal_row *row, struct gg_str seal, struct gg_err *err);

/* The same by the seal of the access token, whatever else is in the row. */
GG_MUST bool gg_seal_check_access(const struct gg_fernet *f, struct gg_arena *a,
                                  const struct gg_seal_row *row, struct gg_str seal,
                                  struct gg_err *err);

#endif
