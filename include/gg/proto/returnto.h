/* SPDX-License-Identifier: MIT */
/* Where a sign-in may lead back to: never anywhere that was not allowed (RFC 9700 section 4.11). */
#ifndef GG_PROTO_RETURNTO_H
#define GG_PROTO_RETURNTO_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/*
 * allowed: comma-separated origins ("https://a.example") or prefixes ("https://a.example/app/").
 * True when url is an absolute http(s) URL without anything that two parsers could read in two
 * ways, and is of such an origin or below such a prefix.
 */
bool gg_returnto_is_allowed(const char *allowed, struct gg_str url);

/* True for a list in which each entry could allow something. */
bool gg_returnto_is_list(const char *allowed);

/* url with name=value in its query, before a fragment if it has one. */
struct gg_str gg_returnto_add(struct gg_arena *a, struct gg_str url, const char *name,
                              struct gg_str value);

#endif
