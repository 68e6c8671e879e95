/* SPDX-License-Identifier: MIT */
/* The web server's side of FastCGI (version 1), in the process of the test. */
#ifndef GG_TESTS_RECORDS_H
#define GG_TESTS_RECORDS_H

#include "gg/base/buf.h"
#include "gg/ext/fcgi.h"

enum records_type {
    RECORDS_BEGIN = 1,
    RECORDS_ABORT = 2,
    RECORDS_END = 3,
    RECORDS_PARAMS = 4,
    RECORDS_STDIN = 5,
    RECORDS_STDOUT = 6
};

/* A listening socket without a name in the file system, and a connection to it. */
int records_listen(void);
int records_connect(int listen_fd);

void records_add(struct gg_buf *b, enum records_type type, struct gg_str content);

/* A whole request on a connection that is kept; params is name, value, …, NULL. */
struct gg_str records_request(struct gg_arena *a, const char *const *params, struct gg_str body);

/* Writes all of it; false when the other side has gone. */
bool records_write(int fd, struct gg_str bytes);

/* The standard output of one answer, up to its end record; absent when it was cut off. */
struct gg_str records_read(struct gg_arena *a, int fd);

/* Sends a request, lets f accept it: what the test then answers is for records_read. */
bool records_accept(struct gg_fcgi *f, struct gg_arena *a, int fd, const char *const *params,
                    struct gg_str body);

/* A worker's end that ends with the arena, and the descriptor of a web server's connection to it.
 */
struct gg_fcgi *records_open(struct gg_arena *a, int *fd);

#endif
