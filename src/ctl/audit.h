/* SPDX-License-Identifier: MIT */
/* What the files of `graphgatectl audit` share. */
#ifndef GG_CTL_AUDIT_H
#define GG_CTL_AUDIT_H

#include "ctl.h"

/* An end of a span of time as an option gives it. */
enum gg_ctl_end { GG_CTL_SINCE, GG_CTL_UNTIL };

/*
 * RFC 3339 with its offset, or YYYY-MM-DD: that day's begin, or for GG_CTL_UNTIL its end. *id is
 * the least id of that moment; absent for an absent text. False when it is neither.
 */
GG_MUST bool gg_ctl_read_time(struct gg_ctl *c, struct gg_str text, enum gg_ctl_end end,
                              struct gg_str *id);

#define GG_CTL_TIMES "a time is RFC 3339 (2026-03-02T13:00:00Z) or a day (2026-03-02)"

int gg_ctl_audit_list(struct gg_ctl *c);
int gg_ctl_audit_export(struct gg_ctl *c);

#endif
