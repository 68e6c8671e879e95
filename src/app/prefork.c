/* SPDX-License-Identifier: MIT */
#include "gg/app/prefork.h"

#include "gg/base/arena.h"
#include "gg/base/clock.h"
#include "gg/base/log.h"
#include "gg/base/str.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG     1024
#define WORKERS_MAX 4096
/* A worker that ends sooner than this, and not well, is not replaced before it. */
#define SHORT_LIFE_MS 1000

static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static volatile sig_atomic_t orphaned;

static void on_orphan(int signal)
{
    (void)signal;
    orphaned = 1;
    stop = 1;
}

static bool fail(const char *doing, struct gg_err *err)
{
    return gg_fail(err, GG_EINTERNAL, "%s: %s", doing, strerror(errno));
}

static bool bind_unix(const char *path, int *fd, struct gg_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) == 0 || strlen(path) >= sizeof address.sun_path)
        return gg_fail(err, GG_EINTERNAL, "the socket's path must have 1 to %zu bytes",
                       sizeof address.sun_path - 1);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return fail("socket", err);
    /* One that a killed process left behind; nothing else is ever removed. */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(*fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED)
        (void)unlink(path);
    mode_t mask = umask(0117);
    int result = bind(*fd, (struct sockaddr *)&address, sizeof address);
    (void)umask(mask);
    return result == 0 || fail("bind", err);
}

static bool bind_first(const struct addrinfo *list, int *fd, struct gg_err *err)
{
    int yes = 1;

    *fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return fail("socket", err);
    (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return bind(*fd, list->ai_addr, list->ai_addrlen) == 0 || fail("bind", err);
}

static bool bind_tcp(const char *where, int *fd, struct gg_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list;
    char host[256];
    const char *colon = strrchr(where, ':');
    int64_t port;

    if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof host ||
        !gg_str_parse_int(gg_str_of(colon + 1), 1, 65535, &port))
        return gg_fail(err, GG_EINTERNAL, "must be unix:PATH or HOST:PORT");
    struct gg_str name = {where, (size_t)(colon - where)};
    if (name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = (struct gg_str){name.p + 1, name.n - 2};
    (void)snprintf(host, sizeof host, "%.*s", GG_STR_ARG(name));
    int code = getaddrinfo(host, colon + 1, &hints, &list);
    if (code != 0)
        return gg_fail(err, GG_EINTERNAL, "%s", gai_strerror(code));
    bool ok = bind_first(list, fd, err);
    freeaddrinfo(list);
    return ok;
}

bool gg_prefork_listen(const char *where, int *fd, struct gg_err *err)
{
    const char *prefix = "unix:";
    bool is_unix = strncmp(where, prefix, strlen(prefix)) == 0;

    if (!(is_unix ? bind_unix(where + strlen(prefix), fd, err) : bind_tcp(where, fd, err)))
        return false;
    return listen(*fd, BACKLOG) == 0 || fail("listen", err);
}

bool gg_prefork_is_listening(int fd)
{
    int listening = 0;
    socklen_t n = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 && listening != 0;
}

void gg_prefork_catch(struct gg_prefork_signals *signals)
{
    static const int caught[] = {SIGTERM, SIGUSR1, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_stop};
    sigset_t block;

    (void)signal(SIGPIPE, SIG_IGN);
    /* A parent that ignores it hands that down, and no worker's end would ever be told. */
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&block);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        (void)sigaddset(&block, caught[i]);
        (void)sigaction(caught[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &block, &signals->wait_mask);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        (void)sigdelset(&signals->wait_mask, caught[i]);
    signals->stop = &stop;
}

/* One place for a worker. */
struct place {
    pid_t pid; /* 0: nobody */
    int64_t since_ms;
    int64_t not_before_ms;
};

/* Whether this one takes the killed master's place. The signal alone may be anybody's. */
static bool is_heir(const struct gg_prefork *p, pid_t master)
{
    return orphaned && getppid() != master && p->inherit != NULL &&
           atomic_exchange(p->throne, 1) == 0;
}

/* A worker's life. When its master is killed it finishes the request in hand, like all of them. */
static int live(const struct gg_prefork *p, pid_t master)
{
    int status = EXIT_SUCCESS;
    sigset_t orphan;

    (void)prctl(PR_SET_PDEATHSIG, SIGUSR2);
    (void)sigemptyset(&orphan);
    (void)sigaddset(&orphan, SIGUSR2);
    (void)sigprocmask(SIG_UNBLOCK, &orphan, NULL);
    /* Also when the master was killed between the fork and this line. */
    if (getppid() == master)
        status = p->work(p->arg);
    else
        orphaned = 1;
    if (is_heir(p, master)) {
        (void)prctl(PR_SET_PDEATHSIG, 0);
        p->inherit(p->arg);
    }
    return status;
}

static void start(const struct gg_prefork *p, struct place *place)
{
    pid_t master = getpid();
    pid_t pid = fork();

    if (pid == 0)
        exit(live(p, master));
    place->since_ms = gg_clock_mono_ms();
    place->pid = pid > 0 ? pid : 0;
    if (pid < 0) {
        gg_log(GG_ERROR, "worker.start", "reason=\"%s\"", strerror(errno));
        place->not_before_ms = place->since_ms + SHORT_LIFE_MS;
    }
}

static void note_end(struct place *places, int count, pid_t pid, int status)
{
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    for (int i = 0; i < count; i++) {
        if (places[i].pid != pid)
            continue;
        places[i].pid = 0;
        if (!well && gg_clock_mono_ms() - places[i].since_ms < SHORT_LIFE_MS)
            places[i].not_before_ms = places[i].since_ms + SHORT_LIFE_MS;
    }
    if (WIFSIGNALED(status))
        gg_log(GG_ERROR, "worker.end", "worker=%ld signal=%d", (long)pid, WTERMSIG(status));
    else if (!well)
        gg_log(GG_ERROR, "worker.end", "worker=%ld status=%d", (long)pid, WEXITSTATUS(status));
}

static void collect(struct place *places, int count)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        note_end(places, count, pid, status);
}

static int count_alive(const struct place *places, int count)
{
    int alive = 0;

    for (int i = 0; i < count; i++)
        alive += places[i].pid > 0;
    return alive;
}

static void send_all(const struct place *places, int count, int signal)
{
    for (int i = 0; i < count; i++)
        if (places[i].pid > 0)
            (void)kill(places[i].pid, signal);
}

static void end_all(struct place *places, int count, int patience_s)
{
    struct gg_deadline deadline = gg_deadline_in((int64_t)patience_s * 1000);

    send_all(places, count, SIGTERM);
    for (collect(places, count); count_alive(places, count) > 0; collect(places, count)) {
        if (gg_deadline_left_ms(deadline) == 0)
            send_all(places, count, SIGKILL);
        gg_clock_sleep_ms(10);
    }
}

/* True when the process is gone that a master outside of its care was told to look at. */
static bool is_alone(const struct gg_prefork *p)
{
    return p->watched > 0 && kill(p->watched, 0) != 0 && errno == ESRCH;
}

static void catch_all(sigset_t *wake)
{
    static const int caught[] = {SIGCHLD, SIGTERM, SIGUSR1, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_orphan, .sa_flags = SA_RESTART};
    sigset_t orphan;

    (void)sigaction(SIGUSR2, &action, NULL);
    (void)sigemptyset(wake);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        (void)sigaddset(wake, caught[i]);
    (void)sigprocmask(SIG_BLOCK, wake, NULL);
    /* A worker's signal: sent to the master it says nothing, and must not mark those it forks. */
    (void)sigemptyset(&orphan);
    (void)sigaddset(&orphan, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &orphan, NULL);
}

int gg_prefork_run(struct gg_prefork *p)
{
    struct gg_arena *a = gg_arena_open();
    int count = p->workers < WORKERS_MAX ? p->workers : WORKERS_MAX;
    struct place *places = gg_arena_alloc(a, (size_t)count * sizeof *places);
    const struct timespec tick = {.tv_nsec = 200L * 1000 * 1000};
    sigset_t wake;

    p->throne =
        mmap(NULL, sizeof *p->throne, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->throne == MAP_FAILED)
        p->inherit = NULL;
    catch_all(&wake);
    while (!is_alone(p)) {
        for (int i = 0; i < count; i++)
            if (places[i].pid == 0 && places[i].not_before_ms <= gg_clock_mono_ms())
                start(p, &places[i]);
        int got = sigtimedwait(&wake, NULL, &tick);
        /* The socket stays open, and each worker finishes what it has: nobody is turned away. */
        if (got == SIGHUP && p->reload != NULL) {
            if (p->reload(p->arg))
                send_all(places, count, SIGTERM);
        } else if (got > 0 && got != SIGCHLD) {
            break;
        }
        collect(places, count);
    }
    /* Who stops it and then kills it means it. */
    if (p->inherit != NULL)
        atomic_store(p->throne, 1);
    end_all(places, count, p->patience_s);
    gg_arena_close(a);
    return EXIT_SUCCESS;
}
