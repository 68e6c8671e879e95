/* SPDX-License-Identifier: MIT */
/* What an answer of the token endpoint gives (RFC 6749 section 5.1), and what its row has of it. */
#ifndef GG_BASE_TOKENS_H
#define GG_BASE_TOKENS_H

#include "gg/base/secret.h"
#include "gg/base/str.h"

#include <stdint.h>

/* Borrowed; what was not sent is absent. */
struct gg_tokens {
    struct gg_secret access_token;
    struct gg_secret refresh_token;
    struct gg_secret id_token;
    struct gg_str token_type;
    struct gg_str scope;
    int64_t expires_in_s;
};

/* The same tokens as a row has them: Fernet-encrypted; absent where the row has NULL. */
struct gg_ciphers {
    struct gg_str access_token;
    struct gg_str refresh_token;
    struct gg_str id_token;
};

#endif
