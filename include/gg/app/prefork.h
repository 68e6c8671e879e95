/* SPDX-License-Identifier: MIT */
/* Processes: one listening socket, many workers, each with one request at a time. */
#ifndef GG_APP_PREFORK_H
#define GG_APP_PREFORK_H

#include "gg/base/err.h"

#include <signal.h>

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
 */
struct gg_prefork {
    int workers;
    int patience_s;
    int own_socket; /* that nobody else listens on: closed when the master is killed; or -1 */
    int (*work)(void *arg);
    bool (*reload)(void *arg); /* or NULL: SIGHUP stops, as SIGTERM does */
    void *arg;
};
int gg_prefork_run(const struct gg_prefork *p);

#endif
