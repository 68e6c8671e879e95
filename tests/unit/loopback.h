/* SPDX-License-Identifier: MIT */
/* An HTTP server on the loopback interface, in a process of its own, that says what it was told. */
#ifndef GG_TESTS_LOOPBACK_H
#define GG_TESTS_LOOPBACK_H

#include "gg/base/arena.h"

struct loopback_answer {
    const char *match;   /* stands in the request's text; NULL: in any */
    int times;           /* said so often, then a later row's turn; 0: without end */
    int status;          /* 0: 200 */
    const char *headers; /* lines, each with CRLF; NULL: Content-Type: application/json */
    const char *body;    /* NULL: none */
    const char *raw;     /* all of it, instead; the connection ends behind it */
    int wait_ms;         /* between the headers and the body */
};

struct loopback;

/* Listens; the server ends with the arena. */
struct loopback *loopback_open(struct gg_arena *a);

/* "http://127.0.0.1:PORT" */
const char *loopback_url(const struct loopback *l);

/* Answers from now on with these rows, the first that fits; what was counted is forgotten. */
void loopback_serve(struct loopback *l, const struct loopback_answer *answers, size_t count);

/* Stops answering: connections are refused until it is told to serve again. */
void loopback_stop(struct loopback *l);

int loopback_connections(const struct loopback *l);
int loopback_requests(const struct loopback *l);
int loopback_given(const struct loopback *l, size_t row);

/* The whole text of a request, from 0 on; "" for one that did not come. */
const char *loopback_request(const struct loopback *l, int i);

#define LOOPBACK_SERVE(l, rows) loopback_serve((l), (rows), sizeof(rows) / sizeof((rows)[0]))

#endif
