/* SPDX-License-Identifier: MIT */
/* /api/v1/health/…: is it well, and how many tokens there are. */
#ifndef GG_WEB_ON_HEALTH_H
#define GG_WEB_ON_HEALTH_H

#include "gg/web/exchange.h"

/* With ?deep=1 of an administrator, also what Microsoft says to it. */
GG_MUST bool gg_on_health(struct gg_exchange *x, struct gg_err *err);

/* For load balancers: the process answers; it can do its job. */
GG_MUST bool gg_on_health_live(struct gg_exchange *x, struct gg_err *err);
GG_MUST bool gg_on_health_ready(struct gg_exchange *x, struct gg_err *err);

GG_MUST bool gg_on_health_tokens(struct gg_exchange *x, struct gg_err *err);

#endif
