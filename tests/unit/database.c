/* SPDX-License-Identifier: MIT */
#include "database.h"

#include "unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *need(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL && *value != '\0',
                  "%s is not set: run this program with tests/unit/with_mariadb.py", name);
    return value;
}

const struct gg_db_address *database_address(void)
{
    static struct gg_db_address address;

    address = (struct gg_db_address){
        .user = need("GG_TEST_DB_USER"),
        .password = need("GG_TEST_DB_PASSWORD"),
        .name = need("GG_TEST_DB_NAME"),
        .unix_socket = need("GG_TEST_DB_SOCKET"),
        .hosts = {{"localhost", 3306}},
        .host_count = 1,
        .connect_timeout_s = 5,
        .query_timeout_s = 20,
    };
    return &address;
}

static void close_db(void *db)
{
    gg_db_close(db);
}

struct gg_db *database_open(struct gg_arena *a)
{
    struct gg_db *db = gg_db_open(database_address());

    gg_arena_defer(a, close_db, db);
    return db;
}

void database_run(struct gg_db *db, const char *sql)
{
    struct gg_err err = {.code = GG_OK};

    ck_assert_msg(gg_db_run_script(db, sql, &err), "%s: %s", sql, err.log);
}

const char *database_cell(struct gg_db *db, struct gg_arena *a, const char *sql)
{
    struct gg_db_stmt *stmt = gg_arena_alloc(a, sizeof *stmt);
    struct gg_db_result rows;
    struct gg_err err = {.code = GG_OK};

    *stmt = (struct gg_db_stmt){sql, true};
    ck_assert_msg(gg_db_run(db, a, (struct gg_db_call){.stmt = stmt}, &rows, &err), "%s: %s", sql,
                  err.log);
    if (rows.row_count == 0)
        return "";
    return rows.rows[0][0].p == NULL ? "NULL" : rows.rows[0][0].p;
}

int database_run_processes(int count, int (*work)(void *arg, int n), void *arg)
{
    int sum = 0;
    int status;

    for (int n = 0; n < count; n++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            _exit(work(arg, n));
    }
    for (int n = 0; n < count; n++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) <= 100, "a process failed: %d",
                      status);
        sum += WEXITSTATUS(status);
    }
    return sum;
}
