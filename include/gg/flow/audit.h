/* SPDX-License-Identifier: MIT */
/*
 * The audit of a request: what happens is noted as it happens, and on record before the answer goes
 * out. Who acts is said by call->who.
 *
 * On record is the table, written in one insert; or the journal (base/journal), where the uses of
 * tokens wait for each other until flow/settler takes them. Only where AUDIT_FAILURE is `open` and
 * there is a journal: what is in it outlives a killed worker and a lost database, not the loss of
 * the machine.
 */
#ifndef GG_FLOW_AUDIT_H
#define GG_FLOW_AUDIT_H

#include "gg/flow/ctx.h"

/*
 * event: GG_AUDIT_USE, token.connect, token.disconnect, token.refresh, token.refresh_failed,
 * token.reconnect_forced, token.revoke, signin, session.refresh, key.rotate, row.seal, admin.read,
 * user.delete, user.merge, audit.prune. result: "ok", an error's public code, or Microsoft's word;
 * "begun" before what takes many steps.
 * detail: words for a person, never a secret. All of it is copied, cut to the table's columns, and
 * what is not printable ASCII becomes '?'.
 */
struct gg_audit_event {
    const char *event;
    const struct gg_realm *realm; /* NULL: none */
    struct gg_str subject;        /* whose; absent: nobody's, or not known */
    const char *result;           /* NULL: "ok" */
    const char *detail;           /* NULL: none */
};
void gg_audit_note(struct gg_call *c, struct gg_audit_event e);

#define GG_AUDIT_USE "token.use"

/*
 * Puts on record what was noted, and forgets it. When that fails it is logged and counted; then
 * false, with GG_EDATABASE, only where AUDIT_FAILURE is `closed`. A command that notes much calls
 * it in between.
 */
GG_MUST bool gg_audit_flush(struct gg_call *c, struct gg_err *err);

/* The result of what ended so: Microsoft's word where there is one, else the public code. */
const char *gg_audit_result(bool ok, const struct gg_err *err);

#endif
