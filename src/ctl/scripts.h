/* SPDX-License-Identifier: MIT */
/* graphgatectl: the scripts of the schema, for those commands that compare or run them. */
#ifndef GG_CTL_SCRIPTS_H
#define GG_CTL_SCRIPTS_H

#include "ctl.h"

#include "gg/store/schema.h"

/* Where they are installed, also when that place was moved, or beside a build. */
const char *gg_ctl_scripts_directory(struct gg_ctl *c);

/* All NNN_name.sql in it, in order. */
GG_MUST bool gg_ctl_scripts_read(struct gg_ctl *c, struct gg_migrations *out, struct gg_err *err);

/* The row of this version, or NULL. */
const struct gg_migration *gg_ctl_scripts_find(const struct gg_migrations *list, int64_t version);

#endif
