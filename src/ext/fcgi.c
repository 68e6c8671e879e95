/* SPDX-License-Identifier: MIT */
#include "gg/ext/fcgi.h"

#include "gg/base/clock.h"
#include "gg/base/secret.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* How long the web server may take over one read or write; it buffers for slow clients. */
#define IO_TIMEOUT_S 10
/* And over a whole body, where it does not: a client that sends a byte a second. */
#define BODY_TIMEOUT_S 20
/* And over the whole of an answer. */
#define ANSWER_TIMEOUT_S 60

/* A connection that woke a worker which was killed before it took it is found after so long. */
#define LOOK_AGAIN_MS 2000

/* Of a request that was answered before it was read, so much is read before its connection ends. */
#define REST_READS_MAX 64

/* What one record holds; the protocol has it in 16 bits, and likes a multiple of 8. */
#define RECORD_BYTES ((size_t)0xfff8)

struct gg_fcgi {
    int listen_fd;
    int epoll_fd; /* of the listening socket alone */
    FCGX_Request request;
    struct gg_fcgi_idle idle;
    /* Since the last request: it has not been called, or has not done all, or has. */
    enum { ACTIVE, UNFINISHED, IDLE } state;
};

struct gg_fcgi *gg_fcgi_open(int listen_fd)
{
    struct gg_fcgi *f = calloc(1, sizeof *f);

    if (f == NULL || FCGX_Init() != 0)
        abort();
    f->listen_fd = listen_fd;
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (f->epoll_fd < 0 || epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, listen_fd, &wanted) != 0)
        abort();
    /* Who finds the connection gone, which another took, must not wait in accept. */
    (void)fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
    /*
     * The library is given connections, not the listening socket: its own accept cannot wait for
     * a signal without a race, and sets no time-outs.
     */
    (void)FCGX_InitRequest(&f->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
    return f;
}

void gg_fcgi_close(struct gg_fcgi *f)
{
    if (f == NULL)
        return;
    FCGX_Finish_r(&f->request);
    FCGX_Free(&f->request, 1);
    (void)close(f->epoll_fd);
    free(f);
}

void gg_fcgi_set_idle(struct gg_fcgi *f, struct gg_fcgi_idle idle)
{
    f->idle = idle;
}

static bool is_to_become_idle(const struct gg_fcgi *f)
{
    return f->idle.call != NULL && f->state != IDLE;
}

static int idle_after_ms(const struct gg_fcgi *f)
{
    return f->state == UNFINISHED ? LOOK_AGAIN_MS : f->idle.after_ms;
}

static void become_idle(struct gg_fcgi *f)
{
    if (is_to_become_idle(f))
        f->state = f->idle.call(f->idle.arg) ? IDLE : UNFINISHED;
}

enum { NONE_YET = -1, NO_USE = -2 };

/* A connection; NONE_YET, or NO_USE when the listening socket is of none. */
static int accept_one(struct gg_fcgi *f)
{
    struct timeval limit = {.tv_sec = IO_TIMEOUT_S};
    int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return errno == EBADF || errno == EINVAL || errno == ENOTSOCK ? NO_USE : NONE_YET;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

/* ppoll lets a waiting signal in only when there is nothing to read: under load, never. */
static bool is_stopped(const sigset_t *wait_mask, const volatile sig_atomic_t *stop)
{
    sigset_t waiting;
    sigset_t held;

    if (*stop || (sigpending(&waiting) == 0 && sigisemptyset(&waiting)))
        return *stop;
    (void)sigprocmask(SIG_SETMASK, wait_mask, &held);
    (void)sigprocmask(SIG_SETMASK, &held, NULL);
    return *stop;
}

/* One connection wakes one of the workers that wait here, not all of them. */
static int wait_for_any(struct gg_fcgi *f, const sigset_t *wait_mask)
{
    struct epoll_event ready;
    int wait_ms = is_to_become_idle(f) ? idle_after_ms(f) : LOOK_AGAIN_MS;
    int count = epoll_pwait(f->epoll_fd, &ready, 1, wait_ms, wait_mask);

    if (count < 0)
        return errno == EINTR ? NONE_YET : NO_USE;
    if (count == 0)
        become_idle(f);
    return accept_one(f);
}

/* Closed here: the library would wait two seconds for the web server to do it. */
static void drop_connection(struct gg_fcgi *f)
{
    (void)close(f->request.ipcFd);
    f->request.ipcFd = -1;
    FCGX_Free(&f->request, 0);
}

/*
 * The connection to read from next. One that the web server keeps open is given up when it is
 * silent while another waits: it would hold this worker.
 */
static int next_connection(struct gg_fcgi *f, const sigset_t *wait_mask)
{
    struct pollfd p[] = {{.fd = f->listen_fd, .events = POLLIN},
                         {.fd = f->request.ipcFd, .events = POLLIN}};

    if (f->request.ipcFd < 0)
        return wait_for_any(f, wait_mask);
    const struct timespec soon = {.tv_sec = idle_after_ms(f) / 1000,
                                  .tv_nsec = idle_after_ms(f) % 1000 * 1000000L};
    int count = ppoll(p, 2, is_to_become_idle(f) ? &soon : NULL, wait_mask);
    if (count < 0)
        return errno == EINTR ? NONE_YET : NO_USE;
    if (count == 0) {
        become_idle(f);
        return NONE_YET;
    }
    if (p[1].revents != 0)
        return f->request.ipcFd;
    drop_connection(f);
    return accept_one(f);
}

/* The request of this connection. */
static bool begin(struct gg_fcgi *f, int fd)
{
    f->request.ipcFd = fd;
    /* Else FCGX_Accept_r, which first ends the request before, closes it. */
    f->request.keepConnection = 1;
    if (FCGX_Accept_r(&f->request) != 0)
        return false;
    f->state = ACTIVE;
    return true;
}

bool gg_fcgi_accept(struct gg_fcgi *f, const sigset_t *wait_mask, const volatile sig_atomic_t *stop,
                    struct gg_err *err)
{
    while (!is_stopped(wait_mask, stop)) {
        int fd = next_connection(f, wait_mask);
        if (fd == NO_USE)
            return gg_fail(err, GG_EINTERNAL, "the listening socket: %s", strerror(errno));
        if (fd >= 0 && begin(f, fd))
            return true;
    }
    *err = (struct gg_err){.code = GG_OK};
    return false;
}

bool gg_fcgi_accept_waiting(struct gg_fcgi *f)
{
    int fd;

    if (f->request.ipcFd >= 0)
        drop_connection(f);
    do {
        fd = accept_one(f);
        if (fd >= 0 && begin(f, fd))
            return true;
    } while (fd >= 0);
    return false;
}

struct gg_str gg_fcgi_param(const struct gg_fcgi *f, const char *name)
{
    return gg_str_of(FCGX_GetParam(name, f->request.envp));
}

/* What has come already, or one byte that is waited for: so that the caller sees the time pass. */
static int read_some(FCGX_Stream *in, char *p, size_t n)
{
    size_t there = (size_t)(in->stop - in->rdNext);

    return FCGX_GetStr(p, (int)(there == 0 ? 1 : there < n ? there : n), in);
}

bool gg_fcgi_read(struct gg_fcgi *f, struct gg_arena *a, size_t length, struct gg_str *body,
                  struct gg_err *err)
{
    struct gg_deadline deadline = gg_deadline_in(BODY_TIMEOUT_S * 1000);
    char *p = gg_arena_alloc(a, length + 1);
    size_t n = 0;

    while (n < length) {
        int got = read_some(f->request.in, p + n, length - n);
        if (got <= 0 || gg_deadline_left_ms(deadline) == 0)
            return gg_fail(err, GG_EINVALIDJSON, "the body %s after %zu of %zu bytes",
                           got <= 0 ? "ended" : "was given up", n, length);
        n += (size_t)got;
    }
    *body = (struct gg_str){p, n};
    return true;
}

/* Whether the web server has sent all of the request: what is left of it is read, never waited for.
 */
static bool has_all_come(struct gg_fcgi *f)
{
    char rest[4096];
    int got = 0;

    (void)fcntl(f->request.ipcFd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < REST_READS_MAX && (got = FCGX_GetStr(rest, sizeof rest, f->request.in)) > 0;
         i++)
        gg_wipe(rest, (size_t)got);
    return got == 0 && FCGX_GetError(f->request.in) == 0;
}

/*
 * To close a connection the library waits up to two seconds for the web server to do it first, as
 * bytes that come later would make TCP drop the answer. Where none can come there is no need.
 */
static void end(struct gg_fcgi *f)
{
    FCGX_Request *r = &f->request;

    if (!r->keepConnection && has_all_come(f))
        drop_connection(f);
    else
        FCGX_Free(r, !r->keepConnection || FCGX_GetError(r->in) != 0);
}

static FCGI_Header make_header(const struct gg_fcgi *f, unsigned char type, size_t n)
{
    return (FCGI_Header){.version = FCGI_VERSION_1,
                         .type = type,
                         .requestIdB1 = (unsigned char)(f->request.requestId >> 8),
                         .requestIdB0 = (unsigned char)f->request.requestId,
                         .contentLengthB1 = (unsigned char)(n >> 8),
                         .contentLengthB0 = (unsigned char)n};
}

/* Takes what was sent off the front. */
static void skip_sent(struct msghdr *m, size_t n)
{
    for (; m->msg_iovlen > 0 && n >= m->msg_iov->iov_len; m->msg_iov++, m->msg_iovlen--)
        n -= m->msg_iov->iov_len;
    if (n == 0)
        return;
    m->msg_iov->iov_base = (char *)m->msg_iov->iov_base + n;
    m->msg_iov->iov_len -= n;
}

static bool send_all(const struct gg_fcgi *f, struct msghdr *m, struct gg_deadline deadline)
{
    while (m->msg_iovlen > 0) {
        /* Who reads so slowly has read enough of one worker's time. */
        if (gg_deadline_left_ms(deadline) == 0)
            return false;
        ssize_t put = sendmsg(f->request.ipcFd, m, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return false;
        skip_sent(m, put < 0 ? 0 : (size_t)put);
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * The library would copy it into a buffer of 8 KB and write that each time. Here it goes from where
 * it is, and all of it at once, unless it is very long: each write may wake the web server.
 */
static bool send_answer(const struct gg_fcgi *f, struct gg_str head, struct gg_str body)
{
    struct gg_deadline deadline = gg_deadline_in(ANSWER_TIMEOUT_S * 1000);
    struct {
        FCGI_Header output;
        FCGI_EndRequestRecord request;
    } ends = {.output = make_header(f, FCGI_STDOUT, 0),
              .request.header = make_header(f, FCGI_END_REQUEST, sizeof ends.request.body)};

    for (bool is_last = false; !is_last;) {
        size_t of_head = least(head.n, RECORD_BYTES);
        size_t of_body = least(body.n, RECORD_BYTES - of_head);
        is_last = of_head == head.n && of_body == body.n;
        FCGI_Header header = make_header(f, FCGI_STDOUT, of_head + of_body);
        struct iovec parts[] = {{&header, sizeof header},
                                {(char *)head.p, of_head},
                                {(char *)body.p, of_body},
                                {&ends, is_last ? sizeof ends : 0}};
        struct msghdr m = {.msg_iov = parts, .msg_iovlen = sizeof parts / sizeof parts[0]};
        if (!send_all(f, &m, deadline))
            return false;
        head = gg_str_skip(head, of_head);
        body = gg_str_skip(body, of_body);
    }
    return true;
}

void gg_fcgi_finish(struct gg_fcgi *f, struct gg_str head, struct gg_str body)
{
    /* Else the client has gone: nobody is left to tell. */
    if (send_answer(f, head, body))
        end(f);
    else
        drop_connection(f);
}
