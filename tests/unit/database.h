/* SPDX-License-Identifier: MIT */
/* The private database that with_mariadb.py has started, for the tests that need one. */
#ifndef GG_TESTS_DATABASE_H
#define GG_TESTS_DATABASE_H

#include "gg/ext/db.h"

#include <sys/types.h>

/* As the variables GG_TEST_DB_… say; ends the test where one is not set. */
const struct gg_db_address *database_address(void);

/* A handle on it, closed with the arena. */
struct gg_db *database_open(struct gg_arena *a);

/* Runs statements, several with ';' between them. */
void database_run(struct gg_db *db, const char *sql);

/* The first cell of the first row as text ("NULL", "" for no row). Not for a text that changes
 * often: each is prepared. */
const char *database_cell(struct gg_db *db, struct gg_arena *a, const char *sql);

/* Runs work(arg, n) in processes numbered 0…count-1; the sum of what they return (each 0…100). */
int database_run_processes(int count, int (*work)(void *arg, int n), void *arg);

#endif
