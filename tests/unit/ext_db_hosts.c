/* SPDX-License-Identifier: MIT */
/* ext/db with several hosts, the nodes of a cluster, and connections that are shared. */
#include "database.h"
#include "relay.h"
#include "unit.h"

#include "gg/base/clock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct gg_arena *arena;
static struct gg_db *db;
static struct gg_db_result rows;
static struct gg_err err;

static void set_up(void)
{
    arena = gg_arena_open();
    db = database_open(arena);
    database_run(db, "DROP TABLE IF EXISTS ext_db; CREATE TABLE ext_db (id BIGINT NOT NULL PRIMARY"
                     " KEY AUTO_INCREMENT, v LONGTEXT CHARACTER SET utf8mb4 NULL, n BIGINT NULL)"
                     " ENGINE=InnoDB");
}

static const struct gg_db_stmt insert = {"INSERT INTO ext_db (v, n) VALUES (?, ?)", false};
static const struct gg_db_stmt find = {"SELECT v, n, id FROM ext_db ORDER BY id", true};

static bool put(struct gg_str v, int64_t n)
{
    struct gg_db_value values[] = {gg_db_text(v), gg_db_int(n)};

    err = (struct gg_err){.code = GG_OK};
    return gg_db_run(db, arena, GG_DB_CALL(insert, NULL, values), &rows, &err);
}

static bool find_all(void)
{
    err = (struct gg_err){.code = GG_OK};
    return gg_db_run(db, arena, (struct gg_db_call){.stmt = &find}, &rows, &err);
}

static const char *connection_id(void)
{
    static const struct gg_db_stmt id = {"SELECT CONNECTION_ID()", true};

    ck_assert_msg(gg_db_run(db, arena, (struct gg_db_call){.stmt = &id}, &rows, &err), "%s",
                  err.log);
    return rows.rows[0][0].p;
}

/* Two hosts, the first of them away at first. */
static struct gg_db *open_two(struct relay *first, struct relay *second)
{
    struct gg_db_address *two = gg_arena_alloc(arena, sizeof *two);

    *two = *database_address();
    two->unix_socket = NULL;
    two->host_count = 2;
    two->hosts[0].name = two->hosts[1].name = "127.0.0.1";
    two->hosts[0].port = relay_port(first);
    two->hosts[1].port = relay_port(second);
    two->return_s = 1;
    return gg_db_open(two);
}

/* promise: faults/database: When the first host of DATABASE_URL is there again, workers go back to
 * it by themselves */
/* mutant: src/ext/db.c: || is_to_return(db))) => || (is_to_return(db) && false))) */
START_TEST(the_first_host_again)
{
    struct gg_deadline patience = gg_deadline_in(20000);

    set_up();
    struct relay *first = relay_open(arena, database_address()->unix_socket);
    struct relay *second = relay_open(arena, database_address()->unix_socket);
    struct gg_db *usual = db;
    relay_up(second);
    db = open_two(first, second);
    ck_assert_msg(find_all(), "%s", err.log);
    ck_assert_int_eq(relay_taken(second), 1);
    /* Looked for in vain now and then, and nobody notices. */
    while (relay_taken(second) < 2 && gg_deadline_left_ms(patience) > 0) {
        ck_assert_msg(find_all(), "%s", err.log);
        gg_clock_sleep_ms(20);
    }
    ck_assert_int_ge(relay_taken(second), 2);
    relay_up(first);
    while (relay_taken(first) == 0 && gg_deadline_left_ms(patience) > 0) {
        ck_assert_msg(find_all(), "%s", err.log);
        gg_clock_sleep_ms(20);
    }
    ck_assert_int_eq(relay_taken(first), 1);
    relay_down(second);
    ck_assert_msg(find_all(), "%s", err.log);
    gg_db_close(db);
    db = usual;
    gg_arena_close(arena);
}
END_TEST

/* Each insert fails with that code first, so many times, as a conflict on Galera would; the count
 * outlives the insert that is taken back. */
static void make_it_fail(int times, int code)
{
    database_run(db, "DROP TABLE IF EXISTS ext_db_left; CREATE TABLE ext_db_left (n INT)"
                     " ENGINE=Aria TRANSACTIONAL=0");
    database_run(db, gg_arena_printf(arena,
                                     "INSERT INTO ext_db_left VALUES (%d);"
                                     "CREATE TRIGGER ext_db_fails BEFORE INSERT ON ext_db FOR EACH"
                                     " ROW BEGIN IF (SELECT n FROM ext_db_left) > 0 THEN"
                                     " UPDATE ext_db_left SET n = n - 1;"
                                     " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=%d; END IF; END",
                                     times, code));
}

/* mutant: src/ext/db.c: (tries < TRIES || db->set.mysql != NULL) => (tries < TRIES) */
/* promise: faults/database: A row that many hosts of a cluster write at once: conflicts are tried
 * again until one's own turn, unseen by the caller */
START_TEST(many_conflicts_in_a_row)
{
    set_up();
    make_it_fail(11, 1213);
    ck_assert_msg(put(GG_STR("x"), 1), "%s", err.log);
    ck_assert(find_all());
    ck_assert_uint_eq(rows.row_count, 1);
    gg_arena_close(arena);
}
END_TEST

/* What a node says that has lost the others, or is losing them: reading, committing, at all. */
/* mutant: src/ext/db.c: {ER_UNKNOWN_COM_ERROR, => {9999, */
/* mutant: src/ext/db.c: {ER_ERROR_DURING_COMMIT, => {9999, */
/* mutant: src/ext/db.c: db->address->host_count > 1) => false) */
/* promise: faults/database: A node of a cluster that has lost the others: the next host of
 * DATABASE_URL is asked, unseen by the caller */
START_TEST(a_node_without_its_cluster)
{
    static const int codes[] = {1047, 1180, 1205};

    for (size_t i = 0; i < COUNT(codes); i++) {
        set_up();
        struct relay *first = relay_open(arena, database_address()->unix_socket);
        struct relay *second = relay_open(arena, database_address()->unix_socket);
        struct gg_db *usual = db;
        relay_up(first);
        relay_up(second);
        make_it_fail(1, codes[i]);
        db = open_two(first, second);
        struct gg_db_value values[] = {gg_db_text(GG_STR("x"))};
        static const struct gg_db_stmt twice = {"INSERT INTO ext_db (v) VALUES (?)", true};
        ck_assert_msg(gg_db_run(db, arena, GG_DB_CALL(twice, NULL, values), &rows, &err), "%s",
                      err.log);
        ck_assert_int_eq(relay_taken(first), 1);
        ck_assert_int_eq(relay_taken(second), 1);
        gg_db_close(db);
        db = usual;
        gg_arena_close(arena);
    }
}
END_TEST

/* mutant: src/ext/db.c: wsrep_sync_wait=7 => wsrep_sync_wait=3 */
START_TEST(reads_wait_for_the_cluster)
{
    set_up();
    ck_assert_str_eq(database_cell(db, arena, "SELECT @@SESSION.wsrep_sync_wait"), "7");
    gg_arena_close(arena);
}
END_TEST

/* Milliseconds, of our own socket that leads to a port; -1 when there is none. */
static int silence_of(unsigned port)
{
    for (int fd = 3; fd < 64; fd++) {
        struct sockaddr_in to = {0};
        socklen_t n = sizeof to;
        unsigned ms;
        socklen_t ms_n = sizeof ms;
        if (getpeername(fd, (struct sockaddr *)&to, &n) == 0 && to.sin_family == AF_INET &&
            ntohs(to.sin_port) == port &&
            getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &ms_n) == 0)
            return (int)ms;
    }
    return -1;
}

/* mutant: src/ext/db.c: IPPROTO_TCP, TCP_USER_TIMEOUT => IPPROTO_TCP, TCP_MAXSEG */
START_TEST(a_host_that_acknowledges_nothing)
{
    set_up();
    struct relay *first = relay_open(arena, database_address()->unix_socket);
    struct gg_db *usual = db;
    relay_up(first);
    db = open_two(first, first);
    ck_assert_msg(find_all(), "%s", err.log);
    ck_assert_int_eq(silence_of(relay_port(first)), database_address()->connect_timeout_s * 1000);
    gg_db_close(db);
    db = usual;
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/ext/db.c: db->address->is_shared) => db->address->is_shared && false) */
START_TEST(a_shared_connection_is_given_back)
{
    struct gg_db_address address = *database_address();

    set_up();
    for (int shared = 0; shared < 2; shared++) {
        address.is_shared = shared == 1;
        struct gg_db *usual = db;
        db = gg_db_open(&address);
        const char *id = connection_id();
        gg_db_rest(db);
        ck_assert(gg_str_is(gg_str_of(connection_id()), id) == (shared == 0));
        gg_db_close(db);
        db = usual;
    }
    gg_db_rest(NULL);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/db", the_first_host_again, many_conflicts_in_a_row, a_node_without_its_cluster,
             reads_wait_for_the_cluster, a_host_that_acknowledges_nothing,
             a_shared_connection_is_given_back)
