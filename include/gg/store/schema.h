/* SPDX-License-Identifier: MIT */
/* Table schema_migrations: which numbered scripts of sql/ this database has had, each once. */
#ifndef GG_STORE_SCHEMA_H
#define GG_STORE_SCHEMA_H

#include "gg/ext/db.h"

#define GG_SCHEMA_MIGRATIONS_MAX 200

struct gg_migration {
    int64_t version;      /* NNN of NNN_name.sql */
    const char *name;     /* the whole file name */
    struct gg_str sql;    /* the script; only the file has one */
    struct gg_str sha256; /* base64url of the script */
};

struct gg_migrations {
    size_t count;
    struct gg_migration rows[GG_SCHEMA_MIGRATIONS_MAX];
};

/* What the database has had, in order; none when it has no such table. */
GG_MUST bool gg_schema_find(struct gg_db *db, struct gg_arena *a, struct gg_migrations *applied,
                            struct gg_err *err);

/* The database's clock, in seconds since 1970. */
GG_MUST bool gg_schema_find_now(struct gg_db *db, struct gg_arena *a, int64_t *now_s,
                                struct gg_err *err);

/* One round trip that only a database with our tables answers. */
GG_MUST bool gg_schema_probe(struct gg_db *db, struct gg_arena *a, struct gg_err *err);

/*
 * Locks out other migrations until gg_db_close(lock), also when this process dies: `lock` is a
 * connection of its own, which keeps a row locked. Waits at most wait_s.
 */
GG_MUST bool gg_schema_lock(struct gg_db *lock, int wait_s, struct gg_err *err);

/* Runs one script and records it. Data definition commits by itself: a script that fails halfway
 * is not recorded and runs again, so each is written to bear that. */
GG_MUST bool gg_schema_apply(struct gg_db *db, struct gg_arena *a,
                             const struct gg_migration *migration, struct gg_err *err);

#endif
