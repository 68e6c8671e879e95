/* SPDX-License-Identifier: MIT */
/* Processes: one listening socket, many workers, each with one request at a time. */
#ifndef GG_APP_PREFORK_H
#define GG_APP_PREFORK_H

#include "gg/base/err.h"

#include <signal.h>
#include <sys/types.h>

/* "unix:PATH" or "HOST:PORT". The socket is its owner's and group's. */
GG_MUST bool gg_prefork_listen(const char *where, int *fd, struct gg_err *err);

/* True for a socket that listens. */
bool gg_prefork_is_listening(int fd);

/* What a worker has to know of signals: let in mask's only while waiting, and look at *stop. */
struct gg_prefork_signals {
    sigset_t wait_mask;
    const volatile sig_atomic_t *stop;
};

/* Blocks SIGTERM, SIGUSR1, SIGINT and SIGHUP until they are waited for; ignores SIGPIPE. */
void gg_prefork_catch(struct gg_prefork_signals *signals);

/*
 * Forks `workers` processes that run work(arg), and replaces each that ends, until a signal says
 * to stop; then lets them finish, for at most patience_s. Returns the exit status of the program.
 * SIGHUP calls reload(arg), where there is one: when that is true, others take the workers' places,
 * each as soon as it has finished the request in hand.
 *
 * When the master is killed, its workers finish what they have and end; the first of them calls
 * inherit(arg), where there is one, so that the socket never goes unserved. lighttpd would not
 * start another master while that socket still answers, not even for the moment that it takes the
 * workers to notice.
 */
struct gg_prefork {
    int workers;
    int patience_s;
    pid_t watched; /* an heir's: it stops when this process is gone; 0: nobody */
    int (*work)(void *arg);
    bool (*reload)(void *arg);  /* or NULL: SIGHUP stops, as SIGTERM does */
    void (*inherit)(void *arg); /* or NULL */
    void *arg;
    _Atomic int *throne; /* its own: whether there is an heir */
};
int gg_prefork_run(struct gg_prefork *p);

#endif
