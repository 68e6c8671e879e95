/* SPDX-License-Identifier: MIT */
/*
 * Table rate_limits: a sliding-window counter, exact across all workers and hosts because the
 * database counts, in one statement, by its own clock.
 *
 * Let in while used + 1 + prev * (1 - elapsed part of the window) <= limit, where prev is what the
 * window before let in. So no aligned window has more than the limit, and after a burst at the end
 * of one window the next begins with a trickle: a tenth of a window sees at most 1.1 limits.
 */
#ifndef GG_STORE_RATE_H
#define GG_STORE_RATE_H

#include "gg/base/conf.h"
#include "gg/ext/db.h"

struct gg_rate {
    bool admitted;
    int64_t limit;     /* 0: there is none, and the rest says nothing */
    int64_t remaining; /* how many more would be let in now */
    int64_t reset_s;   /* until more would be, at least 1; Retry-After of a refusal */
    int64_t now_us;    /* when it was counted, by the database's clock, since 1970 */
};

/* The limit's word, in names and in the log. */
const char *gg_rate_word(enum gg_limit_id limit);

/* The name that one user's requests are counted under. */
struct gg_str gg_rate_name(struct gg_arena *a, enum gg_limit_id limit, struct gg_subject who);

/* Counts one request under a name, at most 100 bytes of ASCII. A refused one is not counted. */
struct gg_rate_key {
    struct gg_str name;
    struct gg_limit limit;
};
GG_MUST bool gg_rate_take(struct gg_db *db, struct gg_arena *a, struct gg_rate_key key,
                          struct gg_rate *rate, struct gg_err *err);

/* The same in two halves, for a statement that goes to the database beside another. */
struct gg_db_call gg_rate_call(struct gg_arena *a, struct gg_rate_key key);
GG_MUST bool gg_rate_read(struct gg_rate_key key, const struct gg_db_result *rows,
                          struct gg_rate *rate, struct gg_err *err);

/* What a row means for the next caller; for gg_rate_take and its test. Times in seconds. */
struct gg_rate_row {
    bool admitted;
    int64_t used;
    int64_t prev;
    double elapsed_s;
};
struct gg_rate gg_rate_judge(struct gg_limit limit, struct gg_rate_row row);

GG_MUST bool gg_rate_sweep(struct gg_db *db, struct gg_arena *a, uint64_t *count,
                           struct gg_err *err);

/* Rows, those of the past included, counted one by one. */
GG_MUST bool gg_rate_count(struct gg_db *db, struct gg_arena *a, int64_t *count,
                           struct gg_err *err);

/*
 * One user's rows: how many there are, and all of them deleted, *count saying how many those were.
 * They are found by their names, so that nobody else's row is read or locked.
 */
GG_MUST bool gg_rate_count_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                              int64_t *count, struct gg_err *err);
GG_MUST bool gg_rate_drop_of(struct gg_db *db, struct gg_arena *a, struct gg_subject who,
                             int64_t *count, struct gg_err *err);

#endif
