/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include "unit.h"

#include "gg/base/clock.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS_MAX          16
#define REQUESTS_MAX      64
#define REQUEST_BYTES_MAX 16384

/* What the server's processes tell the test. */
struct shared {
    atomic_int connections;
    atomic_int requests;
    atomic_int given[ROWS_MAX];
    char texts[REQUESTS_MAX][REQUEST_BYTES_MAX];
};

struct loopback {
    struct gg_arena *arena;
    int listen_fd;
    pid_t pid; /* 0: nobody serves */
    char url[64];
    struct sockaddr_in address;
    struct shared *shared;
    const struct loopback_answer *answers;
    size_t count;
};

static void listen_again(struct loopback *l)
{
    int yes = 1;
    socklen_t n = sizeof l->address;

    l->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(l->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ck_assert(bind(l->listen_fd, (struct sockaddr *)&l->address, n) == 0);
    ck_assert(getsockname(l->listen_fd, (struct sockaddr *)&l->address, &n) == 0);
    ck_assert(listen(l->listen_fd, 64) == 0);
}

static void end_processes(struct loopback *l)
{
    if (l->pid > 0) {
        (void)kill(-l->pid, SIGKILL);
        (void)waitpid(l->pid, NULL, 0);
    }
    l->pid = 0;
}

void loopback_stop(struct loopback *l)
{
    end_processes(l);
    if (l->listen_fd >= 0)
        (void)close(l->listen_fd);
    l->listen_fd = -1;
}

static void end(void *arg)
{
    struct loopback *l = arg;

    loopback_stop(l);
    (void)munmap(l->shared, sizeof *l->shared);
}

struct loopback *loopback_open(struct gg_arena *a)
{
    struct loopback *l = gg_arena_alloc(a, sizeof *l);

    l->arena = a;
    l->address = (struct sockaddr_in){.sin_family = AF_INET};
    l->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->shared =
        mmap(NULL, sizeof *l->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(l->shared != MAP_FAILED);
    gg_arena_defer(a, end, l);
    listen_again(l);
    (void)snprintf(l->url, sizeof l->url, "http://127.0.0.1:%d", ntohs(l->address.sin_port));
    return l;
}

const char *loopback_url(const struct loopback *l)
{
    return l->url;
}

/* One whole request into text; false at the end of the connection. */
static bool read_request(int fd, char *text)
{
    size_t n = 0;
    size_t want = 0;

    memset(text, 0, REQUEST_BYTES_MAX);
    while (n + 1 < REQUEST_BYTES_MAX && (want == 0 || n < want)) {
        ssize_t got = read(fd, text + n, want == 0 ? 1 : want - n);
        /* The end, or TLS. */
        if (got <= 0 || text[0] < 'A')
            return false;
        n += (size_t)got;
        const char *end_of_head = want == 0 ? strstr(text, "\r\n\r\n") : NULL;
        if (end_of_head == NULL)
            continue;
        const char *length = strcasestr(text, "\r\nContent-Length:");
        want = n + (length == NULL ? 0 : strtoul(length + 17, NULL, 10));
    }
    return want > 0 && n == want;
}

static const struct loopback_answer *choose(struct loopback *l, const char *text)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct loopback_answer *row = &l->answers[i];
        if (row->match != NULL && strstr(text, row->match) == NULL)
            continue;
        if (atomic_fetch_add(&l->shared->given[i], 1) < row->times || row->times == 0)
            return row;
        (void)atomic_fetch_sub(&l->shared->given[i], 1);
    }
    return NULL;
}

static bool send_all(int fd, struct gg_str s)
{
    while (s.n > 0) {
        ssize_t put = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        s = gg_str_skip(s, (size_t)put);
    }
    return true;
}

/* False when the connection is to end. */
static bool answer(int fd, const struct loopback_answer *row)
{
    static const struct loopback_answer none = {.status = 500, .body = "no row fits"};
    char head[4096];

    row = row == NULL ? &none : row;
    if (row->raw != NULL) {
        (void)send_all(fd, gg_str_of(row->raw));
        return false;
    }
    struct gg_str body = gg_str_of(row->body == NULL ? "" : row->body);
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n",
                     row->status == 0 ? 200 : row->status,
                     row->headers == NULL ? "Content-Type: application/json\r\n" : row->headers,
                     body.n);
    if (!send_all(fd, (struct gg_str){head, (size_t)n}))
        return false;
    if (row->wait_ms > 0)
        gg_clock_sleep_ms(row->wait_ms);
    return send_all(fd, body);
}

static void serve_connection(struct loopback *l, int fd)
{
    static char text[REQUEST_BYTES_MAX];

    while (read_request(fd, text)) {
        int i = atomic_fetch_add(&l->shared->requests, 1);
        if (i < REQUESTS_MAX)
            memcpy(l->shared->texts[i], text, sizeof text);
        if (!answer(fd, choose(l, text)))
            break;
    }
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

/* A test that fails ends at once, and closes nothing. */
static void end_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void run(struct loopback *l)
{
    (void)setpgid(0, 0);
    end_with_parent();
    (void)signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(l->listen_fd, NULL, NULL);
        if (fd < 0)
            _exit(1);
        (void)atomic_fetch_add(&l->shared->connections, 1);
        if (fork() == 0) {
            end_with_parent();
            (void)close(l->listen_fd);
            serve_connection(l, fd);
            _exit(0);
        }
        (void)close(fd);
    }
}

void loopback_serve(struct loopback *l, const struct loopback_answer *answers, size_t count)
{
    ck_assert(count <= ROWS_MAX);
    end_processes(l);
    if (l->listen_fd < 0)
        listen_again(l);
    memset(l->shared, 0, sizeof *l->shared);
    l->answers = answers;
    l->count = count;
    l->pid = fork();
    ck_assert(l->pid >= 0);
    if (l->pid == 0)
        run(l);
    (void)setpgid(l->pid, l->pid);
}

int loopback_connections(const struct loopback *l)
{
    return atomic_load(&l->shared->connections);
}

int loopback_requests(const struct loopback *l)
{
    return atomic_load(&l->shared->requests);
}

int loopback_given(const struct loopback *l, size_t row)
{
    return atomic_load(&l->shared->given[row]);
}

const char *loopback_request(const struct loopback *l, int i)
{
    return i < REQUESTS_MAX ? l->shared->texts[i] : "";
}
