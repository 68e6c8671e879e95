/* SPDX-License-Identifier: MIT */
/* The headers, the query and the body of a request, each as whatever it may be; no socket is in the
 * way. */
#include "request.h"

/* The parameters that are read, in the order of the input's parts, which NUL ends; the body is
 * last. */
static const char *const names[] = {"REQUEST_METHOD",       "REQUEST_URI",  "HTTP_X_REQUEST_ID",
                                    "HTTP_COOKIE",          "HTTP_ACCEPT",  "HTTP_AUTHORIZATION",
                                    "CONTENT_LENGTH",       "CONTENT_TYPE", "REMOTE_ADDR",
                                    "HTTP_X_FORWARDED_FOR", "REQUEST_LINE_"};

#define NAMES (sizeof names / sizeof names[0])

/* In the place of libfcgi's, which these are named for. */
struct gg_fcgi {
    struct gg_str values[NAMES];
    struct gg_str body;
};

struct gg_str gg_fcgi_param(const struct gg_fcgi *f, const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0)
            return f->values[i];
    return (struct gg_str){NULL, 0};
}

bool gg_fcgi_read(struct gg_fcgi *f, struct gg_arena *a, size_t length, struct gg_str *body,
                  struct gg_err *err)
{
    if (length > f->body.n)
        return gg_fail(err, GG_EINVALIDJSON, "the body is shorter");
    *body = gg_str_of(gg_arena_copy(a, f->body.p, length));
    body->n = length;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str rest = {(const char *)data, size};
    struct gg_fcgi f = {.body = {"", 0}};
    struct gg_request r;
    struct gg_str part;

    for (size_t i = 0; i < NAMES && gg_str_take(&rest, '\0', &part); i++)
        f.values[i] = (struct gg_str){gg_arena_copy(a, part.p, part.n), part.n};
    if (rest.p != NULL)
        f.body = rest;
    gg_request_read(&r, a, &f);
    check_request(&r);
    gg_arena_close(a);
    return 0;
}
