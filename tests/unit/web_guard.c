/* SPDX-License-Identifier: MIT */
#include "records.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/web/guard.h"

#include <string.h>
#include <unistd.h>

static struct stand_in s;
static struct gg_fcgi *fcgi;
static struct gg_exchange x;
static struct gg_err err;
static int fd;

static void close_fcgi(void *f)
{
    gg_fcgi_close(f);
}

static void set_up(void)
{
    int listen_fd = records_listen();

    stand_in_open(&s);
    fcgi = gg_fcgi_open(listen_fd);
    gg_arena_defer(s.arena, close_fcgi, fcgi);
    fd = records_connect(listen_fd);
}

static void tear_down(void)
{
    (void)close(fd);
    stand_in_close(&s);
}

/* A request with these claims (NULL: no token) from this address, to a realm. */
static void receive(const char *claims, const char *address, enum gg_realm_id realm)
{
    struct gg_str token = GG_STR("");

    if (claims != NULL)
        ck_assert(gg_jwt_sign(s.arena, s.ctx.jwt_key, gg_str_of(claims), &token, &err));
    const char *const params[] = {
        "REQUEST_METHOD",
        "GET",
        "REMOTE_ADDR",
        address,
        "HTTP_AUTHORIZATION",
        claims == NULL ? "" : gg_arena_printf(s.arena, "Bearer %.*s", GG_STR_ARG(token)),
        NULL};
    if (x.request.fcgi == fcgi) {
        gg_fcgi_finish(fcgi, GG_STR("x"), GG_STR(""));
        (void)records_read(s.arena, fd);
    }
    ck_assert(records_accept(fcgi, s.arena, fd, params, GG_STR("")));
    x = (struct gg_exchange){.call = s.call, .realm = gg_realm(realm)};
    gg_request_read(&x.request, s.arena, fcgi);
    gg_response_init(&x.response, s.arena);
}

static enum gg_code check(enum gg_auth auth)
{
    err = (struct gg_err){.code = GG_OK};
    return gg_guard_check(&x, auth, &err) ? GG_OK : err.code;
}

#define USER  "{\"sub\":\"7\",\"exp\":4102444800}"
#define ADMIN "{\"sub\":\"7\",\"exp\":4102444800,\"scope\":\"admin\"}"
#define OLD   "{\"sub\":\"7\",\"exp\":1}"
#define TEACHER \
    "{\"sub\":\"11111111-2222-4333-8444-555555555555\",\"exp\":4102444800,\"type\":\"teacher\"}"

START_TEST(who_may_come_in)
{
    static const struct {
        const char *claims;
        enum gg_realm_id realm;
        enum gg_code codes[5]; /* NONE, MAYBE, CALLER, ADMIN, ADMIN_OR */
    } cases[] = {
        {NULL, GG_REALM_MAIN, {GG_OK, GG_OK, GG_EINVALIDTOKEN, GG_EINVALIDTOKEN, GG_OK}},
        {USER, GG_REALM_MAIN, {GG_OK, GG_OK, GG_OK, GG_EADMIN, GG_OK}},
        {ADMIN, GG_REALM_MAIN, {GG_OK, GG_OK, GG_OK, GG_OK, GG_OK}},
        {OLD, GG_REALM_MAIN, {GG_OK, GG_EINVALIDTOKEN, GG_EINVALIDTOKEN, GG_EINVALIDTOKEN, GG_OK}},
        {USER, GG_REALM_BETA, {GG_OK, GG_EWRONGREALM, GG_EWRONGREALM, GG_EWRONGREALM, GG_OK}},
        {ADMIN, GG_REALM_BETA, {GG_OK, GG_EWRONGREALM, GG_EWRONGREALM, GG_EWRONGREALM, GG_OK}},
        {TEACHER, GG_REALM_MAIN, {GG_OK, GG_EWRONGREALM, GG_EWRONGREALM, GG_EWRONGREALM, GG_OK}},
        {TEACHER, GG_REALM_BETA, {GG_OK, GG_OK, GG_OK, GG_EADMIN, GG_OK}},
    };

    set_up();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int auth = GG_AUTH_NONE; auth <= GG_AUTH_ADMIN_OR; auth++) {
            receive(cases[i].claims, "192.0.2.1", cases[i].realm);
            ck_assert_msg(check((enum gg_auth)auth) == cases[i].codes[auth], "%s auth %d: %d",
                          cases[i].claims == NULL ? "none" : cases[i].claims, auth, err.code);
            ck_assert(auth != GG_AUTH_NONE || !x.has_caller);
        }
    tear_down();
}
END_TEST

static bool limit(const char *claims, const char *address, enum gg_limit_by by)
{
    receive(claims, address, GG_REALM_MAIN);
    ck_assert_int_eq(check(GG_AUTH_MAYBE), GG_OK);
    bool ok = gg_guard_limit(&x, GG_LIMIT_CALENDAR, by, &err);
    ck_assert(ok || (err.code == GG_ERATELIMITED && err.retry_after_s >= 1));
    return ok;
}

START_TEST(limits)
{
    set_up();
    s.conf.limits[GG_LIMIT_CALENDAR] = (struct gg_limit){1, 100000};
    ck_assert(limit(USER, "192.0.2.1", GG_BY_CALLER_OR_ADDRESS));
    const char *headers = gg_buf_str(&x.response.headers).p;
    ck_assert_ptr_nonnull(strstr(headers, "RateLimit-Limit: 1\r\nRateLimit-Remaining: 0\r\n"));
    /* By the caller wherever he is; a stranger by his address; both kinds apart. */
    ck_assert(!limit(USER, "192.0.2.2", GG_BY_CALLER_OR_ADDRESS));
    ck_assert_ptr_nonnull(strstr(gg_buf_str(&x.response.headers).p, "RateLimit-Reset: "));
    ck_assert(limit(NULL, "192.0.2.1", GG_BY_CALLER_OR_ADDRESS));
    ck_assert(!limit(NULL, "192.0.2.1", GG_BY_ADDRESS));
    ck_assert(!limit(USER, "192.0.2.1", GG_BY_ADDRESS));
    ck_assert(limit(USER, "192.0.2.2", GG_BY_ADDRESS));
    s.conf.limits[GG_LIMIT_CALENDAR] = (struct gg_limit){0, 0}; /* off */
    for (int i = 0; i < 3; i++)
        ck_assert(limit(USER, "192.0.2.1", GG_BY_ADDRESS));
    ck_assert_uint_eq(x.response.headers.n, 0);
    tear_down();
}
END_TEST

GG_UNIT_MAIN("web/guard", who_may_come_in, limits)
