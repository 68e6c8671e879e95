/* SPDX-License-Identifier: MIT */
#include "records.h"

#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX ((size_t)4 * 1024 * 1024)

int records_listen(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    ck_assert(listen(fd, 16) == 0);
    return fd;
}

int records_connect(int listen_fd)
{
    struct sockaddr_un address;
    socklen_t n = sizeof address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert(getsockname(listen_fd, (struct sockaddr *)&address, &n) == 0);
    ck_assert(connect(fd, (struct sockaddr *)&address, n) == 0);
    return fd;
}

void records_add(struct gg_buf *b, enum records_type type, struct gg_str content)
{
    do {
        size_t n = content.n > 60000 ? 60000 : content.n;
        const unsigned char head[8] = {1, (unsigned char)type,     0,
                                       1, (unsigned char)(n >> 8), (unsigned char)(n & 0xff)};
        gg_buf_add(b, (struct gg_str){(const char *)head, sizeof head});
        gg_buf_add(b, (struct gg_str){content.p, n});
        content = gg_str_skip(content, n);
    } while (content.n > 0);
}

static void add_length(struct gg_buf *b, size_t n)
{
    if (n >= 128)
        for (int shift = 24; shift > 0; shift -= 8)
            gg_buf_add_char(b, (char)((n >> shift & 0xff) | (shift == 24 ? 0x80 : 0)));
    gg_buf_add_char(b, (char)(n & 0xff));
}

struct gg_str records_request(struct gg_arena *a, const char *const *params, struct gg_str body)
{
    static const char begin[8] = {0, 1, 1}; /* responder; keep the connection */
    struct gg_buf pairs;
    struct gg_buf b;

    gg_buf_init(&pairs, a, REQUEST_BYTES_MAX);
    for (; params[0] != NULL; params += 2) {
        add_length(&pairs, strlen(params[0]));
        add_length(&pairs, strlen(params[1]));
        gg_buf_add_text(&pairs, params[0]);
        gg_buf_add_text(&pairs, params[1]);
    }
    gg_buf_init(&b, a, REQUEST_BYTES_MAX);
    records_add(&b, RECORDS_BEGIN, (struct gg_str){begin, sizeof begin});
    if (pairs.n > 0)
        records_add(&b, RECORDS_PARAMS, gg_buf_str(&pairs));
    records_add(&b, RECORDS_PARAMS, GG_STR(""));
    if (body.n > 0)
        records_add(&b, RECORDS_STDIN, body);
    records_add(&b, RECORDS_STDIN, GG_STR(""));
    return gg_buf_str(&b);
}

bool records_write(int fd, struct gg_str bytes)
{
    while (bytes.n > 0) {
        ssize_t put = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes = gg_str_skip(bytes, (size_t)put);
    }
    return true;
}

static bool read_all(int fd, unsigned char *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, to + at, n - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

struct gg_str records_read(struct gg_arena *a, int fd)
{
    struct gg_buf out;
    unsigned char head[8];
    static unsigned char content[65536 + 256];

    gg_buf_init(&out, a, REQUEST_BYTES_MAX);
    while (read_all(fd, head, sizeof head)) {
        size_t n = (size_t)head[4] << 8 | head[5];
        if (!read_all(fd, content, n + head[6]))
            break;
        if (head[1] == RECORDS_STDOUT)
            gg_buf_add(&out, (struct gg_str){(char *)content, n});
        else if (head[1] == RECORDS_END)
            return gg_buf_str(&out);
    }
    return (struct gg_str){NULL, 0};
}

bool records_accept(struct gg_fcgi *f, struct gg_arena *a, int fd, const char *const *params,
                    struct gg_str body)
{
    static const volatile sig_atomic_t never = 0;
    struct gg_err err;
    sigset_t mask;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    return records_write(fd, records_request(a, params, body)) &&
           gg_fcgi_accept(f, &mask, &never, &err);
}

static void close_fcgi(void *f)
{
    gg_fcgi_close(f);
}

struct gg_fcgi *records_open(struct gg_arena *a, int *fd)
{
    int listen_fd = records_listen();
    struct gg_fcgi *f = gg_fcgi_open(listen_fd);

    gg_arena_defer(a, close_fcgi, f);
    *fd = records_connect(listen_fd);
    return f;
}
