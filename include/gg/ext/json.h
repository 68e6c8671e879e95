/* SPDX-License-Identifier: MIT */
/*
 * json-c: JSON read strictly (RFC 8259; I-JSON's unique names, RFC 7493).
 *
 * json-c alone lets through NaN, control bytes in strings, "1.", a NUL in a name and the last of
 * two equal names; here each of them is a fault.
 */
#ifndef GG_EXT_JSON_H
#define GG_EXT_JSON_H

#include "gg/base/arena.h"
#include "gg/base/jsontext.h"
#include "gg/base/str.h"

#include <stdint.h>

struct gg_json; /* a value; lives as long as the arena that it was parsed into */

enum gg_json_type {
    GG_JSON_NULL,
    GG_JSON_BOOL,
    GG_JSON_INT,
    GG_JSON_DOUBLE,
    GG_JSON_STRING,
    GG_JSON_ARRAY,
    GG_JSON_OBJECT,
};

/*
 * Parses the whole of text, of any type at the top, at most GG_JSONTEXT_DEPTH deep and of
 * GG_JSONTEXT_WEIGHT. Fails with GG_EINVALIDJSON. *out is NULL for the value null. A lone surrogate
 * escape (RFC 8259 section 8.2), which Graph's cut-off previews may have, is read as U+FFFD.
 */
GG_MUST bool gg_json_parse(struct gg_arena *a, struct gg_str text, struct gg_json **out,
                           struct gg_err *err);

enum gg_json_type gg_json_type(const struct gg_json *v); /* NULL: GG_JSON_NULL */

/* The member, or NULL when v is no object or has none (or has null) by that name. */
struct gg_json *gg_json_get(const struct gg_json *v, const char *name);

/* True when v is an object with this member, even if it is null. */
bool gg_json_has(const struct gg_json *v, const char *name);

/* Each is false, and leaves out as it is, when v is of another type. Borrowed from the arena. */
GG_MUST bool gg_json_str(const struct gg_json *v, struct gg_str *out);
GG_MUST bool gg_json_bool(const struct gg_json *v, bool *out);

/*
 * A whole number above -2^63 and below 2^63; one written as 3600.0 only to 2^53, as far as doubles
 * are exact.
 */
GG_MUST bool gg_json_int(const struct gg_json *v, int64_t *out);

/* Any finite number, but no integer that gg_json_int would not take. */
GG_MUST bool gg_json_number(const struct gg_json *v, double *out);

size_t gg_json_length(const struct gg_json *v); /* of an array; else 0 */
struct gg_json *gg_json_at(const struct gg_json *v, size_t i);

/* The i-th name of an object, in the order of the text; absent behind the last. */
struct gg_str gg_json_name(const struct gg_json *v, size_t i);

/* A string member, or an absent one: for optional fields of protocol messages. */
struct gg_str gg_json_text(const struct gg_json *v, const char *name);

/*
 * The value as JSON text of the arena, without spaces. Numbers stand as they were read, but for
 * integers beyond 64 bits, which json-c holds at the edge.
 */
struct gg_str gg_json_print(struct gg_arena *a, const struct gg_json *v);

/*
 * For what is passed on as it came: checks the whole of text as gg_json_parse does, but builds
 * nothing, and lets names be equal or have a NUL. *out is the value with its parts down to
 * `levels`, which borrow from text. Fails with GG_EINVALIDJSON.
 */
GG_MUST bool gg_json_split(struct gg_arena *a, struct gg_str text, int levels,
                           struct gg_jsontext_part *out, struct gg_err *err);

/* The member of this name; NULL when there is none, or more than one. */
const struct gg_jsontext_part *gg_json_part(struct gg_arena *a, const struct gg_jsontext_part *of,
                                            const char *name);

/* What the string means that is this member; absent when it is none. */
struct gg_str gg_json_part_text(struct gg_arena *a, const struct gg_jsontext_part *of,
                                const char *name);

#endif
