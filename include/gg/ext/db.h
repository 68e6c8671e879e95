/* SPDX-License-Identifier: MIT */
/*
 * MariaDB Connector/C: prepared statements over one connection, which is opened when first needed
 * and opened again when it was lost.
 */
#ifndef GG_EXT_DB_H
#define GG_EXT_DB_H

#include "gg/base/arena.h"
#include "gg/base/realm.h"
#include "gg/base/secret.h"
#include "gg/base/str.h"

#include <stdint.h>
#include <stdlib.h>

#define GG_DB_HOSTS_MAX      8
#define GG_DB_CELL_BYTES_MAX ((size_t)256 * 1024)

/* Where the database is: the parts of DATABASE_URL, percent-decoded. */
struct gg_db_address {
    const char *user;
    const char *password;
    const char *name;
    const char *unix_socket; /* NULL: TCP */
    const char *ssl_ca;      /* NULL: no TLS */
    struct {
        const char *name;
        unsigned port;
    } hosts[GG_DB_HOSTS_MAX]; /* in the order in which they are tried */
    size_t host_count;
    int connect_timeout_s;
    int query_timeout_s;
    bool is_shared; /* connections are fewer than workers: see gg_db_rest */
    int return_s;   /* so long a later host serves before the first is tried again; 0: for good */
};

struct gg_db;

/* Opens nothing yet. The address is borrowed for as long as the db lives. */
struct gg_db *gg_db_open(const struct gg_db_address *address);
void gg_db_close(struct gg_db *db);
const struct gg_db_address *gg_db_address(const struct gg_db *db);

/*
 * One statement. Its text may hold {table}, {key}, {subject}, {users} and {new_id}, which the realm
 * fills: that is how one text serves both. Only constants of the program ever stand there.
 *
 * A deadlock (on Galera, also what another node has written meanwhile) or a lock that was waited
 * for too long is always tried again, since each statement is a transaction of its own; after a
 * lost connection, only what is repeatable. A node that has lost its cluster counts as away.
 */
struct gg_db_stmt {
    const char *sql;
    bool repeatable; /* does no harm when it runs twice */
};

/* A parameter: text, a number, or NULL. */
struct gg_db_value {
    enum { GG_DB_NULL, GG_DB_TEXT, GG_DB_INT } type;
    struct gg_str text;
    int64_t number;
};

/* An absent string is NULL. */
static inline struct gg_db_value gg_db_text(struct gg_str s)
{
    return (struct gg_db_value){.type = s.p == NULL ? GG_DB_NULL : GG_DB_TEXT, .text = s};
}

static inline struct gg_db_value gg_db_int(int64_t v)
{
    return (struct gg_db_value){.type = GG_DB_INT, .number = v};
}

#define GG_DB_COLUMNS_MAX 20
#define GG_DB_VALUES_MAX  384 /* parameters of one statement */

/* Rows as text cells; an absent cell is NULL. All of it is the arena's. */
struct gg_db_result {
    struct gg_str (*rows)[GG_DB_COLUMNS_MAX];
    size_t row_count;
    uint64_t affected;
};

/*
 * Runs a statement with its `count` parameters; realm may be NULL. At most 1000 rows are kept.
 * Fails with GG_EDATABASE, also when a cell is over GG_DB_CELL_BYTES_MAX.
 */
struct gg_db_call {
    const struct gg_db_stmt *stmt;
    const struct gg_realm *realm;
    const struct gg_db_value *values;
    size_t count;
};
GG_MUST bool gg_db_run(struct gg_db *db, struct gg_arena *a, struct gg_db_call call,
                       struct gg_db_result *result, struct gg_err *err);

/*
 * The same of a statement that ends with a RETURNING list, and in one round trip a cell from
 * elsewhere: a SELECT of one column, and of one row at most, becomes one more column of that list,
 * absent where it finds no row. They are one statement, repeated when both are repeatable. With an
 * INSERT … SELECT the cell is read without a lock; not so with VALUES.
 */
struct gg_db_pair {
    struct gg_db_call call;
    struct gg_db_call cell;
};
GG_MUST bool gg_db_run_pair(struct gg_db *db, struct gg_arena *a, const struct gg_db_pair *pair,
                            struct gg_db_result *result, struct gg_err *err);

/*
 * Nothing is asked for a while: where connections are shared, this one is closed, for another
 * worker to have. A server that has none left is waited for, a few seconds at most.
 */
void gg_db_rest(struct gg_db *db);

/* Microseconds that gg_db_run has taken so far, all calls together; 0 for NULL. */
int64_t gg_db_spent_us(const struct gg_db *db);

/* The call of a statement with an array of values. */
#define GG_DB_CALL(stmt, realm, values) \
    ((struct gg_db_call){&(stmt), (realm), (values), sizeof(values) / sizeof((values)[0])})

/* What the last call failed for, where that is more than a database out of reach. */
enum gg_db_fault {
    GG_DB_OTHER,
    GG_DB_DUPLICATE, /* a unique key is taken; also when a repeated statement came through before */
    GG_DB_DENIED,    /* the user may not do that */
    GG_DB_CONFLICT,  /* somebody else was first: it may go well the next time */
    GG_DB_FULL,      /* the table, or its disk, takes no more */
    GG_DB_LOST,      /* the connection, or its node: nobody knows whether it was done */
};
enum gg_db_fault gg_db_fault(const struct gg_db *db);

/* Runs a statement without parameters; *affected says how many rows it changed. */
static inline GG_MUST bool gg_db_count(struct gg_db *db, struct gg_arena *a,
                                       const struct gg_db_stmt *stmt, uint64_t *affected,
                                       struct gg_err *err)
{
    struct gg_db_result done;
    bool ok = gg_db_run(db, a, (struct gg_db_call){.stmt = stmt}, &done, err);

    *affected = ok ? done.affected : 0;
    return ok;
}

/* A number in a cell, or `otherwise` when the cell is NULL or no number. */
static inline int64_t gg_db_cell_int(struct gg_str cell, int64_t otherwise)
{
    char *end = NULL;
    int64_t v = cell.n == 0 ? otherwise : strtoll(cell.p, &end, 10);

    return end == cell.p + cell.n ? v : otherwise;
}

/*
 * A DATETIME in a cell as microseconds since 1970, of any year; `otherwise` when it is NULL or
 * none. Sessions are in UTC.
 */
int64_t gg_db_cell_us(struct gg_str cell, int64_t otherwise);

/* Runs a script of many statements, as a migration is. Nothing is repeated. */
GG_MUST bool gg_db_run_script(struct gg_db *db, const char *sql, struct gg_err *err);

/* The number in the first cell of a statement's first row; 0 without one. */
GG_MUST static inline bool gg_db_find_int(struct gg_db *db, struct gg_arena *a,
                                          struct gg_db_call call, int64_t *number,
                                          struct gg_err *err)
{
    struct gg_db_result rows;

    if (!gg_db_run(db, a, call, &rows, err))
        return false;
    *number = rows.row_count > 0 ? gg_db_cell_int(rows.rows[0][0], 0) : 0;
    return true;
}

#endif
