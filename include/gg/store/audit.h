/* SPDX-License-Identifier: MIT */
/*
 * Table audit_log: who did what, when, from where, and how it ended. The worker's user may add rows
 * and read them, no more; removing is the administrator's.
 */
#ifndef GG_STORE_AUDIT_H
#define GG_STORE_AUDIT_H

#include "gg/ext/db.h"
#include "gg/proto/audit.h"

/*
 * Signed rows, as many at a time as there is a statement for: 1 to 4, 8 or 32. What is there
 * already, by its id and MAC, is taken as put: bears to be repeated after a lost answer, and by
 * somebody else. When it fails, some of them may be there; GG_EINTERNAL: an id is taken by a row
 * that is not the same, which no further try will change.
 */
GG_MUST bool gg_audit_put(struct gg_db *db, struct gg_arena *a, const struct gg_audit_row *rows,
                          size_t count, struct gg_err *err);

/* Which rows: those between two ids, both excluded, that have what is not absent. */
struct gg_audit_filter {
    struct gg_str after;  /* absent: from the first one */
    struct gg_str before; /* absent: to the last one */
    struct gg_str realm;
    struct gg_str subject;
    struct gg_str actor;
    struct gg_str event;
    struct gg_str result;
    struct gg_str request_id;
};

/* At most `limit` rows, 1…GG_AUDIT_PAGE_MAX, in the order of ids or backwards. */
#define GG_AUDIT_PAGE_MAX 500
struct gg_audit_page {
    bool is_backwards;
    int64_t limit;
    struct gg_audit_row *rows; /* out */
    size_t count;              /* out */
};
GG_MUST bool gg_audit_find(struct gg_db *db, struct gg_arena *a,
                           const struct gg_audit_filter *filter, struct gg_audit_page *page,
                           struct gg_err *err);

/* Deletes rows up to and including last_id, at most 1000; *count says how many. */
GG_MUST bool gg_audit_drop(struct gg_db *db, struct gg_arena *a, struct gg_str last_id,
                           uint64_t *count, struct gg_err *err);

/* The database's clock, in microseconds since 1970. */
GG_MUST bool gg_audit_find_now(struct gg_db *db, struct gg_arena *a, int64_t *now_us,
                               struct gg_err *err);

/* Rows, counted one by one. */
GG_MUST bool gg_audit_count(struct gg_db *db, struct gg_arena *a, int64_t *count,
                            struct gg_err *err);

#endif
