/* SPDX-License-Identifier: MIT */
/* Where a list goes on: JSON that names its user, sealed with the token key. */
#ifndef GG_FLOW_CURSOR_H
#define GG_FLOW_CURSOR_H

#include "gg/base/jsonw.h"
#include "gg/ext/json.h"
#include "gg/flow/ctx.h"
#include "gg/proto/listing.h"

/* What is being written; the JSON stands open between the two. */
struct gg_cursor {
    struct gg_buf text;
    struct gg_jsonw w;
};
void gg_cursor_begin(struct gg_call *c, struct gg_token_key key, struct gg_cursor *out);
GG_MUST bool gg_cursor_seal(struct gg_call *c, struct gg_cursor *made, struct gg_str *out,
                            struct gg_err *err);

/* GG_ECURSOR when it is not ours or not this user's. */
GG_MUST bool gg_cursor_open(struct gg_call *c, struct gg_token_key key, struct gg_str cursor,
                            struct gg_json **out, struct gg_err *err);

/*
 * Of a list of several calendars: what was asked for, with those calendars alone that have more,
 * and how many events of each have been given.
 */
struct gg_cursor_wide {
    struct gg_listing list;
    int64_t given[GG_LISTING_CALENDARS_MAX];
};
bool gg_cursor_is_wide(const struct gg_json *opened);
GG_MUST bool gg_cursor_format_wide(struct gg_call *c, struct gg_token_key key,
                                   const struct gg_cursor_wide *wide, struct gg_str *out,
                                   struct gg_err *err);
GG_MUST bool gg_cursor_parse_wide(const struct gg_json *opened, struct gg_cursor_wide *out,
                                  struct gg_err *err);

#endif
