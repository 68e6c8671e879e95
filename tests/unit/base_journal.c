/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/clock.h"
#include "gg/base/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/gg-journal-XXXXXX";
static struct gg_arena *arena;
static struct gg_err err;

static struct gg_journal *open_one(void)
{
    struct gg_journal *j;

    ck_assert_msg(gg_journal_open(path, GG_HOSTFILE_MAKE, &j, &err), "%s", err.log);
    return j;
}

static struct gg_journal *set_up(void)
{
    arena = gg_arena_open();
    (void)snprintf(path, sizeof path, "/tmp/gg-journal-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    return open_one();
}

static void tear_down(struct gg_journal *j)
{
    gg_journal_close(j);
    ck_assert_int_eq(unlink(path), 0);
    gg_arena_close(arena);
}

/* The records of one's lane, each with a blank behind it. */
static const char *read_all(struct gg_journal *j)
{
    const char *text = "";
    struct gg_str rest;
    struct gg_str record;

    ck_assert(gg_journal_read(j, arena, &rest, &err));
    while (gg_journal_take(&rest, &record))
        text = gg_arena_printf(arena, "%s%.*s ", text, GG_STR_ARG(record));
    ck_assert_uint_eq(rest.n, 0);
    return text;
}

static void write_at(off_t place, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY);

    ck_assert_int_eq(pwrite(fd, p, n, place), (ssize_t)n);
    (void)close(fd);
}

/* A process that joins, adds the record, tells so and lives until it is killed. */
static pid_t start_other(struct gg_journal *j, const char *record)
{
    int ready[2];
    char byte = 0;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gg_journal_join(j);
        if (gg_journal_add(j, gg_str_of(record)))
            (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void kill_other(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(records_wait_until_they_are_cleared)
{
    struct gg_journal *j = set_up();

    ck_assert(!gg_journal_add(j, GG_STR("nobody has joined")) && gg_journal_is_empty(j));
    gg_journal_join(j);
    ck_assert(gg_journal_is_empty(j) && !gg_journal_is_due(j));
    ck_assert_str_eq(read_all(j), "");
    ck_assert(!gg_journal_add(j, GG_STR("")));
    ck_assert(gg_journal_add(j, GG_STR("a")) && gg_journal_add(j, GG_STR("bc")));
    ck_assert(!gg_journal_is_empty(j));
    ck_assert_str_eq(read_all(j), "a bc ");
    ck_assert_str_eq(read_all(j), "a bc ");
    gg_journal_clear(j);
    ck_assert(gg_journal_is_empty(j));
    ck_assert(gg_journal_add(j, GG_STR("d")));
    ck_assert_str_eq(read_all(j), "d ");
    tear_down(j);
}
END_TEST

/* mutant: src/base/journal.c: || all > room => || false */
START_TEST(a_full_lane)
{
    static char bytes[GG_JOURNAL_LANE_BYTES];
    struct gg_journal *j = set_up();
    struct gg_str all = {bytes, sizeof bytes - sizeof(uint32_t)};
    struct gg_str rest;
    struct gg_str record;

    memset(bytes, 'x', sizeof bytes);
    gg_journal_join(j);
    ck_assert(!gg_journal_add(j, (struct gg_str){bytes, all.n + 1}));
    ck_assert(gg_journal_add(j, all));
    ck_assert(!gg_journal_add(j, GG_STR("a")));
    ck_assert(gg_journal_read(j, arena, &rest, &err) && gg_journal_take(&rest, &record));
    ck_assert(gg_str_is_equal(record, all));
    gg_journal_clear(j);
    ck_assert(gg_journal_add(j, GG_STR("a")));
    ck_assert_str_eq(read_all(j), "a ");
    tear_down(j);
}
END_TEST

/* What was written has been in memory that others may look into: nothing of it stays. */
START_TEST(cleared_is_overwritten)
{
    struct gg_journal *j = set_up();
    char bytes[64];

    gg_journal_join(j);
    ck_assert(gg_journal_add(j, GG_STR("192.0.2.1")));
    gg_journal_clear(j);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    for (ssize_t i = 0; i < n; i++)
        ck_assert_int_eq(bytes[i], 0);
    tear_down(j);
}
END_TEST

/* mutant: src/base/journal.c: else if (j->count == GG_JOURNAL_COUNT) => else if (false) */
START_TEST(due_when_there_are_many)
{
    struct gg_journal *j = set_up();

    gg_journal_join(j);
    for (int i = 1; i < GG_JOURNAL_COUNT; i++)
        ck_assert(gg_journal_add(j, GG_STR("a")));
    ck_assert(!gg_journal_is_due(j));
    ck_assert(gg_journal_add(j, GG_STR("a")));
    ck_assert(gg_journal_is_due(j));
    gg_journal_put_off(j);
    ck_assert(!gg_journal_is_due(j));
    ck_assert(gg_journal_add(j, GG_STR("a")));
    ck_assert(!gg_journal_is_due(j));
    gg_journal_clear(j);
    ck_assert(!gg_journal_is_due(j));
    tear_down(j);
}
END_TEST

START_TEST(due_when_they_are_old)
{
    struct gg_journal *j = set_up();

    gg_journal_join(j);
    ck_assert(gg_journal_add(j, GG_STR("a")));
    int64_t start_ms = gg_clock_mono_ms();
    while (!gg_journal_is_due(j) && gg_clock_mono_ms() - start_ms < 10 * GG_JOURNAL_AGE_MS)
        gg_clock_sleep_ms(10);
    ck_assert(gg_journal_is_due(j));
    ck_assert_int_ge(gg_clock_mono_ms() - start_ms, GG_JOURNAL_AGE_MS - 1);
    tear_down(j);
}
END_TEST

/* mutant: src/base/journal.c: l_type = type => l_type = F_UNLCK */
START_TEST(each_process_has_a_lane)
{
    struct gg_journal *j = set_up();
    pid_t first = start_other(j, "first");
    pid_t second = start_other(j, "second");

    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "");
    ck_assert(gg_journal_add(j, GG_STR("own")));
    ck_assert(!gg_journal_move(j));
    gg_journal_clear(j);
    ck_assert(!gg_journal_move(j));
    kill_other(first);
    kill_other(second);
    tear_down(j);
}
END_TEST

START_TEST(what_the_killed_left_is_found)
{
    struct gg_journal *j = set_up();
    pid_t first = start_other(j, "first");
    pid_t second = start_other(j, "second");
    pid_t third = start_other(j, "third");

    kill_other(second);
    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "second ");
    ck_assert(gg_journal_is_due(j) && !gg_journal_move(j));
    gg_journal_clear(j);
    ck_assert(!gg_journal_move(j));
    kill_other(first);
    kill_other(third);
    ck_assert(gg_journal_move(j));
    ck_assert_str_eq(read_all(j), "first ");
    gg_journal_clear(j);
    ck_assert(gg_journal_move(j));
    ck_assert_str_eq(read_all(j), "third ");
    gg_journal_clear(j);
    ck_assert(!gg_journal_move(j));
    ck_assert(gg_journal_add(j, GG_STR("own")));
    ck_assert_str_eq(read_all(j), "own ");
    tear_down(j);
}
END_TEST

/* A record that was not finished, and bytes behind the zeros of a lane that was being cleared. */
/* mutant: src/base/journal.c: is_zero(rest) ? all - rest.n : all => all - rest.n */
START_TEST(bytes_that_are_no_record)
{
    static const uint32_t too_long = GG_JOURNAL_LANE_BYTES;
    struct gg_journal *j = set_up();
    pid_t pid = start_other(j, "whole");

    kill_other(pid);
    write_at(4 + 5, &too_long, sizeof too_long);
    write_at(4 + 5 + 4 + 1, "torn", 4);
    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "whole ");
    gg_journal_clear(j);
    ck_assert(gg_journal_add(j, GG_STR("next!")));
    gg_journal_close(j);
    j = open_one();
    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "next! ");
    gg_journal_clear(j);
    gg_journal_close(j);
    write_at(4 + 3, "\3\0\0\0abc", 7);
    j = open_one();
    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "");
    ck_assert(gg_journal_add(j, GG_STR("own")));
    gg_journal_close(j);
    j = open_one();
    gg_journal_join(j);
    ck_assert_str_eq(read_all(j), "own ");
    tear_down(j);
}
END_TEST

START_TEST(more_processes_than_lanes)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct gg_journal *j = set_up();
    int status;

    int fd = open(path, O_RDWR);
    ck_assert_int_eq(fcntl(fd, F_SETLK, &all), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gg_journal_join(j);
        _exit(!gg_journal_add(j, GG_STR("a")) && !gg_journal_move(j) && gg_journal_is_empty(j) ? 0
                                                                                               : 1);
    }
    ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
    (void)close(fd);
    tear_down(j);
}
END_TEST

/* The file may be too large for its place, or cut by somebody. */
START_TEST(a_file_that_fails)
{
    struct gg_journal *j = set_up();
    struct gg_str rest;

    gg_journal_join(j);
    ck_assert(gg_journal_add(j, GG_STR("a")));
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert(!gg_journal_read(j, arena, &rest, &err));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    gg_journal_close(j);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert(!gg_journal_open(path, GG_HOSTFILE_MAKE, &j, &err));
    ck_assert_ptr_null(j);
    tear_down(j);
}
END_TEST

GG_UNIT_MAIN("base/journal", records_wait_until_they_are_cleared, a_full_lane,
             cleared_is_overwritten, due_when_there_are_many, due_when_they_are_old,
             each_process_has_a_lane, what_the_killed_left_is_found, bytes_that_are_no_record,
             more_processes_than_lanes, a_file_that_fails)
