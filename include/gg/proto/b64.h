/* SPDX-License-Identifier: MIT */
/* base64url (RFC 4648 section 5), canonical only: no stray bits, no white space. */
#ifndef GG_PROTO_B64_H
#define GG_PROTO_B64_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/* With padding as Fernet wants it, without as JOSE does (RFC 7515 section 2). */
enum gg_b64 { GG_B64_PADDED, GG_B64_BARE };

/* At most so many characters for n bytes. */
#define GG_B64_CHARS(n) (((n) + 2) / 3 * 4)

/* Writes them to `to`, without a NUL; how many they are. */
size_t gg_b64_put(char *to, enum gg_b64 form, struct gg_str in);

struct gg_str gg_b64_format(struct gg_arena *a, enum gg_b64 form, struct gg_str in);

/* False unless the whole of `in` is the one encoding that its bytes have in this form. */
GG_MUST bool gg_b64_parse(struct gg_arena *a, enum gg_b64 form, struct gg_str in,
                          struct gg_str *out);

/* For challenges (RFC 4648 section 4 or 5, padded or not), as Microsoft sends them. */
GG_MUST bool gg_b64_parse_any(struct gg_arena *a, struct gg_str in, struct gg_str *out);

#endif
