/* SPDX-License-Identifier: MIT */
/*
 * JSON as it stands: checked (RFC 8259's grammar, UTF-8), and cut into its values without building
 * them, so that they can be passed on byte for byte.
 */
#ifndef GG_BASE_JSONTEXT_H
#define GG_BASE_JSONTEXT_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/* Open brackets at once. */
#define GG_JSONTEXT_DEPTH 32
/* Marks in a text ({ } [ ] , :), a { for eight of them: each may cost a reader memory. */
#define GG_JSONTEXT_WEIGHT 2000000
/* That a text is cut into. */
#define GG_JSONTEXT_PARTS 100000

/* What was seen of a whole text. */
struct gg_jsontext {
    size_t members;    /* of all its objects */
    bool has_nul_name; /* a name with an escaped NUL */
};

/* False when text is not one value, or is deeper or heavier than the above. */
GG_MUST bool gg_jsontext_check(struct gg_str text, struct gg_jsontext *seen);

/* A value where it stands in its text. */
struct gg_jsontext_part {
    struct gg_str name; /* of a member: what is between its quotes; else absent */
    struct gg_str text;
    struct gg_jsontext_part *parts; /* members or elements, as deep as was asked for */
    size_t count;
};

/* As gg_jsontext_check; *out is the value, with its parts down to `levels`. False for too many. */
GG_MUST bool gg_jsontext_split(struct gg_arena *a, struct gg_str text, int levels,
                               struct gg_jsontext_part *out);

#endif
