/* SPDX-License-Identifier: MIT */
/*
 * One line of the log, as logfmt (`key=value key="two words"`) or as a JSON object (RFC 8259).
 *
 * Keys come from the program's own formats and values stay values: whatever bytes one has, it
 * neither ends the line, nor makes a key of its own, nor breaks the form. Both forms are ASCII. A
 * line that grows too long loses what stands last, and is whole for all that.
 */
#ifndef GG_BASE_LOGLINE_H
#define GG_BASE_LOGLINE_H

#include "gg/base/str.h"

#include <stdarg.h>

#define GG_LOGLINE_BYTES 2048

enum gg_logline_form { GG_LOGLINE_LOGFMT, GG_LOGLINE_JSON };

struct gg_logline {
    enum gg_logline_form form;
    /* Writes what stands for the value of a key `subject` into out, at most size bytes with its
     * NUL. NULL: such a value is left as it is. */
    void (*name_subject)(struct gg_str subject, char *out, size_t size);
    bool is_full; /* nothing more is taken */
    size_t n;
    char p[GG_LOGLINE_BYTES];
};

void gg_logline_begin(struct gg_logline *l, enum gg_logline_form form);
void gg_logline_add(struct gg_logline *l, const char *key, struct gg_str value);
void gg_logline_add_int(struct gg_logline *l, const char *key, long long value);

/*
 * Adds `key=%s key2=%d key3="words and %s"`: a key's value ends at the next blank, or at the second
 * quote, of the format itself. A value that is one whole number is a number in JSON. Known are %%,
 * %c, %s (also %.N, %.*) and %d %i %u %x with hh, h, l, ll, j, z; what else a format has ends the
 * line as its `text`, and none of its arguments is looked at.
 */
void gg_logline_add_fmt(struct gg_logline *l, const char *fmt, va_list ap);

/* The whole line, ended by '\n' and, behind that, by NUL. */
struct gg_str gg_logline_end(struct gg_logline *l);

#endif
