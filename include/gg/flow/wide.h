/* SPDX-License-Identifier: MIT */
/*
 * The events of several calendars as one list, in order of their start.
 *
 * Each calendar is read in Graph's own order, so that a cursor is a number of events for each: an
 * answer takes a run from the front of every calendar, and the next goes on behind it. Within an
 * answer events stand by the start that they show, then by the calendars' order, then by Graph's.
 *
 * A calendar that fails is named; what it has is asked for again by the cursor, unless Graph says
 * that it is not there or not for this user. When none has anything but a failure, that is the
 * answer.
 */
#ifndef GG_FLOW_WIDE_H
#define GG_FLOW_WIDE_H

#include "gg/flow/calendar.h"
#include "gg/flow/cursor.h"

GG_MUST bool gg_wide_list(struct gg_call *c, struct gg_token_key key, const struct gg_listing *list,
                          struct gg_events *out, struct gg_err *err);

/* Goes on where an opened cursor says. */
GG_MUST bool gg_wide_list_on(struct gg_call *c, struct gg_token_key key,
                             const struct gg_json *cursor, struct gg_events *out,
                             struct gg_err *err);

#endif
