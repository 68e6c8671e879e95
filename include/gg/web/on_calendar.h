/* SPDX-License-Identifier: MIT */
/* P/integration/microsoft/calendar/…: calendars and events. Each writes the answer of a success. */
#ifndef GG_WEB_ON_CALENDAR_H
#define GG_WEB_ON_CALENDAR_H

#include "gg/web/exchange.h"

GG_MUST bool gg_on_calendar_find_all(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_calendar_list(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_calendar_create(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_calendar_get(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_calendar_update(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_calendar_delete(struct gg_exchange *x, struct gg_err *err);

#endif
