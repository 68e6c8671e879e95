/* SPDX-License-Identifier: MIT */
/*
 * Each operation of ext/ with its first, second, third … allocation or call to the system failing,
 * until it is through without. Every run ends in the right answer, in an error, or, where there was
 * no memory, in the end of the process that the arena is made for; never in a crash, a hang or a
 * wrong answer. An interrupted or partial call must not be noticed at all.
 */
#include "ops.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 20
#define RUNS_MAX    20000

static const char *const kinds[INJECT_KINDS] = {
    "nothing", "no memory", "EINTR", "one byte at a time", "ECONNRESET", "no descriptors"};

/* How a run ended, as exit statuses. */
enum end { END_RIGHT = 10, END_ERROR, END_WRONG, END_RIGHT_WITHOUT, END_ERROR_WITHOUT, END_NULL };

/* OpenSSL 3.0 and json-c 0.16 use some of what they could not allocate: an end by NULL, no more. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    _exit((uintptr_t)info->si_addr < 4096 ? END_NULL : 128 + signal);
}

static void run_once(const struct op *op, enum inject_kind kind, long n)
{
    const struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct op_run run = {.arena = gg_arena_open()};

    if (kind == INJECT_MEMORY)
        (void)sigaction(SIGSEGV, &fault, NULL);
    (void)alarm(SECONDS_MAX);
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(END_WRONG);
    op->set_up(&run);
    inject_arm(kind, n);
    bool done = op->work(&run);
    bool hit = inject_disarm();
    if ((done || op->is_right_anyway) && !op->is_right(&run))
        _exit(END_WRONG);
    if (!done && !op->is_right_anyway && run.err.code == GG_OK)
        _exit(END_WRONG);
    /* What failed must not stay broken: cleaning up may not crash either. */
    gg_arena_close(run.arena);
    _exit(hit ? (done ? END_RIGHT : END_ERROR) : (done ? END_RIGHT_WITHOUT : END_ERROR_WITHOUT));
}

struct tally {
    long right;
    long errors;
    long ended;
};

/* False when that run was not as it must be; *more: another one is to follow. */
static bool judge(int status, enum inject_kind kind, bool may_fail, struct tally *t, bool *more)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

    *more = code != END_RIGHT_WITHOUT;
    if (code == END_RIGHT_WITHOUT)
        return true;
    t->right += code == END_RIGHT;
    t->errors += code == END_ERROR;
    if (code == END_RIGHT || (code == END_ERROR && may_fail))
        return true;
    /* Out of memory ends the worker: design, not accident. */
    if (kind == INJECT_MEMORY &&
        (code == END_NULL || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT))) {
        t->ended++;
        return true;
    }
    return false;
}

static bool run_all(const struct op *op, enum inject_kind kind)
{
    bool may_fail = kind != INJECT_PIECES && (kind != INJECT_INTERRUPT || op->notices_interrupts);
    struct tally t = {0};
    int bad = 0;
    bool more = true;

    for (long n = 1; more && n < RUNS_MAX; n += n < 300 ? 1 : n / 30) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            run_once(op, kind, n);
        if (waitpid(pid, &status, 0) != pid)
            return false;
        if (!judge(status, kind, may_fail, &t, &more) && ++bad <= 3)
            printf("FAIL: %s, %s, number %ld: %s %d\n", op->name, kinds[kind], n,
                   WIFSIGNALED(status) ? "signal" : "end",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    printf("%-8s %-18s %5ld right %5ld error %5ld ended %3d bad\n", op->name, kinds[kind], t.right,
           t.errors, t.ended, bad);
    (void)fflush(stdout);
    return bad == 0 && !more;
}

int main(int argc, char **argv)
{
    int passed = 0;
    int failed = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ops_count; i++) {
        if (argc > 1 ? strcmp(argv[1], ops[i].name) != 0
                     : ops[i].needs_database && getenv("GG_TEST_DB_SOCKET") == NULL)
            continue;
        if (ops[i].prepare != NULL)
            ops[i].prepare();
        for (enum inject_kind kind = INJECT_MEMORY; kind < INJECT_KINDS; kind++) {
            bool good = run_all(&ops[i], kind);
            passed += good;
            failed += !good;
        }
        if (ops[i].clean != NULL)
            ops[i].clean();
    }
    printf("inject: %d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
