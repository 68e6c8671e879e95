/* SPDX-License-Identifier: MIT */
/* Borrowed text with a length, and the small questions that are asked of it. */
#ifndef GG_BASE_STR_H
#define GG_BASE_STR_H

#include "gg/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Not owned, not necessarily ended by NUL. p NULL: absent. */
struct gg_str {
    const char *p;
    size_t n;
};

/* A literal, for initialisers. */
#define GG_STR(lit) ((struct gg_str){("" lit), sizeof(lit) - 1})

/* For "%.*s". */
#define GG_STR_ARG(s) (int)(s).n, (s).p == NULL ? "" : (s).p

struct gg_str gg_str_of(const char *s); /* NULL gives an absent one */
bool gg_str_is_equal(struct gg_str a, struct gg_str b);
bool gg_str_is_equal_nocase(struct gg_str a, struct gg_str b); /* ASCII */
bool gg_str_is(struct gg_str a, const char *s);
bool gg_str_has_prefix(struct gg_str s, const char *prefix);
struct gg_str gg_str_skip(struct gg_str s, size_t n);
struct gg_str gg_str_trim(struct gg_str s); /* spaces and tabs, both ends */

/* Cuts off what stands before the first `sep`; false when nothing is left to take. */
bool gg_str_take(struct gg_str *rest, char sep, struct gg_str *part);

/*
 * A number, written into room from its end: printf costs ten times as much. base is 10 or 16, whose
 * digits are of lower case.
 */
#define GG_STR_NUMBER_BYTES 24
struct gg_str gg_str_format_digits(char room[GG_STR_NUMBER_BYTES], uint64_t n, unsigned base);
struct gg_str gg_str_format_int(char room[GG_STR_NUMBER_BYTES], int64_t n);

/* The whole of s as a decimal number without sign or leading zeros, min…max. */
GG_MUST bool gg_str_parse_int(struct gg_str s, int64_t min, int64_t max, int64_t *out);

/* 1…max bytes, each an ASCII letter or digit or one of `more`. */
bool gg_str_is_word(struct gg_str s, size_t max, const char *more);

/* No control bytes (C0, DEL): fit for a header or a line of a log. */
bool gg_str_is_printable(struct gg_str s);

/* Bytes of the UTF-8 sequence at the begin of s, which is not empty; 0 when it is none: neither are
 * overlong forms and surrogates. */
size_t gg_str_utf8_step(struct gg_str s);

/* Characters of valid UTF-8 (RFC 3629), or -1. */
long gg_str_count_utf8(struct gg_str s);

/* ASCII letters to lower case, in place. */
void gg_str_lower(char *p, size_t n);

/* A media type without regard to its parameters and case (RFC 9110 section 8.3.1). */
bool gg_str_is_media_type(struct gg_str header, const char *type);

/* A UUID in its 8-4-4-4-12 form (RFC 9562), either case. */
bool gg_str_is_uuid(struct gg_str s);

#endif
