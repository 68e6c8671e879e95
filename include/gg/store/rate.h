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

/* The same in two halves, for a pair, whose cell is in column GG_RATE_COLUMNS of the row. */
#define GG_RATE_COLUMNS 4
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

/*
 * The table's engine. InnoDB's counters outlive the server, and each one waits for the disk; Aria's
 * last ones may be lost when the server crashes, MEMORY's all are when it ends. Only InnoDB's are
 * one for all nodes of a Galera cluster.
 */
enum gg_rate_engine { GG_RATE_INNODB, GG_RATE_ARIA, GG_RATE_MEMORY, GG_RATE_ENGINES };

/* Its word in a command, and its name as the server says it. */
const char *gg_rate_engine_word(enum gg_rate_engine engine);
const char *gg_rate_engine_name(enum gg_rate_engine engine);

/*
 * A table in memory has a fixed size: that of the session which made it, or which opened it first
 * after the server's start, mostly the server's max_heap_table_size. One that is full takes nobody,
 * not even who has a row in it.
 */
#define GG_RATE_MEMORY_ROW_BYTES     208
#define GG_RATE_MEMORY_BYTES_DEFAULT ((int64_t)16 * 1024 * 1024)

struct gg_rate_place {
    const char *engine;   /* as the server says it; NULL: there is no table */
    bool is_galera;       /* the server is a node of a cluster, or set up to be one */
    int64_t memory_bytes; /* the server's max_heap_table_size */
};
GG_MUST bool gg_rate_find_place(struct gg_db *db, struct gg_arena *a, struct gg_rate_place *place,
                                struct gg_err *err);
bool gg_rate_is_in(const struct gg_rate_place *place, enum gg_rate_engine engine);

/* For an administrator: gives the table another engine; rows and keys stay. */
GG_MUST bool gg_rate_move(struct gg_db *db, enum gg_rate_engine engine, struct gg_err *err);

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
