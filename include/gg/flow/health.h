/* SPDX-License-Identifier: MIT */
/* What must hold for this service to do its work. */
#ifndef GG_FLOW_HEALTH_H
#define GG_FLOW_HEALTH_H

#include "gg/flow/ctx.h"

/* The parts; but for the last of them, all must be well for the service to be. */
enum gg_health_part {
    GG_HEALTH_CONFIGURATION,
    GG_HEALTH_DATABASE,
    GG_HEALTH_ENCRYPTION,
    GG_HEALTH_PARTS,
};

/* What is looked at when somebody wants to know more; Microsoft is asked for it. */
enum gg_health_deep_part {
    GG_HEALTH_DISCOVERY,
    GG_HEALTH_KEYS,
    GG_HEALTH_CLOCK,
    GG_HEALTH_CLIENT_SECRET,
    GG_HEALTH_DEEP_PARTS,
};

#define GG_HEALTH_VALUES_MAX 2

/* One part: its word in answers, what is wrong with it, or NULL, and what was found. */
struct gg_health {
    const char *name;
    const char *fault; /* a sentence for an administrator, without what only the log may say */
    int64_t took_ms;
    struct gg_health_value {
        const char *name; /* NULL: no more of them */
        enum { GG_HEALTH_UNKNOWN, GG_HEALTH_NUMBER, GG_HEALTH_TEXT, GG_HEALTH_LIST } type;
        int64_t number; /* of a list: how many texts */
        struct gg_str text;
        const struct gg_str *list;
    } values[GG_HEALTH_VALUES_MAX];
};

/* True when all is well. */
bool gg_health_check(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS]);

/* Adds the keys' fingerprints, in their order, to the part of the encryption. */
void gg_health_look_at_keys(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS]);

/*
 * The rest: two calls to Microsoft, one after the other, within their time-outs and the request's
 * deadline, and three of the database. Adds the schema's version to the part of the database.
 */
void gg_health_look_deeper(struct gg_call *c, struct gg_health parts[GG_HEALTH_PARTS],
                           struct gg_health deep[GG_HEALTH_DEEP_PARTS]);

/*
 * gg_health_check for those who ask often: looked at once a second at most, and while that takes
 * longer, no more than half of the time.
 */
bool gg_health_is_ready(struct gg_call *c);

#endif
