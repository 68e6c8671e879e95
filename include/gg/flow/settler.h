/* SPDX-License-Identifier: MIT */
/*
 * Brings the rows of the audit that wait in the journal (flow/audit, base/journal) into the table,
 * many in one insert. Written once more after a kill, they are recognised by id and MAC.
 *
 * What cannot be written waits on, and that is logged. What is in the journal and is no row of
 * ours, or whose id in the table is another's, is lost: logged, and counted as a failure of the
 * audit.
 */
#ifndef GG_FLOW_SETTLER_H
#define GG_FLOW_SETTLER_H

#include "gg/flow/ctx.h"

/* One's own lane, now. False when something waits on. Without a journal there is nothing to do. */
bool gg_settler_run(struct gg_ctx *ctx, struct gg_arena *a);

/* The same when it is time: see gg_journal_is_due. */
void gg_settler_run_due(struct gg_ctx *ctx, struct gg_arena *a);

/* One's own lane, and all that were left by processes that are gone. */
bool gg_settler_run_left(struct gg_ctx *ctx, struct gg_arena *a);

#endif
