/* SPDX-License-Identifier: MIT */
#include "gg/ext/db.h"

#include "gg/base/clock.h"
#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/ext/dbstmt.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 4
/* The first host is looked for again twice as late each time that it is not there. */
#define RETURN_DOUBLINGS 4
#define SESSION_SQL \
    "SET time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'," \
    " autocommit=1, innodb_lock_wait_timeout=3, lock_wait_timeout=%d, max_statement_time=%d"
#define ISOLATION_SQL "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
/* On Galera what is read, updated or deleted is as any node has left it: else a session of a moment
 * ago would be unknown on another host. An insert reads as well, where it is half of a pair. */
#define CAUSAL_SQL "SET SESSION wsrep_sync_wait=7"

struct gg_db {
    const struct gg_db_address *address;
    struct gg_dbstmt_set set; /* of the connection, which is the set's mysql */
    size_t host;              /* of the address, that we are or were connected to */
    size_t first; /* where the next connection begins: the first host, but behind one of no use */
    int64_t used_ms;
    int64_t return_ms; /* when a later host is left, to see whether the first is back */
    int in_vain;       /* how often it was not */
    int64_t spent_us;
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
    gg_dbstmt_close(&db->set);
    if (db->set.mysql != NULL)
        mysql_close(db->set.mysql);
    db->set.mysql = NULL;
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
    bool ok = mysql_real_connect(m, to->unix_socket == NULL ? to->hosts[host].name : "localhost",
                                 to->user, to->password, to->name, to->hosts[host].port,
                                 to->unix_socket, 0) != NULL;

    /* A server without Galera's code does not know it, and has no need of it. */
    ok = ok && (mysql_query(m, CAUSAL_SQL) == 0 || mysql_errno(m) == ER_UNKNOWN_SYSTEM_VARIABLE);
    db->set.code = mysql_errno(m);
    if (!ok) {
        gg_metric_count(GG_METRIC_DB_ERRORS, GG_M_DB_CONNECT, 0, 0);
        (void)gg_fail(err, GG_EDATABASE, "cannot connect: %u %s", mysql_errno(m), mysql_error(m));
        err->retry_after_s = 5;
        mysql_close(m);
        return false;
    }
    db->set.mysql = m;
    /* A host that is cut off does not even acknowledge: that is no slow statement. */
    unsigned silence_ms = (unsigned)to->connect_timeout_s * 1000;
    (void)setsockopt(mysql_get_socket(m), IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms,
                     sizeof silence_ms);
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
static bool is_stale(const struct gg_db *db, bool is_repeatable)
{
    struct pollfd p = {.fd = mysql_get_socket(db->set.mysql), .events = POLLIN};

    return (!is_repeatable || gg_clock_mono_ms() - db->used_ms > 1000) && poll(&p, 1, 0) != 0;
}

/* Hosts are an order: from a later one, the way leads back. */
static bool is_to_return(const struct gg_db *db)
{
    return db->host > 0 && db->address->return_s > 0 && gg_clock_mono_ms() > db->return_ms;
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
             {ER_ERROR_DURING_COMMIT, GG_M_DB_REFUSED, AGAIN_IF_REPEATABLE},
             {ER_UNKNOWN_STMT_HANDLER, GG_M_DB_OTHER, AGAIN_RECONNECT},
             {ER_NEED_REPREPARE, GG_M_DB_OTHER, AGAIN_RECONNECT},
             {CR_SERVER_GONE_ERROR, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {CR_SERVER_LOST, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {ER_CONNECTION_KILLED, GG_M_DB_LOST, AGAIN_IF_REPEATABLE},
             {ER_SERVER_SHUTDOWN, GG_M_DB_LOST, AGAIN_IF_REPEATABLE}};

/* Counts the last error; true when there is reason to try again, on a connection fit for it. */
static bool is_again(struct gg_db *db, bool is_repeatable)
{
    struct known e = {db->set.code, GG_M_DB_OTHER, AGAIN_NO};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        e = known[i].code == e.code ? known[i] : e;
    /* A Galera node that waits for the others in vain says the same as one whose row is locked. */
    if (e.code == ER_LOCK_WAIT_TIMEOUT && db->address->host_count > 1)
        e.again = AGAIN_ELSEWHERE;
    bool is_clients = (e.code >= CR_MIN_ERROR && e.code <= CR_MAX_ERROR) || e.code >= CER_MIN_ERROR;
    gg_metric_count(GG_METRIC_DB_ERRORS, e.kind, 0, 0);
    if (e.again == AGAIN_ELSEWHERE || e.again == AGAIN_IF_REPEATABLE)
        db->first = db->host + 1;
    /* Where the client library itself stumbled, nobody knows whose answer would come next. */
    if (e.again > AGAIN_SAME || is_clients)
        disconnect(db);
    return e.again == AGAIN_IF_REPEATABLE ? is_repeatable : e.again != AGAIN_NO;
}

/* Those who were in each other's way must not meet again; on Galera, in the whole cluster. */
static void back_off(int tries)
{
    int64_t most_us = 5000LL << (tries < 5 ? tries - 1 : 4);

    gg_clock_sleep_ms(1 + (gg_clock_mono_us() * 31 + getpid() * 977L) % most_us / 1000);
}

/* Every connection is taken: others are given back within moments. */
static bool is_full(const struct gg_db *db)
{
    return db->set.code == ER_CON_COUNT_ERROR || db->set.code == ER_TOO_MANY_USER_CONNECTIONS ||
           db->set.code == ER_USER_LIMIT_REACHED;
}

static bool run_with_tries(struct gg_db *db, struct gg_arena *a, const struct gg_db_pair *pair,
                           struct gg_db_result *result, struct gg_err *err)
{
    /* What took so long once is not tried again: the caller waits. */
    struct gg_deadline patience = gg_deadline_in(db->address->query_timeout_s * 500LL);
    bool may_repeat =
        pair->call.stmt->repeatable && (pair->cell.stmt == NULL || pair->cell.stmt->repeatable);
    bool is_worth;

    db->set.code = 0;
    for (int tries = 1;; tries++) {
        if (db->set.mysql != NULL && (is_stale(db, may_repeat) || is_to_return(db)))
            disconnect(db);
        if (db->set.mysql == NULL && !connect_any(db, err)) {
            is_worth = is_full(db);
        } else if (gg_dbstmt_run(&db->set, a, pair, result, err)) {
            db->used_ms = gg_clock_mono_ms();
            return true;
        } else {
            /* A conflict leaves the connection, and somebody else has got through. */
            is_worth = is_again(db, may_repeat) && (tries < TRIES || db->set.mysql != NULL);
        }
        gg_log(GG_DEBUG, "db.error", "code=%u try=%d", db->set.code, tries);
        if (!is_worth || gg_deadline_left_ms(patience) == 0)
            return false;
        back_off(tries);
    }
}

bool gg_db_run_pair(struct gg_db *db, struct gg_arena *a, const struct gg_db_pair *pair,
                    struct gg_db_result *result, struct gg_err *err)
{
    int64_t start_us = gg_clock_mono_us();
    bool ok = run_with_tries(db, a, pair, result, err);
    int64_t took_us = gg_clock_mono_us() - start_us;

    db->spent_us += took_us;
    gg_metric_count(GG_METRIC_DB_CALLS, ok ? GG_M_DB_OK : GG_M_DB_FAILED, 0, 0);
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, took_us);
    return ok;
}

bool gg_db_run(struct gg_db *db, struct gg_arena *a, struct gg_db_call call,
               struct gg_db_result *result, struct gg_err *err)
{
    return gg_db_run_pair(db, a, &(struct gg_db_pair){.call = call}, result, err);
}

void gg_db_rest(struct gg_db *db)
{
    if (db != NULL && db->address->is_shared)
        disconnect(db);
}

int64_t gg_db_spent_us(const struct gg_db *db)
{
    return db == NULL ? 0 : db->spent_us;
}

enum gg_db_fault gg_db_fault(const struct gg_db *db)
{
    switch (db->set.code) {
    case ER_DUP_ENTRY:
        return GG_DB_DUPLICATE;
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
        return GG_DB_DENIED;
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
        return GG_DB_CONFLICT;
    case ER_RECORD_FILE_FULL:
        return GG_DB_FULL;
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
    case ER_ERROR_DURING_COMMIT:
        return GG_DB_LOST;
    default:
        return GG_DB_OTHER;
    }
}

bool gg_db_run_script(struct gg_db *db, const char *sql, struct gg_err *err)
{
    if (db->set.mysql == NULL && !connect_any(db, err))
        return false;
    if (mysql_set_server_option(db->set.mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0)
        return gg_dbstmt_fail(&db->set, "script", err);
    int more = mysql_real_query(db->set.mysql, sql, strlen(sql));
    while (more == 0) {
        MYSQL_RES *rows = mysql_store_result(db->set.mysql);
        if (rows != NULL)
            mysql_free_result(rows);
        more = mysql_next_result(db->set.mysql);
    }
    if (more > 0)
        return gg_dbstmt_fail(&db->set, "script", err);
    (void)mysql_set_server_option(db->set.mysql, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    return true;
}
