/* SPDX-License-Identifier: MIT */
/*
 * What the identity platform's error numbers ("AADSTS65001") and error words (RFC 6749 section 5.2,
 * OpenID Connect Core section 3.1.2.6) mean to the people around graphgate: one table for the log,
 * for `graphgatectl explain` and for `graphgatectl check`. Nothing decides by it: that is
 * gg_oauth_refusal's class, which goes by the word alone, since numbers change.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
#ifndef GG_PROTO_AADSTS_H
#define GG_PROTO_AADSTS_H

#include "gg/base/str.h"

/* Who can mend it. */
enum gg_aadsts_who {
    GG_AADSTS_USER,     /* whose account it is */
    GG_AADSTS_ADMIN,    /* an administrator of the user's organisation */
    GG_AADSTS_OPERATOR, /* who runs graphgate, or registered the application */
    GG_AADSTS_NOBODY,   /* it passes by itself */
};

struct gg_aadsts {
    int64_t number;    /* 0: a word */
    const char *word;  /* of a row without number; else NULL */
    const char *why;   /* the short form, for a line of the log: no quotes, under 80 bytes */
    const char *cause; /* a sentence, or more */
    enum gg_aadsts_who who;
    const char *remedy; /* the same: what they must do */
    bool wants_consent; /* the link of admin consent helps */
};

/* All rows, the numbers first. */
const struct gg_aadsts *gg_aadsts_table(size_t *count);

/* "AADSTS65001" in any case, "65001", or a word such as "invalid_client"; NULL: not in the table.
 */
const struct gg_aadsts *gg_aadsts_find(struct gg_str name);

/*
 * The row for a refusal: of the first of its numbers ("700082,50173") that is known, else of its
 * word. NULL: neither is.
 */
const struct gg_aadsts *gg_aadsts_of(const char *codes, const char *error);

/* Its short form; NULL as well. */
const char *gg_aadsts_why(const char *codes, const char *error);

/* "the user", "an administrator of the organisation", … */
const char *gg_aadsts_who(enum gg_aadsts_who who);

#endif
