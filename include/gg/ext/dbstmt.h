/* SPDX-License-Identifier: MIT */
/*
 * The other half of ext/db, and for it alone: statements that are prepared once on a connection and
 * kept, and what they give. Several calls become one compound statement (BEGIN NOT ATOMIC … END),
 * which MariaDB runs in one round trip.
 */
#ifndef GG_EXT_DBSTMT_H
#define GG_EXT_DBSTMT_H

#include "gg/ext/db.h"

#define GG_DBSTMT_MAX 128

struct gg_dbstmt_set {
    struct st_mysql *mysql; /* borrowed; NULL: not connected */
    unsigned code; /* MariaDB's, of the last call; 0: it was well, or failed for another reason */
    size_t count;
    struct gg_dbstmt {
        const struct gg_db_stmt *stmts[GG_DB_BATCH_MAX]; /* the constants that it was made from */
        const struct gg_realm *realms[GG_DB_BATCH_MAX];
        void *handle;
    } kept[GG_DBSTMT_MAX];
};

/* Closes them all; before the connection is closed. */
void gg_dbstmt_close(struct gg_dbstmt_set *set);

/* One try of what gg_db_run_all says. */
GG_MUST bool gg_dbstmt_run(struct gg_dbstmt_set *set, struct gg_arena *a,
                           const struct gg_db_batch *batch, struct gg_err *err);

/* Takes the connection's own error over into code and err. Always false. */
bool gg_dbstmt_fail(struct gg_dbstmt_set *set, const char *doing, struct gg_err *err);

#endif
