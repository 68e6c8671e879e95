/* SPDX-License-Identifier: MIT */
/* A whole request through the routes, with the stand-in of Microsoft behind it. */
#ifndef GG_TESTS_SERVING_H
#define GG_TESTS_SERVING_H

#include "records.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/web/route.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVING_USER  "{\"sub\":\"7\",\"exp\":4102444800}"
#define SERVING_ADMIN "{\"sub\":\"7\",\"exp\":4102444800,\"scope\":\"admin\"}"

struct serving_request {
    const char *method;
    const char *uri;
    const char *claims; /* of the caller's token; NULL: none */
    const char *body;   /* JSON; NULL: none */
    const char *name;   /* one more parameter, or NULL */
    const char *value;
};

/* The whole answer. */
static inline const char *serving_ask(struct stand_in *s, struct serving_request r)
{
    struct gg_str token = GG_STR("");
    struct gg_str body = gg_str_of(r.body == NULL ? "" : r.body);
    int listen_fd = records_listen();
    struct gg_fcgi *f = gg_fcgi_open(listen_fd);
    int fd = records_connect(listen_fd);

    if (r.claims != NULL)
        ck_assert(gg_jwt_sign(s->arena, s->ctx.jwt_key, gg_str_of(r.claims), &token, &s->err));
    const char *const params[] = {
        "REQUEST_METHOD",
        r.method,
        "REQUEST_URI",
        r.uri,
        "REMOTE_ADDR",
        "192.0.2.1",
        "HTTP_AUTHORIZATION",
        r.claims == NULL ? "" : gg_arena_printf(s->arena, "Bearer %.*s", GG_STR_ARG(token)),
        "CONTENT_TYPE",
        r.body == NULL ? "" : "application/json",
        "CONTENT_LENGTH",
        gg_arena_printf(s->arena, "%zu", body.n),
        r.name == NULL ? "X" : r.name,
        r.name == NULL ? "" : r.value,
        NULL};
    ck_assert(records_accept(f, s->arena, fd, params, body));
    gg_route_serve(&s->ctx, s->arena, f);
    struct gg_str answer = records_read(s->arena, fd);
    (void)close(fd);
    gg_fcgi_close(f);
    (void)close(listen_fd);
    ck_assert_ptr_nonnull(answer.p);
    return answer.p;
}

/* The answer begins with this status and has these pieces of text; the list ends with NULL. */
static inline void serving_check(const char *answer, int status, const char *const *pieces)
{
    char line[32];

    (void)snprintf(line, sizeof line, "Status: %d\r\n", status);
    ck_assert_msg(strncmp(answer, line, strlen(line)) == 0, "not %d: %s", status, answer);
    for (; *pieces != NULL; pieces++)
        ck_assert_msg(strstr(answer, *pieces) != NULL, "no %s in %s", *pieces, answer);
}

#define SERVING_CHECK(answer, status, ...) \
    serving_check((answer), (status), (const char *const[]){__VA_ARGS__, NULL})

#endif
