/* SPDX-License-Identifier: MIT */
/*
 * The other half of ext/db, and for it alone: statements that are prepared once on a connection and
 * kept, and what they give. A pair is one statement, with a subquery.
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
        /* The constants that it was made from. */
        const struct gg_db_stmt *stmt;
        const struct gg_realm *realm;
        const struct gg_db_stmt *cell_stmt; /* NULL: it is no pair */
        const struct gg_realm *cell_realm;
        void *handle;
    } kept[GG_DBSTMT_MAX];
};

/* Closes them all; before the connection is closed. */
void gg_dbstmt_close(struct gg_dbstmt_set *set);

/* One try of what gg_db_run says. */
GG_MUST bool gg_dbstmt_run(struct gg_dbstmt_set *set, struct gg_arena *a,
                           const struct gg_db_pair *pair, struct gg_db_result *result,
                           struct gg_err *err);

/* Takes the connection's own error over into code and err. Always false. */
bool gg_dbstmt_fail(struct gg_dbstmt_set *set, const char *doing, struct gg_err *err);

#endif
