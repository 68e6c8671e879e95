/* SPDX-License-Identifier: MIT */
/*
 * Table session_codes: finished sign-ins, until the site's page exchanges them for its JWTs. Whose
 * a code is stands in its row sealed, too, so that nobody is made another user by the database.
 */
#ifndef GG_STORE_SESSION_H
#define GG_STORE_SESSION_H

#include "gg/ext/db.h"
#include "gg/proto/fernet.h"

#define GG_SESSION_TTL_S 60

struct gg_session {
    const struct gg_realm *realm;
    struct gg_str subject;
};

struct gg_session_store {
    struct gg_db *db;
    const struct gg_fernet *fernet;
};

GG_MUST bool gg_session_put(struct gg_session_store s, struct gg_arena *a, struct gg_secret code,
                            const struct gg_session *session, struct gg_err *err);

/*
 * Finds it and ends it, at most once; session->realm is given, session->subject is found.
 * GG_ESESSIONCODE when it is unknown, spent, too old, of another realm, or was changed.
 */
GG_MUST bool gg_session_take(struct gg_session_store s, struct gg_arena *a, struct gg_secret code,
                             struct gg_session *session, struct gg_err *err);

GG_MUST bool gg_session_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count,
                              struct gg_err *err);

/* Session codes that are waiting, counted one by one. */
GG_MUST bool gg_session_count(struct gg_db *db, struct gg_arena *a, int64_t *count,
                              struct gg_err *err);

/* One user's rows: how many there are, and all of them deleted, *count saying how many those were.
 */
GG_MUST bool gg_session_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                                 int64_t *count, struct gg_err *err);
GG_MUST bool gg_session_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                                int64_t *count, struct gg_err *err);

#endif
