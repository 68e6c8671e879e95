/* SPDX-License-Identifier: MIT */
/*
 * A Graph that takes its time: delay PORT MS FILE answers each GET with the file after so many
 * milliseconds, any number at once, in one thread that hardly works. GET /count answers at once,
 * how many GETs there were before it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINKS     8192
#define HEAD      16384
#define FILE_MAX  (256 * 1024)
#define SEND_ROOM (2 * FILE_MAX) /* a whole answer fits, so that a write is never short */

/* What has come of a connection's request; every answer waits equally long, so they are due in
 * order. */
static struct link {
    char head[HEAD];
    size_t n;
    unsigned generation;
} links[LINKS];

static struct due {
    int fd;
    unsigned generation;
    long long at_ms;
} queue[LINKS];
static size_t first;
static size_t last;

static char answer[FILE_MAX + 512];
static size_t answer_bytes;
static long long delay_ms;
static long count;

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static long long now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void make_answer(const char *path)
{
    static char body[FILE_MAX];
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        die(path);
    size_t n = fread(body, 1, sizeof body, file);
    (void)fclose(file);
    int head = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        n);
    memcpy(answer + head, body, n);
    answer_bytes = (size_t)head + n;
}

static int open_listener(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, LINKS) != 0)
        die("listen");
    return fd;
}

static void accept_all(int epoll, int listener)
{
    int room = SEND_ROOM;
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event wanted = {.events = EPOLLIN, .data = {.fd = fd}};
        if (fd >= LINKS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) != 0) {
            (void)close(fd);
            continue;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        links[fd].n = 0;
        links[fd].generation++;
    }
}

static void tell_count(int fd)
{
    char text[128];
    char number[32];
    int n = snprintf(number, sizeof number, "%ld", count);
    int all =
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, number);

    if (write(fd, text, (size_t)all) != all)
        die("write");
}

/* One request at a time is on a connection: nobody who asks Graph pipelines. */
static void take_request(int fd)
{
    struct link *link = &links[fd];
    ssize_t got = read(fd, link->head + link->n, sizeof link->head - 1 - link->n);

    if (got <= 0) {
        link->generation++;
        (void)close(fd);
        return;
    }
    link->n += (size_t)got;
    link->head[link->n] = '\0';
    if (strstr(link->head, "\r\n\r\n") == NULL)
        return;
    link->n = 0;
    if (strncmp(link->head, "GET /count ", 11) == 0) {
        tell_count(fd);
        return;
    }
    count++;
    queue[last++ % LINKS] = (struct due){fd, link->generation, now_ms() + delay_ms};
}

static int answer_due(void)
{
    for (; first != last; first++) {
        const struct due *due = &queue[first % LINKS];
        long long left_ms = due->at_ms - now_ms();
        if (left_ms > 0)
            return (int)left_ms;
        if (links[due->fd].generation == due->generation &&
            write(due->fd, answer, answer_bytes) != (ssize_t)answer_bytes)
            (void)shutdown(due->fd, SHUT_RDWR);
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];

    if (argc != 4) {
        (void)fputs("usage: delay PORT MS FILE\n", stderr);
        return EXIT_FAILURE;
    }
    delay_ms = strtoll(argv[2], NULL, 10);
    make_answer(argv[3]);
    int listener = open_listener((int)strtol(argv[1], NULL, 10));
    int epoll = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN, .data = {.fd = listener}};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted) != 0)
        die("epoll");
    for (;;) {
        int n = epoll_wait(epoll, events, 256, answer_due());
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                take_request(events[i].data.fd);
        }
    }
}
