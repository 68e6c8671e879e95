/* SPDX-License-Identifier: MIT */
/* /api/v1/health/…: is it well, and how many tokens there are. */
#ifndef GG_WEB_ON_HEALTH_H
#define GG_WEB_ON_HEALTH_H

#include "gg/web/exchange.h"

GG_MUST bool gg_on_health(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_health_tokens(struct gg_exchange *x, struct gg_err *err);

#endif
