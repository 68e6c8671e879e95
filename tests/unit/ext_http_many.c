/* SPDX-License-Identifier: MIT */
#include "loopback.h"
#include "unit.h"

#include "gg/ext/http.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_http *http;
static struct loopback *server;
static struct gg_err err;

static void close_http(void *h)
{
    gg_http_close(h);
}

static void set_up(void)
{
    arena = gg_arena_open();
    http = gg_http_open((struct gg_http_options){.connect_timeout_s = 2});
    gg_arena_defer(arena, close_http, http);
    server = loopback_open(arena);
}

static struct gg_http_request request(const char *method, const char *path)
{
    return (struct gg_http_request){
        .method = method,
        .url = gg_arena_printf(arena, "%s%s", loopback_url(server), path),
        .timeout_s = 5,
        .deadline = gg_deadline_in(10000),
        .cap_bytes = 1000,
    };
}

/* Begins n calls, of the path with their number; how many came back whole. */
static int fly(struct gg_http_flight *flights, int n, const char *path)
{
    int whole = 0;

    for (int i = 0; i < n; i++) {
        struct gg_http_request r = request("GET", gg_arena_printf(arena, "%s%d", path, i));
        ck_assert_msg(gg_http_begin(http, arena, &r, &flights[i], &err), "%s", err.log);
    }
    for (struct gg_http_flight *f; (f = gg_http_next(http, 5000)) != NULL;)
        whole += f->response.end == GG_HTTP_WHOLE && f->err.code == GG_OK;
    return whole;
}

START_TEST(several_at_once)
{
    static const struct loopback_answer rows[] = {
        {.match = "/x0 ",
         .status = 404,
         .headers = "Retry-After: 3\r\n",
         .body = "a",
         .wait_ms = 300},
        {.match = "/x1 ", .body = "bb", .wait_ms = 300},
        {.match = "/x2 ", .body = "ccc", .wait_ms = 300},
        {.match = "/x3 ", .body = "dddd", .wait_ms = 300},
    };
    static const char *const bodies[] = {"a", "bb", "ccc", "dddd"};
    struct gg_http_flight flights[GG_HTTP_AT_ONCE];
    struct gg_http_flight more;

    set_up();
    LOOPBACK_SERVE(server, rows);
    ck_assert_ptr_null(gg_http_next(http, 1000));
    for (int turn = 0; turn < 2; turn++) {
        int64_t start_ms = gg_clock_mono_ms();
        ck_assert_int_eq(fly(flights, GG_HTTP_AT_ONCE, "/x"), GG_HTTP_AT_ONCE);
        /* Beside one another, not one after the other. */
        ck_assert_int_lt(gg_clock_mono_ms() - start_ms, 4 * 300);
        for (int i = 0; i < GG_HTTP_AT_ONCE; i++)
            ck_assert_gg_str(flights[i].response.body, bodies[i]);
        ck_assert_int_eq(flights[0].response.status, 404);
        ck_assert_gg_str(flights[0].response.retry_after, "3");
        ck_assert_ptr_null(flights[1].response.retry_after.p);
    }
    /* Their connections are kept. */
    ck_assert_int_eq(loopback_connections(server), GG_HTTP_AT_ONCE);
    for (int i = 0; i < GG_HTTP_AT_ONCE; i++) {
        struct gg_http_request r = request("GET", "/x1");
        ck_assert(gg_http_begin(http, arena, &r, &flights[i], &err));
    }
    struct gg_http_request r = request("GET", "/x1");
    ck_assert(!gg_http_begin(http, arena, &r, &more, &err));
    ck_assert_int_eq(err.code, GG_EINTERNAL);
    gg_http_drop(http);
    ck_assert_ptr_null(gg_http_next(http, 1000));
    /* What was broken off comes into nobody's way, also not the arena's end. */
    ck_assert_int_eq(fly(flights, 2, "/x"), 2);
    ck_assert(gg_http_begin(http, arena, &r, &more, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(each_fails_alone)
{
    static const struct loopback_answer rows[] = {
        {.match = "/late", .body = "slow", .wait_ms = 3000},
        {.match = "/cut", .raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"},
        {.match = "/good", .body = "x"},
        {.body = "0123456789"},
    };
    static const struct {
        const char *path;
        enum gg_http_end end;
        enum gg_code code;
    } cases[] = {
        {"/late", GG_HTTP_LATE, GG_ETIMEOUT},
        {"/cut", GG_HTTP_LOST, GG_EGRAPH},
        {"/good", GG_HTTP_WHOLE, GG_OK},
        {"/large", GG_HTTP_BAD, GG_EGRAPH},
    };
    struct gg_http_flight flights[COUNT(cases)];
    int ended = 0;

    set_up();
    LOOPBACK_SERVE(server, rows);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_http_request r = request("GET", cases[i].path);
        r.timeout_s = 1;
        r.cap_bytes = 9;
        ck_assert(gg_http_begin(http, arena, &r, &flights[i], &err));
    }
    /* In vain for a moment: the late one is still under way. */
    while (gg_http_next(http, 300) != NULL)
        ended++;
    ck_assert_int_eq(ended, 3);
    ck_assert_ptr_eq(gg_http_next(http, 3000), &flights[0]);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(flights[i].response.end == cases[i].end, "%s", cases[i].path);
        ck_assert_int_eq(flights[i].err.code, cases[i].code);
    }
    struct gg_http_request r = request("GET", "/good");
    r.deadline = gg_deadline_in(0);
    int before = loopback_requests(server);
    ck_assert(!gg_http_begin(http, arena, &r, &flights[0], &err));
    ck_assert_int_eq(err.code, GG_ETIMEOUT);
    ck_assert_int_eq(flights[0].response.end, GG_HTTP_LATE);
    ck_assert_int_eq(loopback_requests(server), before);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("ext/http, several at once", several_at_once, each_fails_alone)
