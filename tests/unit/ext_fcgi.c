/* SPDX-License-Identifier: MIT */
#include "records.h"
#include "unit.h"

#include "gg/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const params[] = {
    "REQUEST_METHOD", "POST", "REQUEST_URI", "/a?b", "EMPTY", "", "HTTP_COOKIE", "a=b; c=d", NULL};

static struct gg_arena *arena;
static struct gg_fcgi *fcgi;
static int listen_fd;
static struct gg_err err;

/* What the system does with what is sent: with most > 0 it takes no more than that in each second
 * call, and is interrupted in the others. */
static struct {
    size_t most;
    int calls;
} sending;

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    const struct iovec *part = m->msg_iov;

    sending.calls++;
    if (sending.most == 0)
        return syscall(SYS_sendmsg, fd, m, flags);
    if (sending.calls % 2 == 1) {
        errno = EINTR;
        return -1;
    }
    while (part->iov_len == 0)
        part++;
    return send(fd, part->iov_base, part->iov_len < sending.most ? part->iov_len : sending.most,
                flags);
}

static void close_fcgi(void *f)
{
    gg_fcgi_close(f);
}

static void set_up(void)
{
    arena = gg_arena_open();
    listen_fd = records_listen();
    fcgi = gg_fcgi_open(listen_fd);
    gg_arena_defer(arena, close_fcgi, fcgi);
}

static bool accept_next(void)
{
    static const volatile sig_atomic_t never = 0;
    sigset_t mask;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    return gg_fcgi_accept(fcgi, &mask, &never, &err);
}

START_TEST(requests_and_answers)
{
    struct gg_str body;

    set_up();
    int fd = records_connect(listen_fd);
    /* Several on one connection: nothing of one is seen in the next. */
    for (int i = 0; i < 3; i++) {
        ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("a\0b")));
        ck_assert_gg_str(gg_fcgi_param(fcgi, "REQUEST_URI"), "/a?b");
        ck_assert_gg_str(gg_fcgi_param(fcgi, "HTTP_COOKIE"), "a=b; c=d");
        ck_assert_gg_str(gg_fcgi_param(fcgi, "EMPTY"), "");
        ck_assert_ptr_null(gg_fcgi_param(fcgi, "HTTP_COOKI").p);
        ck_assert_ptr_null(gg_fcgi_param(fcgi, "ABSENT").p);
        ck_assert(gg_fcgi_read(fcgi, arena, 3, &body, &err));
        ck_assert(gg_str_is_equal(body, GG_STR("a\0b")));
        gg_fcgi_finish(fcgi, GG_STR("Status: 200\r\n\r\n"),
                       gg_str_of(gg_arena_printf(arena, "%d", i)));
        ck_assert_gg_str(records_read(arena, fd),
                         gg_arena_printf(arena, "Status: 200\r\n\r\n%d", i));
    }
    /* A body that nobody reads is no part of the next request. */
    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("unread")));
    gg_fcgi_finish(fcgi, GG_STR("Status: 200\r\n\r\n"), GG_STR(""));
    ck_assert_gg_str(records_read(arena, fd), "Status: 200\r\n\r\n");
    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("x")));
    ck_assert(gg_fcgi_read(fcgi, arena, 1, &body, &err));
    ck_assert_gg_str(body, "x");
    (void)close(fd);
    gg_arena_close(arena);
}
END_TEST

START_TEST(cut_bodies)
{
    struct gg_str body;

    set_up();
    int fd = records_connect(listen_fd);
    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("four")));
    ck_assert(!gg_fcgi_read(fcgi, arena, 5, &body, &err));
    ck_assert_int_eq(err.code, GG_EINVALIDJSON);
    gg_fcgi_finish(fcgi, GG_STR("Status: 400\r\n\r\n"), GG_STR(""));
    ck_assert_gg_str(records_read(arena, fd), "Status: 400\r\n\r\n");
    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")));
    ck_assert(gg_fcgi_read(fcgi, arena, 0, &body, &err) && body.n == 0);
    (void)close(fd);
    gg_arena_close(arena);
}
END_TEST

/* An answer far larger than what a socket holds, and a body likewise, need a partner. */
START_TEST(large_ones)
{
    const size_t n = 1000000;
    struct gg_str body;
    int status;

    set_up();
    char *bytes = gg_arena_alloc(arena, n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 7);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = records_connect(listen_fd);
        struct gg_str request = records_request(arena, params, (struct gg_str){bytes, n});
        bool ok = records_write(fd, request) &&
                  gg_str_is_equal(records_read(arena, fd), (struct gg_str){bytes, n});
        _exit(ok ? 0 : 1);
    }
    ck_assert(accept_next());
    ck_assert(gg_fcgi_read(fcgi, arena, n, &body, &err));
    ck_assert(gg_str_is_equal(body, (struct gg_str){bytes, n}));
    gg_fcgi_finish(fcgi, GG_STR(""), body);
    ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
    gg_arena_close(arena);
}
END_TEST

static struct gg_str make_bytes(size_t n)
{
    char *bytes = gg_arena_alloc(arena, n);

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    return (struct gg_str){bytes, n};
}

/* A record holds 65,528 bytes. */
START_TEST(answers_of_all_sizes)
{
    static const struct {
        size_t head;
        size_t body;
        size_t most;
        int calls; /* 0: many */
    } cases[] = {
        {1, 0, 0, 1},         {300, 16000, 0, 1}, {300, 65228, 0, 1},
        {300, 65229, 0, 2},   {65528, 0, 0, 1},   {65528, 1, 0, 2},
        {65529, 65528, 0, 3}, {20, 30, 1, 0},     {300, 65229, 4096, 0},
    };

    set_up();
    int fd = records_connect(listen_fd);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gg_str all = make_bytes(cases[i].head + cases[i].body);
        sending.most = cases[i].most;
        sending.calls = 0;
        ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")));
        gg_fcgi_finish(fcgi, (struct gg_str){all.p, cases[i].head},
                       gg_str_skip(all, cases[i].head));
        ck_assert(gg_str_is_equal(records_read(arena, fd), all));
        ck_assert(cases[i].calls == 0 || cases[i].calls == sending.calls);
    }
    sending.most = 0;
    (void)close(fd);
    gg_arena_close(arena);
}
END_TEST

/* What is no FastCGI costs its connection, and nobody else's. */
START_TEST(garbage)
{
    static const struct gg_str bad[] = {
        {"GET / HTTP/1.0\r\n\r\n", 18},
        {"\1\1\0\1", 4},
        {"\2\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16}, /* another version */
        {"", 0},
    };

    set_up();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = records_connect(listen_fd);
        ck_assert(records_write(fd, bad[i]));
        (void)close(fd);
        fd = records_connect(listen_fd);
        ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")));
        ck_assert_gg_str(gg_fcgi_param(fcgi, "REQUEST_URI"), "/a?b");
        gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
        ck_assert_gg_str(records_read(arena, fd), "x");
        (void)close(fd);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_silent_connection_holds_nobody)
{
    set_up();
    int silent = records_connect(listen_fd);
    ck_assert(records_accept(fcgi, arena, silent, params, GG_STR("")));
    gg_fcgi_finish(fcgi, GG_STR("first"), GG_STR(""));
    ck_assert_gg_str(records_read(arena, silent), "first");
    /* It is kept open and says nothing; another comes. */
    int other = records_connect(listen_fd);
    int64_t start_ms = gg_clock_mono_ms();
    ck_assert(records_accept(fcgi, arena, other, params, GG_STR("")));
    int64_t took_ms = gg_clock_mono_ms() - start_ms;
    ck_assert_msg(took_ms < 1000, "it held the worker for %lld ms", (long long)took_ms);
    gg_fcgi_finish(fcgi, GG_STR("second"), GG_STR(""));
    ck_assert_gg_str(records_read(arena, other), "second");
    ck_assert_ptr_null(records_read(arena, silent).p);
    (void)close(silent);
    (void)close(other);
    gg_arena_close(arena);
}
END_TEST

/* A request on a connection that ends with it, of whose body, of 4 bytes, so many come. */
static int64_t time_to_end(size_t bytes)
{
    static const char begin[8] = {0, 1, 0};
    struct gg_buf b;

    gg_buf_init(&b, arena, 4096);
    records_add(&b, RECORDS_BEGIN, (struct gg_str){begin, sizeof begin});
    records_add(&b, RECORDS_PARAMS, GG_STR(""));
    records_add(&b, RECORDS_STDIN, (struct gg_str){"body", bytes});
    if (bytes == 4)
        records_add(&b, RECORDS_STDIN, GG_STR(""));
    int fd = records_connect(listen_fd);
    ck_assert(records_write(fd, gg_buf_str(&b)) && accept_next());
    int64_t start_us = gg_clock_mono_us();
    gg_fcgi_finish(fcgi, GG_STR("answer"), GG_STR(""));
    int64_t took_us = gg_clock_mono_us() - start_us;
    ck_assert_gg_str(records_read(arena, fd), "answer");
    ck_assert_ptr_null(records_read(arena, fd).p);
    (void)close(fd);
    return took_us;
}

/* Where more may come, it is given time to: see end(). */
START_TEST(a_whole_request_ends_at_once)
{
    set_up();
    int64_t whole_us = time_to_end(4);
    int64_t cut_us = time_to_end(3);
    ck_assert_msg(whole_us * 10 < cut_us, "%lld us, and %lld us", (long long)whole_us,
                  (long long)cut_us);
    gg_arena_close(arena);
}
END_TEST

/* Below 1 there is more to do. */
static bool count_call(void *arg)
{
    int *calls = arg;

    return ++*calls > 0;
}

/* Sends a request so late that nobody has asked before; on that connection, or on one of its own.
 */
static pid_t send_late(int fd)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    gg_clock_sleep_ms(1000);
    fd = fd < 0 ? records_connect(listen_fd) : fd;
    _exit(records_write(fd, records_request(arena, params, GG_STR(""))) ? 0 : 1);
}

START_TEST(who_waits_is_idle_once)
{
    int calls = 0;
    int status;

    set_up();
    gg_fcgi_set_idle(fcgi, (struct gg_fcgi_idle){30, count_call, &calls});
    int fd = records_connect(listen_fd);
    ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")) && calls == 0);
    gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
    ck_assert_gg_str(records_read(arena, fd), "x");
    for (int wanted = 1; wanted <= 2; wanted++) {
        pid_t pid = send_late(wanted == 1 ? fd : -1);
        ck_assert(accept_next());
        ck_assert_int_eq(calls, wanted);
        gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
        ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
        (void)close(wanted == 1 ? fd : -1);
    }
    gg_arena_close(arena);
}
END_TEST

/* What could not be done is tried again, and not at once. */
/* mutant: src/ext/fcgi.c: f->state == UNFINISHED ? LOOK_AGAIN_MS => false ? LOOK_AGAIN_MS */
START_TEST(what_is_unfinished_is_tried_again)
{
    int calls = -2;
    int status;

    set_up();
    gg_fcgi_set_idle(fcgi, (struct gg_fcgi_idle){30, count_call, &calls});
    pid_t pid = fork();
    if (pid == 0) {
        gg_clock_sleep_ms(5000);
        int fd = records_connect(listen_fd);
        _exit(records_write(fd, records_request(arena, params, GG_STR(""))) ? 0 : 1);
    }
    ck_assert(accept_next());
    ck_assert_int_eq(calls, 1);
    gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
    ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
    gg_arena_close(arena);
}
END_TEST

START_TEST(clients_that_leave)
{
    set_up();
    for (int i = 0; i < 3; i++) {
        int fd = records_connect(listen_fd);
        ck_assert(records_accept(fcgi, arena, fd, params, GG_STR("")));
        (void)close(fd);
        gg_fcgi_finish(fcgi, GG_STR("nobody hears it"), GG_STR(""));
    }
    gg_arena_close(arena);
}
END_TEST

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

START_TEST(a_signal_ends_the_wait)
{
    struct sigaction action = {.sa_handler = on_signal};
    const struct itimerval soon = {.it_value = {.tv_usec = 100000}};
    sigset_t block;
    sigset_t mask;

    set_up();
    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGALRM);
    (void)sigprocmask(SIG_BLOCK, &block, &mask);
    (void)sigdelset(&mask, SIGALRM);
    (void)setitimer(ITIMER_REAL, &soon, NULL);
    ck_assert(!gg_fcgi_accept(fcgi, &mask, &stop, &err));
    ck_assert_int_eq(err.code, GG_OK);
    /* One that came while a request was served is not missed. */
    stop = 0;
    ck_assert_int_eq(raise(SIGALRM), 0);
    ck_assert(!stop && !gg_fcgi_accept(fcgi, &mask, &stop, &err) && stop);
    gg_arena_close(arena);
}
END_TEST

START_TEST(a_broken_socket_is_told)
{
    set_up();
    (void)close(listen_fd);
    ck_assert(!accept_next());
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    gg_fcgi_close(NULL);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/fcgi", requests_and_answers, cut_bodies, large_ones, answers_of_all_sizes,
             garbage, a_silent_connection_holds_nobody, a_whole_request_ends_at_once,
             who_waits_is_idle_once, what_is_unfinished_is_tried_again, clients_that_leave,
             a_signal_ends_the_wait, a_broken_socket_is_told)
