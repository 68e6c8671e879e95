/* SPDX-License-Identifier: MIT */
/* libfcgi: requests from a listening socket, one at a time. */
#ifndef GG_EXT_FCGI_H
#define GG_EXT_FCGI_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

#include <signal.h>

struct gg_fcgi;

/* listen_fd stays the caller's. */
struct gg_fcgi *gg_fcgi_open(int listen_fd);
void gg_fcgi_close(struct gg_fcgi *f);

/* What is called when no request has come for so long; where it says false, again after a while. */
struct gg_fcgi_idle {
    int after_ms;
    bool (*call)(void *arg);
    void *arg;
};
void gg_fcgi_set_idle(struct gg_fcgi *f, struct gg_fcgi_idle idle);

/*
 * Waits for the next request. Signals of `wait_mask` are let in only while it waits, so that none
 * is missed: false when *stop was set by one of them, or with err when the socket is broken.
 */
GG_MUST bool gg_fcgi_accept(struct gg_fcgi *f, const sigset_t *wait_mask,
                            const volatile sig_atomic_t *stop, struct gg_err *err);

/* A request on a connection that waits already: for who leaves, and is the only one on its socket.
 */
GG_MUST bool gg_fcgi_accept_waiting(struct gg_fcgi *f);

/* A parameter of the request (REQUEST_URI, HTTP_ACCEPT, …), absent if it was not sent. Borrowed. */
struct gg_str gg_fcgi_param(const struct gg_fcgi *f, const char *name);

/* Reads the body. GG_EINVALIDJSON when it ended before `length` bytes had come. */
GG_MUST bool gg_fcgi_read(struct gg_fcgi *f, struct gg_arena *a, size_t length, struct gg_str *body,
                          struct gg_err *err);

/* Sends the whole answer (CGI header lines with an empty line, then the body) and ends the request.
 * Together they are not empty. */
void gg_fcgi_finish(struct gg_fcgi *f, struct gg_str head, struct gg_str body);

#endif
