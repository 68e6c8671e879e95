/* SPDX-License-Identifier: MIT */
/* What must hold for this service to do its work. */
#ifndef GG_FLOW_HEALTH_H
#define GG_FLOW_HEALTH_H

#include "gg/flow/ctx.h"

enum gg_health_part {
    GG_HEALTH_CONFIGURATION,
    GG_HEALTH_DATABASE,
    GG_HEALTH_ENCRYPTION,
    GG_HEALTH_PARTS,
};

/* One part: its word in answers, and what is wrong with it, or NULL. */
struct gg_health {
    const char *name;
    const char *fault;
    int64_t took_ms;
};

/* True when all is well. */
bool gg_health_check(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS]);

#endif
