/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/audit.h"
#include "gg/flow/settler.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stand_in s;
static char path[] = "/tmp/gg-settler-XXXXXX";

static void set_up(void)
{
    stand_in_open(&s);
    (void)snprintf(path, sizeof path, "/tmp/gg-settler-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert(gg_journal_open(path, GG_HOSTFILE_FIND, &s.ctx.journal, &s.err));
}

static void tear_down(void)
{
    gg_journal_close(s.ctx.journal);
    ck_assert_int_eq(unlink(path), 0);
    stand_in_close(&s);
}

static void note(const char *event, const char *detail)
{
    gg_audit_note(&s.call, (struct gg_audit_event){.event = event, .detail = detail});
}

static void use(const char *detail)
{
    note(GG_AUDIT_USE, detail);
    ck_assert(gg_audit_flush(&s.call, &s.err));
}

static int count(void)
{
    return (int)strtol(database_cell(s.ctx.db, s.arena, "SELECT COUNT(*) FROM audit_log"), NULL,
                       10);
}

/* mutant: src/flow/audit.c: gg_str_is(all->first->row.event, GG_AUDIT_USE) => true */
START_TEST(uses_wait_and_nothing_else)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    use("b");
    ck_assert_int_eq(count(), 0);
    note("token.disconnect", NULL);
    ck_assert(gg_audit_flush(&s.call, &s.err));
    ck_assert_int_eq(count(), 1);
    note(GG_AUDIT_USE, NULL);
    note("token.refresh", NULL);
    ck_assert(gg_audit_flush(&s.call, &s.err));
    ck_assert_int_eq(count(), 3);
    gg_settler_run_due(&s.ctx, s.arena);
    ck_assert_int_eq(count(), 3);
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    ck_assert_int_eq(count(), 5);
    ck_assert(gg_settler_run(&s.ctx, s.arena) && gg_journal_is_empty(s.ctx.journal));
    ck_assert_int_eq(count(), 5);
    tear_down();
}
END_TEST

/* mutant: src/flow/audit.c: !c->ctx->conf->audit_fails_closed => true */
START_TEST(nothing_waits_where_it_must_be_written)
{
    set_up();
    use("nobody has joined");
    ck_assert_int_eq(count(), 1);
    gg_journal_join(s.ctx.journal);
    s.conf.audit_fails_closed = true;
    use("closed");
    ck_assert_int_eq(count(), 2);
    s.conf.audit_fails_closed = false;
    struct gg_journal *j = s.ctx.journal;
    s.ctx.journal = NULL;
    use("no journal");
    ck_assert_int_eq(count(), 3);
    gg_settler_run_due(&s.ctx, s.arena);
    ck_assert(gg_settler_run(&s.ctx, s.arena) && gg_settler_run_left(&s.ctx, s.arena));
    s.ctx.journal = j;
    tear_down();
}
END_TEST

START_TEST(many_are_due)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    for (int i = 1; i < GG_JOURNAL_COUNT; i++)
        use("a");
    gg_settler_run_due(&s.ctx, s.arena);
    ck_assert_int_eq(count(), 0);
    use("a");
    gg_settler_run_due(&s.ctx, s.arena);
    ck_assert_int_eq(count(), GG_JOURNAL_COUNT);
    /* With a lane that is full the next one goes by itself. */
    int written = 0;
    while (count() == GG_JOURNAL_COUNT)
        use(gg_arena_printf(s.arena, "%0200d", written++));
    ck_assert_int_gt(written, GG_JOURNAL_COUNT);
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    ck_assert_int_eq(count(), GG_JOURNAL_COUNT + written);
    tear_down();
}
END_TEST

START_TEST(a_database_that_is_away)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    struct gg_db *db = s.ctx.db;
    s.ctx.db = NULL;
    ck_assert(!gg_settler_run(&s.ctx, s.arena) && !gg_settler_run_left(&s.ctx, s.arena));
    s.ctx.db = db;
    database_run(db, "RENAME TABLE audit_log TO away");
    ck_assert(!gg_settler_run(&s.ctx, s.arena));
    database_run(db, "RENAME TABLE away TO audit_log");
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    ck_assert_int_eq(count(), 1);
    tear_down();
}
END_TEST

/* Written, and killed before the journal was cleared. */
static void settle_and_put_back(void)
{
    char bytes[4096];
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);

    ck_assert(gg_settler_run(&s.ctx, s.arena));
    gg_journal_close(s.ctx.journal);
    ck_assert_int_eq(pwrite(fd, bytes, (size_t)n, 0), n);
    (void)close(fd);
    ck_assert(gg_journal_open(path, GG_HOSTFILE_FIND, &s.ctx.journal, &s.err));
}

START_TEST(what_is_there_already)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    use("b");
    settle_and_put_back();
    database_run(s.ctx.db, "DELETE FROM audit_log LIMIT 1");
    gg_journal_join(s.ctx.journal);
    use("c");
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    ck_assert_int_eq(count(), 3);
    tear_down();
}
END_TEST

/* What is not ours, or has lost its place, keeps nobody else waiting. */
/* mutant: src/flow/settler.c: return verdict == GG_AUDIT_GOOD || => return true || */
START_TEST(what_cannot_be_written_is_lost)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    use("b");
    ck_assert(gg_journal_add(s.ctx.journal, GG_STR("nonsense")));
    struct gg_audit_row forged = {.id = GG_STR("1"),
                                  .at = GG_STR("2026-03-02T13:00:00"),
                                  .event = GG_STR("x"),
                                  .result = GG_STR("ok")};
    struct gg_str bytes;
    ck_assert(gg_audit_sign_row(&s.ctx.audit_keys, s.arena, &forged, &s.err));
    forged.event = GG_STR("y");
    ck_assert(gg_audit_pack(s.arena, &forged, &bytes, &s.err));
    ck_assert(gg_journal_add(s.ctx.journal, bytes));
    forged.key_fingerprint = GG_STR("00000000");
    forged.mac = (struct gg_str){gg_arena_alloc(s.arena, GG_AUDIT_MAC_CHARS), GG_AUDIT_MAC_CHARS};
    ck_assert(gg_audit_pack(s.arena, &forged, &bytes, &s.err));
    ck_assert(gg_journal_add(s.ctx.journal, bytes));
    use("c");
    ck_assert(gg_settler_run(&s.ctx, s.arena) && gg_journal_is_empty(s.ctx.journal));
    ck_assert_int_eq(count(), 3);
    tear_down();
}
END_TEST

/* The one whose id is another row's by now; those beside it are written. */
START_TEST(an_id_that_is_taken)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    settle_and_put_back();
    database_run(s.ctx.db, "UPDATE audit_log SET mac = REPEAT('x', 43)");
    gg_journal_join(s.ctx.journal);
    use("b");
    ck_assert(gg_settler_run(&s.ctx, s.arena) && gg_journal_is_empty(s.ctx.journal));
    ck_assert_int_eq(count(), 2);
    tear_down();
}
END_TEST

START_TEST(rows_under_a_key_that_is_gone)
{
    set_up();
    gg_journal_join(s.ctx.journal);
    use("a");
    s.ctx.audit_keys.names[0][0] ^= 1;
    ck_assert(gg_settler_run(&s.ctx, s.arena));
    ck_assert_int_eq(count(), 1);
    tear_down();
}
END_TEST

START_TEST(what_the_killed_left)
{
    set_up();
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int k = 0; k <= i; k++)
                gg_journal_join(s.ctx.journal);
            use("a");
            (void)kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    }
    gg_journal_join(s.ctx.journal);
    use("b");
    ck_assert_int_eq(count(), 0);
    ck_assert(gg_settler_run_left(&s.ctx, s.arena));
    ck_assert_int_eq(count(), 4);
    tear_down();
}
END_TEST

GG_UNIT_MAIN("flow/settler", uses_wait_and_nothing_else, nothing_waits_where_it_must_be_written,
             many_are_due, a_database_that_is_away, what_is_there_already,
             what_cannot_be_written_is_lost, an_id_that_is_taken, rows_under_a_key_that_is_gone,
             what_the_killed_left)
