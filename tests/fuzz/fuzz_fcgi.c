/* SPDX-License-Identifier: MIT */
/*
 * Whatever bytes a connection brings: what becomes a request of them holds together, and the next
 * connection is answered as if nothing had been.
 */
#include "request.h"

#include "gg/base/buf.h"

#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* libfcgi forgets 48 bytes for a record of no request (id 0) and an unknown type. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

#define ANSWER "Status: 200\r\n\r\nok"

static int listen_fd = -1;
static struct gg_fcgi *fcgi;
static unsigned long secret; /* no input can guess it */
static struct sockaddr_un address;
static socklen_t address_n = sizeof address;

static void set_up(void)
{
    address.sun_family = AF_UNIX;
    (void)signal(SIGPIPE, SIG_IGN);
    REQUIRE(getrandom(&secret, sizeof secret, 0) == (ssize_t)sizeof secret);
    listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listen_fd >= 0 &&
            bind(listen_fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    REQUIRE(listen(listen_fd, 16) == 0);
    REQUIRE(getsockname(listen_fd, (struct sockaddr *)&address, &address_n) == 0);
    fcgi = gg_fcgi_open(listen_fd);
}

/*
 * Without a length of 16 MiB or more: libfcgi asks malloc for what two such lengths come to, and
 * dies of the answer. That costs a worker, which is replaced (tests/e2e/test_fcgi_hostile.py), and
 * here it would hide all else.
 */
static struct gg_str without_huge_lengths(struct gg_arena *a, const uint8_t *data, size_t size)
{
    char *p = gg_arena_alloc(a, size);

    for (size_t i = 0; i < size; i++)
        p[i] = (char)(data[i] > 0x80 ? 0x80 : data[i]);
    return (struct gg_str){p, size};
}

/* libfcgi answers the question for its limits in 64 bytes, however often each is asked for. */
static bool asks_too_often(struct gg_str in)
{
    int times = 0;

    for (size_t i = 0; i < in.n; i++)
        times += gg_str_has_prefix(gg_str_skip(in, i), "FCGI_M");
    return times > 3;
}

/* A connection on which all that is to be read is there already. */
static int connect_with(struct gg_str bytes)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&address, address_n) == 0);
    REQUIRE(bytes.n == 0 || send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n);
    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    return fd;
}

/* One that is as it should be, with the secret in it. */
static int connect_well(const char *mark)
{
    char bytes[256];
    size_t n = strlen(mark);
    static const char begin[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0";
    static const char end[] = "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0";

    memcpy(bytes, begin, 21);
    bytes[21] = (char)(n + 6);
    bytes[22] = bytes[23] = '\0';
    bytes[24] = 4;
    bytes[25] = (char)n;
    memcpy(bytes + 26, "MARK", 4);
    memcpy(bytes + 30, mark, n);
    memcpy(bytes + 30 + n, end, 16);
    return connect_with((struct gg_str){bytes, 46 + n});
}

/* Takes requests until the good one came; what comes before it is the input's. */
static void serve(struct gg_arena *a, const char *mark, size_t at_most)
{
    static const volatile sig_atomic_t never = 0;
    struct gg_request r;
    struct gg_err err;
    sigset_t mask;
    bool is_good = false;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    for (size_t i = 0; !is_good; i++) {
        REQUIRE(i <= at_most && gg_fcgi_accept(fcgi, &mask, &never, &err));
        is_good = gg_str_is(gg_fcgi_param(fcgi, "MARK"), mark);
        gg_request_read(&r, a, fcgi);
        if (!is_good)
            check_request(&r);
        else
            REQUIRE(gg_fcgi_param(fcgi, "REQUEST_METHOD").p == NULL && r.path.n == 0);
        gg_fcgi_finish(fcgi, GG_STR(ANSWER), GG_STR(""));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[8] = {1, 6, 0, 1, 0, sizeof ANSWER - 1, 1};
    struct gg_arena *a = gg_arena_open();
    char answer[256];
    size_t n = 0;

    if (fcgi == NULL)
        set_up();
    const char *mark = gg_arena_printf(a, "%lx", secret);
    struct gg_str in = without_huge_lengths(a, data, size);
    int bad = connect_with(asks_too_often(in) ? GG_STR("") : in);
    int good = connect_well(mark);
    serve(a, mark, size / 16 + 1);
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        got = recv(good, answer + n, sizeof answer - n, 0);
        REQUIRE(got >= 0);
    }
    REQUIRE(n >= 8 + sizeof ANSWER - 1 && memcmp(answer, head, 6) == 0);
    REQUIRE(memcmp(answer + 8, ANSWER, sizeof ANSWER - 1) == 0);
    (void)close(bad);
    (void)close(good);
    gg_arena_close(a);
    return 0;
}
