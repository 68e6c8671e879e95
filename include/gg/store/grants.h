/* SPDX-License-Identifier: MIT */
/*
 * What the database's user may do, found out by trying: statements that touch no row are refused
 * for want of a privilege all the same, wherever it would come from (a table, the database, a
 * role).
 */
#ifndef GG_STORE_GRANTS_H
#define GG_STORE_GRANTS_H

#include "gg/ext/db.h"

enum gg_grant { GG_GRANT_SELECT, GG_GRANT_INSERT, GG_GRANT_UPDATE, GG_GRANT_DELETE, GG_GRANTS };

const char *gg_grants_word(enum gg_grant grant); /* as SQL has it */

/* Whether the database refused for want of a privilege. */
bool gg_grants_is_denied(const struct gg_err *err);

/* What is asked: a privilege of a table of ours. */
struct gg_grants_try {
    const char *table;
    enum gg_grant grant;
};

/* *may: this user has it. GG_EDATABASE: it cannot be found out. */
GG_MUST bool gg_grants_try(struct gg_db *db, struct gg_arena *a, struct gg_grants_try what,
                           bool *may, struct gg_err *err);

/*
 * Privileges beyond those four on single tables, as SQL has them, with commas; absent: none. What
 * comes by a role is not among them.
 */
GG_MUST bool gg_grants_find_wide(struct gg_db *db, struct gg_arena *a, struct gg_str *list,
                                 struct gg_err *err);

#endif
