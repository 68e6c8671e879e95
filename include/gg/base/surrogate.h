/* SPDX-License-Identifier: MIT */
/* Pairs of surrogate escapes in JSON text (RFC 8259 section 7), which json-c reads amiss. */
#ifndef GG_BASE_SURROGATE_H
#define GG_BASE_SURROGATE_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/*
 * The text with every escaped pair, "\ud83d\ude00", as the character that it stands for, in UTF-8.
 * A lone one stays. Text without any is given back itself; else it is the arena's. The escapes must
 * be whole, as in well-formed JSON; in other text nothing but pairs is changed.
 */
struct gg_str gg_surrogate_join(struct gg_arena *a, struct gg_str text);

#endif
