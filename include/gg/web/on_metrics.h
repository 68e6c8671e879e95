/* SPDX-License-Identifier: MIT */
/* /metrics: what has been counted on this host, for Prometheus. */
#ifndef GG_WEB_ON_METRICS_H
#define GG_WEB_ON_METRICS_H

#include "gg/web/exchange.h"

/*
 * GG_ENOTFOUND where metrics are switched off, GG_ENOTCONFIGURED where they could not be had. The
 * request itself is counted like any other, after this: a later one shows it.
 */
GG_MUST bool gg_on_metrics(struct gg_exchange *x, struct gg_err *err);

#endif
