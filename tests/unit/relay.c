/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct relay {
    const char *path;
    struct sockaddr_in address;
    int fd; /* bound; listens only in the process that is up */
    pid_t pid;
    atomic_int *taken;
};

static void bind_it(struct relay *r)
{
    int yes = 1;
    socklen_t n = sizeof r->address;

    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ck_assert(bind(r->fd, (struct sockaddr *)&r->address, n) == 0);
    ck_assert(getsockname(r->fd, (struct sockaddr *)&r->address, &n) == 0);
}

static void end(void *arg)
{
    struct relay *r = arg;

    relay_down(r);
    (void)close(r->fd);
    (void)munmap(r->taken, sizeof *r->taken);
}

struct relay *relay_open(struct gg_arena *a, const char *path)
{
    struct relay *r = gg_arena_alloc(a, sizeof *r);

    *r = (struct relay){.path = path, .address = {.sin_family = AF_INET}};
    r->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->taken =
        mmap(NULL, sizeof *r->taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(r->taken != MAP_FAILED);
    bind_it(r);
    gg_arena_defer(a, end, r);
    return r;
}

unsigned relay_port(const struct relay *r)
{
    return ntohs(r->address.sin_port);
}

int relay_taken(const struct relay *r)
{
    return atomic_load(r->taken);
}

static bool pass(int from, int to)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof bytes);

    return n > 0 && write(to, bytes, (size_t)n) == n;
}

/* One connection, until either side ends it. */
static void carry(const struct relay *r, int client)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", r->path);
    bool ok = connect(server, (struct sockaddr *)&to, sizeof to) == 0;
    struct pollfd both[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    while (ok && poll(both, 2, -1) > 0)
        ok = (both[0].revents == 0 || pass(client, server)) &&
             (both[1].revents == 0 || pass(server, client));
    (void)close(server);
    (void)close(client);
}

void relay_up(struct relay *r)
{
    ck_assert(listen(r->fd, 8) == 0);
    r->pid = fork();
    ck_assert_int_ge(r->pid, 0);
    if (r->pid > 0)
        return;
    (void)setpgid(0, 0);
    for (;;) {
        int client = accept(r->fd, NULL, NULL);
        if (client < 0)
            _exit(1);
        atomic_fetch_add(r->taken, 1);
        if (fork() == 0) {
            (void)close(r->fd);
            carry(r, client);
            _exit(0);
        }
        (void)close(client);
    }
}

void relay_down(struct relay *r)
{
    if (r->pid <= 0)
        return;
    (void)setpgid(r->pid, r->pid);
    (void)kill(-r->pid, SIGKILL);
    (void)waitpid(r->pid, NULL, 0);
    r->pid = 0;
}
