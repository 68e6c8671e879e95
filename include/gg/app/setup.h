/* SPDX-License-Identifier: MIT */
/* From a configuration to what the use cases work with. Opens no connection. */
#ifndef GG_APP_SETUP_H
#define GG_APP_SETUP_H

#include "gg/app/load.h"
#include "gg/flow/ctx.h"

/*
 * What there is a setting for is made ready, also when others are missing; is_configured only when
 * nothing is. Derives the Fernet key where none is given, which takes a moment: do it once, before
 * fork. The arena must outlive ctx.
 */
void gg_setup_open(struct gg_arena *a, const struct gg_loaded *loaded, struct gg_ctx *ctx);
/* In a process that was forked: connections of its own in place of the parent's, which are left
 * alone. */
void gg_setup_reopen(struct gg_ctx *ctx);

void gg_setup_close(struct gg_ctx *ctx);

/*
 * Where the site's workers on this host count: METRICS_FILE, or a file in /dev/shm of this account,
 * named by a hash of what names the site and is no secret. NULL: nowhere.
 */
const char *gg_setup_metrics_file(struct gg_arena *a, const struct gg_ctx *ctx);

/* Opens it. Whatever fails is a warning in the log: without metrics the service goes on. */
void gg_setup_open_metrics(struct gg_arena *a, const struct gg_ctx *ctx);

/* For others than the workers: counts where they do, if this account may. It makes no page, as the
 * workers might not be allowed into it, and says nothing. */
void gg_setup_find_metrics(struct gg_arena *a, const struct gg_ctx *ctx);

/*
 * The journal of the audit, beside the page of the metrics, and of this site alone whatever
 * METRICS_FILE is; where there is none there is no journal. A worker joins it by itself. What fails
 * is a warning in the log where it should be made.
 */
void gg_setup_open_journal(struct gg_arena *a, enum gg_hostfile_how how, struct gg_ctx *ctx);

#endif
