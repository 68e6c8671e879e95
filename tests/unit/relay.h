/* SPDX-License-Identifier: MIT */
/* A TCP port on the loopback interface that passes bytes to a unix socket, as long as it is up. */
#ifndef GG_TESTS_RELAY_H
#define GG_TESTS_RELAY_H

#include "gg/base/arena.h"

struct relay;

/* Takes a port and is down; ends with the arena. The path is borrowed. */
struct relay *relay_open(struct gg_arena *a, const char *path);
unsigned relay_port(const struct relay *r);

void relay_up(struct relay *r);
/* Cuts what is connected, for good. */
void relay_down(struct relay *r);

/* How many connections it ever took. */
int relay_taken(const struct relay *r);

#endif
