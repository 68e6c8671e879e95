/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/prefork.h"
#include "gg/base/clock.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/gg-prefork-XXXXXX";
static char where[128];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(where, sizeof where, "unix:%s/s", directory);
}

static void tear_down(void)
{
    (void)unlink(where + 5);
    ck_assert_int_eq(rmdir(directory), 0);
}

static bool can_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", where + 5);
    bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return ok;
}

START_TEST(unix_sockets)
{
    struct gg_err err;
    struct stat st;
    int fd;
    int second;

    set_up();
    ck_assert_msg(gg_prefork_listen(where, &fd, &err), "%s", err.log);
    ck_assert(gg_prefork_is_listening(fd) && can_connect());
    ck_assert_int_eq(lstat(where + 5, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0660);
    /* One that is in use is not taken away. */
    ck_assert(!gg_prefork_listen(where, &second, &err));
    ck_assert(can_connect());
    (void)close(fd);
    /* One that was left behind is. */
    ck_assert(!can_connect());
    ck_assert_msg(gg_prefork_listen(where, &fd, &err), "%s", err.log);
    ck_assert(can_connect());
    (void)close(fd);
    tear_down();
}
END_TEST

START_TEST(other_files_stay)
{
    struct gg_err err;
    struct stat st;
    int fd;

    set_up();
    FILE *f = fopen(where + 5, "w");
    ck_assert(f != NULL && fclose(f) == 0);
    ck_assert(!gg_prefork_listen(where, &fd, &err));
    ck_assert(lstat(where + 5, &st) == 0 && S_ISREG(st.st_mode));
    tear_down();
}
END_TEST

/* A port that nobody listens on. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert(bind(fd, (struct sockaddr *)&address, n) == 0);
    ck_assert(getsockname(fd, (struct sockaddr *)&address, &n) == 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

START_TEST(tcp_sockets)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    static const char *const bad[] = {"",
                                      ":",
                                      ":80",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:http",
                                      "127.0.0.1:0",
                                      "127.0.0.1:99999",
                                      "unix:",
                                      "nonexistent.invalid:1"};
    struct gg_err err;
    char text[200];
    int fd;

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        (void)snprintf(text, sizeof text, "%s:%d", hosts[i], free_port());
        bool ok = gg_prefork_listen(text, &fd, &err);
        ck_assert_msg(ok || text[0] == '[', "%s: %s", text, err.log); /* there may be no IPv6 */
        ck_assert(!ok || gg_prefork_is_listening(fd));
        if (ok)
            (void)close(fd);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!gg_prefork_listen(bad[i], &fd, &err), "%s", bad[i]);
    (void)snprintf(text, sizeof text, "unix:/%0150d", 0);
    ck_assert(!gg_prefork_listen(text, &fd, &err));
}
END_TEST

START_TEST(listening_or_not)
{
    int pipes[2];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert(!gg_prefork_is_listening(pipes[0]));
    ck_assert(!gg_prefork_is_listening(fd));
    ck_assert(!gg_prefork_is_listening(-1));
    ck_assert(listen(fd, 1) == 0 && gg_prefork_is_listening(fd));
    (void)close(fd);
}
END_TEST

/* What the workers tell the test. */
struct tally {
    atomic_int started;
    atomic_int finished;
    atomic_int reloads;
    atomic_int heirs;
};

static struct tally *tally;
static struct gg_prefork_signals signals;

/* The first ones end, in all the ways; later ones wait for the signal, then finish. */
static int work(void *arg)
{
    (void)arg;
    int n = atomic_fetch_add(&tally->started, 1);
    if (n == 0)
        return 0;
    if (n == 1)
        (void)raise(SIGKILL);
    while (!*signals.stop)
        (void)sigsuspend(&signals.wait_mask);
    gg_clock_sleep_ms(50);
    (void)atomic_fetch_add(&tally->finished, 1);
    return 0;
}

static bool wait_for(atomic_int *what, int n)
{
    for (int i = 0; i < 500 && atomic_load(what) < n; i++)
        gg_clock_sleep_ms(10);
    return atomic_load(what) == n;
}

/* A master in a process of its own, and a tally of what its workers do that begins at nothing. */
static pid_t start_master(struct gg_prefork *p)
{
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(tally != MAP_FAILED);
    pid_t master = fork();
    ck_assert_int_ge(master, 0);
    if (master == 0) {
        gg_prefork_catch(&signals);
        exit(gg_prefork_run(p));
    }
    return master;
}

static void check_stop(int signal)
{
    struct gg_prefork p = {.workers = 3, .patience_s = 5, .work = work};
    int status;

    pid_t master = start_master(&p);
    /* Three places; the two that ended have been filled again. */
    ck_assert(wait_for(&tally->started, 5));
    ck_assert_int_eq(kill(master, signal), 0);
    ck_assert_int_eq(waitpid(master, &status, 0), master);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "signal %d: %d", signal, status);
    ck_assert_int_eq(atomic_load(&tally->finished), 3);
    ck_assert_int_eq(atomic_load(&tally->started), 5);
}

START_TEST(workers_are_replaced_and_finish)
{
    check_stop(SIGTERM);
    check_stop(SIGUSR1);
}
END_TEST

static int deaf(void *arg)
{
    (void)arg;
    (void)atomic_fetch_add(&tally->started, 1);
    gg_clock_sleep_ms(60000);
    return 0;
}

START_TEST(patience_has_an_end)
{
    struct gg_prefork p = {.workers = 2, .patience_s = 1, .work = deaf};
    int status;

    pid_t master = start_master(&p);
    ck_assert(wait_for(&tally->started, 2));
    int64_t start_ms = gg_clock_mono_ms();
    ck_assert_int_eq(kill(master, SIGTERM), 0);
    ck_assert_int_eq(waitpid(master, &status, 0), master);
    ck_assert(WIFEXITED(status));
    ck_assert_int_lt(gg_clock_mono_ms() - start_ms, 4000);
}
END_TEST

static int steady(void *arg)
{
    (void)arg;
    (void)atomic_fetch_add(&tally->started, 1);
    while (!*signals.stop)
        (void)sigsuspend(&signals.wait_mask);
    (void)atomic_fetch_add(&tally->finished, 1);
    return 0;
}

/* The first is refused. */
static bool reload(void *arg)
{
    (void)arg;
    return atomic_fetch_add(&tally->reloads, 1) > 0;
}

/* promise: faults/worker: SIGHUP reads the configuration again, without a dropped request */
START_TEST(a_reload_replaces_the_workers)
{
    struct gg_prefork p = {.workers = 2, .patience_s = 5, .work = steady, .reload = reload};
    int status;

    pid_t master = start_master(&p);
    ck_assert(wait_for(&tally->started, 2));
    ck_assert_int_eq(kill(master, SIGHUP), 0);
    ck_assert(wait_for(&tally->reloads, 1));
    ck_assert_int_eq(kill(master, SIGHUP), 0);
    ck_assert(wait_for(&tally->started, 4));
    ck_assert_int_eq(atomic_load(&tally->finished), 2);
    ck_assert_int_eq(kill(master, SIGTERM), 0);
    ck_assert_int_eq(waitpid(master, &status, 0), master);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(atomic_load(&tally->finished), 4);
}
END_TEST

static void inherit(void *arg)
{
    (void)arg;
    (void)atomic_fetch_add(&tally->heirs, 1);
}

static void kill_master(struct gg_prefork *p, int heirs)
{
    pid_t master = start_master(p);
    ck_assert(wait_for(&tally->started, 3));
    ck_assert_int_eq(kill(master, SIGKILL), 0);
    ck_assert_int_eq(waitpid(master, NULL, 0), master);
    ck_assert(wait_for(&tally->finished, 3));
    ck_assert(heirs == 0 || wait_for(&tally->heirs, heirs));
    gg_clock_sleep_ms(200);
    ck_assert_int_eq(atomic_load(&tally->heirs), heirs);
}

START_TEST(a_killed_master_has_one_heir)
{
    struct gg_prefork p = {.workers = 3, .patience_s = 5, .work = steady, .inherit = inherit};

    kill_master(&p, 1);
    p.inherit = NULL;
    kill_master(&p, 0);
}
END_TEST

/* Only a worker that has no master any more is an heir, and not where the service was to stop. */
START_TEST(no_heir_while_there_is_a_master)
{
    struct gg_prefork p = {.workers = 2, .patience_s = 5, .work = steady, .inherit = inherit};
    int status;

    pid_t master = start_master(&p);
    ck_assert(wait_for(&tally->started, 2));
    ck_assert_int_eq(kill(master, SIGUSR2), 0);
    gg_clock_sleep_ms(500);
    ck_assert_int_eq(atomic_load(&tally->finished), 0);
    ck_assert_int_eq(atomic_load(&tally->started), 2);
    ck_assert_int_eq(kill(master, SIGTERM), 0);
    ck_assert_int_eq(waitpid(master, &status, 0), master);
    ck_assert_int_eq(atomic_load(&tally->finished), 2);
    ck_assert_int_eq(atomic_load(&tally->heirs), 0);
}
END_TEST

static int slow(void *arg)
{
    (void)steady(arg);
    gg_clock_sleep_ms(700);
    (void)atomic_fetch_add(&tally->finished, 10);
    return 0;
}

START_TEST(no_heir_after_an_ordered_stop)
{
    struct gg_prefork p = {.workers = 2, .patience_s = 5, .work = slow, .inherit = inherit};

    pid_t master = start_master(&p);
    ck_assert(wait_for(&tally->started, 2));
    ck_assert_int_eq(kill(master, SIGTERM), 0);
    ck_assert(wait_for(&tally->finished, 2));
    ck_assert_int_eq(kill(master, SIGKILL), 0);
    ck_assert_int_eq(waitpid(master, NULL, 0), master);
    ck_assert(wait_for(&tally->finished, 22));
    gg_clock_sleep_ms(200);
    ck_assert_int_eq(atomic_load(&tally->heirs), 0);
}
END_TEST

START_TEST(an_heir_ends_with_whom_it_watches)
{
    struct gg_prefork p = {.workers = 2, .patience_s = 5, .work = steady};
    int status;

    p.watched = fork();
    if (p.watched == 0)
        for (;;)
            (void)pause();
    pid_t master = start_master(&p);
    ck_assert(wait_for(&tally->started, 2));
    ck_assert_int_eq(kill(p.watched, SIGKILL), 0);
    ck_assert_int_eq(waitpid(p.watched, NULL, 0), p.watched);
    ck_assert_int_eq(waitpid(master, &status, 0), master);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(atomic_load(&tally->finished), 2);
}
END_TEST

GG_UNIT_MAIN("app/prefork", unix_sockets, other_files_stay, tcp_sockets, listening_or_not,
             workers_are_replaced_and_finish, patience_has_an_end, a_reload_replaces_the_workers,
             a_killed_master_has_one_heir, no_heir_while_there_is_a_master,
             no_heir_after_an_ordered_stop, an_heir_ends_with_whom_it_watches)
