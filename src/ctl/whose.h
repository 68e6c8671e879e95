/* SPDX-License-Identifier: MIT */
/* What the commands about users and their tokens share. */
#ifndef GG_CTL_WHOSE_H
#define GG_CTL_WHOSE_H

#include "ctl.h"
#include "gg/base/jsonw.h"

/* Whether this one is meant by --realm, which is absent for both. */
bool gg_ctl_is_realm(struct gg_str name, const struct gg_realm *realm);

/*
 * The user that --user and --realm name; without --realm the subject's form tells: a number is
 * main's, a UUID beta's. False when it is neither's.
 */
GG_MUST bool gg_ctl_find_key(struct gg_ctl *c, struct gg_str realm, struct gg_str subject,
                             struct gg_token_key *key);

/*
 * Who looks is on record: admin.read, with the command and what it was asked for. True when there
 * is a row, or none is needed: AUDIT_FAILURE decides. Without a key there is no audit.
 */
GG_MUST bool gg_ctl_note_read(struct gg_ctl *c, struct gg_token_key whose, const char *detail);

/* For a terminal: "-" for what is absent, and no byte that a terminal would act upon. */
const char *gg_ctl_clean(struct gg_arena *a, struct gg_str s);

/* "2026-03-02T13:00:00Z", "-" below 0. */
const char *gg_ctl_time(struct gg_arena *a, int64_t seconds);

/* The same as a member; null below 0. */
void gg_ctl_put_time(struct gg_jsonw *w, struct gg_arena *a, const char *key, int64_t seconds);

/* Prints a JSON object that w has written, and a line's end. */
int gg_ctl_print_json(struct gg_buf *text);

/* Fails for a fault of the database; one of rights is said in a plain sentence. */
int gg_ctl_fail_db(const struct gg_err *err);

#endif
