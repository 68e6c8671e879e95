/* SPDX-License-Identifier: MIT */
#include "gg/ext/db.h"

#include "gg/base/clock.h"
#include "gg/base/log.h"
#include "gg/base/metric.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX 128
#define ROWS_MAX       1000
#define TRIES          4
/* The first host is looked for again twice as late each time that it is not there. */
#define RETURN_DOUBLINGS 4
#define SESSION_SQL \
    "SET time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'," \
    " autocommit=1, innodb_lock_wait_timeout=3, lock_wait_timeout=%d, max_statement_time=%d"
#define ISOLATION_SQL "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

/* A statement prepared on this connection, under the constants that it was made from. */
struct prepared {
    const struct gg_db_stmt *stmt;
    const struct gg_realm *realm;
    MYSQL_STMT *handle;
};

struct gg_db {
    const struct gg_db_address *address;
    MYSQL *mysql; /* NULL: not connected */
    size_t host;  /* of the address, that we are or were connected to */
    size_t first; /* where the next connection begins: the first host, but behind one of no use */
    int64_t used_ms;
    int64_t return_ms; /* when a later host is left, to see whether the first is back */
    int in_vain;       /* how often it was not */
    int64_t spent_us;
    unsigned code; /* MariaDB's, of the last call; 0: it was well, or failed for another reason */
    size_t count;
    struct prepared prepared[STATEMENTS_MAX];
};

struct gg_db *gg_db_open(const struct gg_db_address *address)
{
    struct gg_db *db = calloc(1, sizeof *db);

    if (db == NULL)
        abort();
    db->address = address;
    return db;
}

static void disconnect(struct gg_db *db)
{
    for (size_t i = 0; i < db->count; i++)
        (void)mysql_stmt_close(db->prepared[i].handle);
    db->count = 0;
    if (db->mysql != NULL)
        mysql_close(db->mysql);
    db->mysql = NULL;
}

void gg_db_close(struct gg_db *db)
{
    if (db == NULL)
        return;
    disconnect(db);
    free(db);
}

const struct gg_db_address *gg_db_address(const struct gg_db *db)
{
    return db->address;
}

static MYSQL *new_handle(const struct gg_db_address *address)
{
    MYSQL *m = mysql_init(NULL);
    unsigned connect_s = (unsigned)address->connect_timeout_s;
    unsigned query_s = (unsigned)address->query_timeout_s;
    my_bool yes = 1;
    char session[sizeof SESSION_SQL + 32];

    if (m == NULL)
        abort();
    mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(m, MYSQL_OPT_READ_TIMEOUT, &query_s);
    mysql_options(m, MYSQL_OPT_WRITE_TIMEOUT, &query_s);
    /* Else the library turns "localhost" into a socket of its own choice. */
    unsigned protocol = address->unix_socket == NULL ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    mysql_options(m, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    /* The server gives a statement up before we do: none is left behind there to run later. */
    (void)snprintf(session, sizeof session, SESSION_SQL, address->query_timeout_s / 2,
                   address->query_timeout_s - 1);
    mysql_options(m, MYSQL_INIT_COMMAND, session);
    mysql_options(m, MYSQL_INIT_COMMAND, ISOLATION_SQL);
    if (address->ssl_ca != NULL) {
        mysql_options(m, MYSQL_OPT_SSL_CA, address->ssl_ca);
        mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &yes);
        mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
    return m;
}

static bool connect_one(struct gg_db *db, size_t host, struct gg_err *err)
{
    const struct gg_db_address *to = db->address;
    MYSQL *m = new_handle(to);

    if (mysql_real_connect(m, to->unix_socket == NULL ? to->hosts[host].name : "localhost",
                           to->user, to->password, to->name, to->hosts[host].port, to->unix_socket,
                           0) == NULL) {
        gg_metric_count(GG_METRIC_DB_ERRORS, GG_M_DB_CONNECT, 0, 0);
        (void)gg_fail(err, GG_EDATABASE, "cannot connect: %u %s", mysql_errno(m), mysql_error(m));
        err->retry_after_s = 5;
        mysql_close(m);
        return false;
    }
    db->mysql = m;
    return true;
}

static bool connect_any(struct gg_db *db, struct gg_err *err)
{
    *err = (struct gg_err){.code = GG_EDATABASE};
    for (size_t i = 0; i < db->address->host_count; i++) {
        db->host = (db->first + i) % db->address->host_count;
        if (!connect_one(db, db->host, err))
            continue;
        db->first = 0;
        if (db->host == 0)
            db->in_vain = 0;
        else if (db->in_vain < RETURN_DOUBLINGS)
            db->in_vain++;
        db->return_ms = gg_clock_mono_ms() + db->address->return_s * 500LL * (1 << db->in_vain);
        return true;
    }
    return false;
}

/* True when the server has hung up: it never speaks first otherwise. What may run twice just tries,
 * when the connection worked a moment ago. */
static bool is_stale(const struct gg_db *db, const struct gg_db_stmt *stmt)
{
    struct pollfd p = {.fd = mysql_get_socket(db->mysql), .events = POLLIN};

    return (!stmt->repeatable || gg_clock_mono_ms() - db->used_ms > 1000) && poll(&p, 1, 0) != 0;
}

/* Hosts are an order: from a later one, the way leads back. */
static bool is_to_return(const struct gg_db *db)
{
    return db->host > 0 && db->address->return_s > 0 && gg_clock_mono_ms() > db->return_ms;
}

/* Of a statement, or of the connection where that is NULL. */
static bool fail_of(struct gg_db *db, MYSQL_STMT *s, const char *doing, struct gg_err *err)
{
    const char *text = s == NULL ? mysql_error(db->mysql) : mysql_stmt_error(s);

    db->code = s == NULL ? mysql_errno(db->mysql) : mysql_stmt_errno(s);
    /* These repeat a value, whose it may be. */
    if (db->code == ER_DUP_ENTRY || db->code == ER_TRUNCATED_WRONG_VALUE ||
        db->code == ER_TRUNCATED_WRONG_VALUE_FOR_FIELD)
        text = "a value does not fit";
    (void)gg_fail(err, GG_EDATABASE, "%s: %u %s", doing, db->code, text);
    err->retry_after_s = 5;
    return false;
}

static MYSQL_STMT *prepare(struct gg_db *db, struct gg_arena *a, const struct gg_db_call *call,
                           struct gg_err *err)
{
    for (size_t i = 0; i < db->count; i++)
        if (db->prepared[i].stmt == call->stmt && db->prepared[i].realm == call->realm)
            return db->prepared[i].handle;
    if (db->count == STATEMENTS_MAX) {
        (void)gg_fail(err, GG_EINTERNAL, "too many statements");
        return NULL;
    }
    struct gg_str sql = gg_realm_fill(a, call->realm, call->stmt->sql);
    MYSQL_STMT *s = mysql_stmt_init(db->mysql);
    if (s == NULL || mysql_stmt_prepare(s, sql.p, sql.n) != 0) {
        (void)fail_of(db, NULL, "prepare", err);
        if (s != NULL)
            (void)mysql_stmt_close(s);
        return NULL;
    }
    db->prepared[db->count++] = (struct prepared){call->stmt, call->realm, s};
    return s;
}

/* MariaDB's type for a parameter; its buffers are borrowed from the values. */
static void bind_value(MYSQL_BIND *bind, const struct gg_db_value *v)
{
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_NULL};
    if (v->type == GG_DB_INT) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)&v->number;
    } else if (v->type == GG_DB_TEXT) {
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = (void *)v->text.p;
        bind->buffer_length = v->text.n;
    }
}

/* One cell of the row that was just fetched. */
static bool take_cell(MYSQL_STMT *s, struct gg_arena *a, unsigned column, struct gg_str *out)
{
    unsigned long length = 0;
    my_bool is_null = 0;
    MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING, .length = &length, .is_null = &is_null};

    *out = (struct gg_str){NULL, 0};
    if (mysql_stmt_fetch_column(s, &bind, column, 0) != 0)
        return false;
    if (is_null)
        return true;
    if (length > GG_DB_CELL_BYTES_MAX)
        return false;
    char *p = gg_arena_alloc(a, length + 1);
    bind.buffer = p;
    bind.buffer_length = length;
    if (length > 0 && mysql_stmt_fetch_column(s, &bind, column, 0) != 0)
        return false;
    *out = (struct gg_str){p, length};
    return true;
}

static bool take_rows(struct gg_db *db, MYSQL_STMT *s, struct gg_arena *a,
                      struct gg_db_result *result, struct gg_err *err)
{
    unsigned columns = mysql_stmt_field_count(s);
    size_t rows = (size_t)mysql_stmt_num_rows(s);

    if (columns > GG_DB_COLUMNS_MAX)
        return gg_fail(err, GG_EINTERNAL, "%u columns", columns);
    rows = rows > ROWS_MAX ? ROWS_MAX : rows;
    result->rows = gg_arena_alloc(a, rows * sizeof *result->rows);
    /* Cells are fetched one by one, each into a buffer of its own size. */
    MYSQL_BIND none[GG_DB_COLUMNS_MAX];
    memset(none, 0, sizeof none);
    for (unsigned i = 0; i < columns; i++)
        none[i].buffer_type = MYSQL_TYPE_STRING;
    if (mysql_stmt_bind_result(s, none) != 0)
        return fail_of(db, s, "bind", err);
    for (size_t i = 0; i < rows; i++) {
        int got = mysql_stmt_fetch(s);
        if (got != 0 && got != MYSQL_DATA_TRUNCATED)
            return fail_of(db, s, "fetch", err);
        for (unsigned c = 0; c < columns; c++)
            if (!take_cell(s, a, c, &result->rows[i][c]))
                return gg_fail(err, GG_EDATABASE, "column %u cannot be read or is too large", c);
        result->row_count++;
    }
    return true;
}

static bool run_once(struct gg_db *db, struct gg_arena *a, const struct gg_db_call *call,
                     struct gg_db_result *result, struct gg_err *err)
{
    MYSQL_BIND binds[GG_DB_VALUES_MAX];

    db->code = 0;
    MYSQL_STMT *s = prepare(db, a, call, err);
    *result = (struct gg_db_result){0};
    if (s == NULL)
        return false;
    if (call->count > GG_DB_VALUES_MAX || mysql_stmt_param_count(s) != call->count)
        return gg_fail(err, GG_EINTERNAL, "a statement's parameters do not match");
    for (size_t i = 0; i < call->count; i++)
        bind_value(&binds[i], &call->values[i]);
    if ((call->count > 0 && mysql_stmt_bind_param(s, binds) != 0) || mysql_stmt_execute(s) != 0)
        return fail_of(db, s, "execute", err);
    result->affected = mysql_stmt_affected_rows(s);
    if (mysql_stmt_field_count(s) == 0)
        return true;
    /* On Galera a certification failure of INSERT … RETURNING shows here, not in execute. */
    if (mysql_stmt_store_result(s) != 0)
        return fail_of(db, s, "store", err);
    bool ok = take_rows(db, s, a, result, err);
    (void)mysql_stmt_free_result(s);
    return ok;
}

/*
 * Known errors: how they are counted, and what may be done then. ELSEWHERE: a Galera node apart
 * from its cluster, or a replica that only reads; the next host may do better.
 */
enum again { AGAIN_NO, AGAIN_SAME, AGAIN_RECONNECT, AGAIN_ELSEWHERE, AGAIN_IF_REPEATABLE };

static const struct known {
    unsigned code;
    enum gg_metric_word_DB_ERROR kind;
    enum again again;
} known[] = {{ER_LOCK_DEADLOCK, GG_M_DB_DEADLOCK, AGAIN_SAME},
             {ER_LOCK_WAIT_TIMEOUT, GG_M_DB_LOCK_TIMEOUT, AGAIN_SAME},
             {ER_UNKNOWN_COM_ERROR, GG_M_DB_REFUSED, AGAIN_ELSEWHERE},
             {ER_OPTION_PREVENTS_STATEMENT, GG_M_DB_REFUSED, AGAIN_ELSEWHERE},
             {ER_UNKNOWN_STMT_HANDLER, GG_M_DB_OTHER, AGAIN_RECONNECT},
             {ER_NEED_REPREPARE, GG_M_DB_OTHER, AGAIN_RECONNECT},
             {CR_SERVER_GONE_ERROR, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {CR_SERVER_LOST, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {ER_CONNECTION_KILLED, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {ER_SERVER_SHUTDOWN, GG_M_DB_LOST, AGAIN_IF_REPEATABLE}};

/* Counts the last error; true when there is reason to try again, on a connection fit for it. */
static bool is_again(struct gg_db *db, const struct gg_db_stmt *stmt)
{
    struct known e = {db->code, GG_M_DB_OTHER, AGAIN_NO};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        e = known[i].code == e.code ? known[i] : e;
    bool is_clients = (e.code >= CR_MIN_ERROR && e.code <= CR_MAX_ERROR) || e.code >= CER_MIN_ERROR;
    gg_metric_count(GG_METRIC_DB_ERRORS, e.kind, 0, 0);
    if (e.again == AGAIN_ELSEWHERE)
        db->first = db->host + 1;
    /* Where the client library itself stumbled, nobody knows whose answer would come next. */
    if (e.again > AGAIN_SAME || is_clients)
        disconnect(db);
    return e.again == AGAIN_IF_REPEATABLE ? stmt->repeatable : e.again != AGAIN_NO;
}

static bool run_with_tries(struct gg_db *db, struct gg_arena *a, const struct gg_db_call *call,
                           struct gg_db_result *result, struct gg_err *err)
{
    /* What took so long once is not tried again: the caller waits. */
    struct gg_deadline patience = gg_deadline_in(db->address->query_timeout_s * 500LL);

    db->code = 0;
    for (int tries = 1;; tries++) {
        if (db->mysql != NULL && (is_stale(db, call->stmt) || is_to_return(db)))
            disconnect(db);
        if (db->mysql == NULL && !connect_any(db, err))
            return false;
        if (run_once(db, a, call, result, err)) {
            db->used_ms = gg_clock_mono_ms();
            return true;
        }
        bool is_worth = is_again(db, call->stmt);
        gg_log(GG_DEBUG, "db.error", "code=%u try=%d", db->code, tries);
        if (!is_worth || tries == TRIES || gg_deadline_left_ms(patience) == 0)
            return false;
        if (db->mysql != NULL)
            gg_clock_sleep_ms(5L * tries + (long)(gg_clock_mono_ms() % 7));
    }
}

bool gg_db_run(struct gg_db *db, struct gg_arena *a, struct gg_db_call call,
               struct gg_db_result *result, struct gg_err *err)
{
    int64_t start_us = gg_clock_mono_us();
    bool ok = run_with_tries(db, a, &call, result, err);
    int64_t took_us = gg_clock_mono_us() - start_us;

    db->spent_us += took_us;
    gg_metric_count(GG_METRIC_DB_CALLS, ok ? GG_M_DB_OK : GG_M_DB_FAILED, 0, 0);
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, took_us);
    return ok;
}

int64_t gg_db_spent_us(const struct gg_db *db)
{
    return db == NULL ? 0 : db->spent_us;
}

enum gg_db_fault gg_db_fault(const struct gg_db *db)
{
    bool is_denied =
        db->code == ER_TABLEACCESS_DENIED_ERROR || db->code == ER_COLUMNACCESS_DENIED_ERROR;

    return db->code == ER_DUP_ENTRY ? GG_DB_DUPLICATE : is_denied ? GG_DB_DENIED : GG_DB_OTHER;
}

bool gg_db_run_script(struct gg_db *db, const char *sql, struct gg_err *err)
{
    if (db->mysql == NULL && !connect_any(db, err))
        return false;
    if (mysql_set_server_option(db->mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0)
        return fail_of(db, NULL, "script", err);
    int more = mysql_real_query(db->mysql, sql, strlen(sql));
    while (more == 0) {
        MYSQL_RES *rows = mysql_store_result(db->mysql);
        if (rows != NULL)
            mysql_free_result(rows);
        more = mysql_next_result(db->mysql);
    }
    if (more > 0)
        return fail_of(db, NULL, "script", err);
    (void)mysql_set_server_option(db->mysql, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    return true;
}
