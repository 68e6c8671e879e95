/* SPDX-License-Identifier: MIT */
/*
 * One call that fails: the n-th malloc, or the n-th call to the system of a kind, while an
 * operation runs. The program's own functions stand before libc's for every library that it has
 * loaded.
 */
#ifndef GG_TESTS_INJECT_H
#define GG_TESTS_INJECT_H

#include <stdbool.h>

enum inject_kind {
    INJECT_NOTHING,
    INJECT_MEMORY,    /* malloc, calloc, realloc give NULL */
    INJECT_INTERRUPT, /* read, recv, write, send(msg), poll: EINTR, before anything was done */
    INJECT_PIECES,    /* each of them from the n-th on: one byte at most */
    INJECT_RESET,     /* read, recv, write, send(msg): ECONNRESET */
    INJECT_FILES,     /* socket, accept: EMFILE */
    INJECT_KINDS
};

/* From now on, the n-th (from 1) fails. */
void inject_arm(enum inject_kind kind, long n);

/* Ends it; true when there were n, so that one did fail. */
bool inject_disarm(void);

#endif
