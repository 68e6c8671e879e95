/* SPDX-License-Identifier: MIT */
/* Files that the workers of a site on one host share, whoever started them. */
#ifndef GG_BASE_HOSTFILE_H
#define GG_BASE_HOSTFILE_H

#include "gg/base/err.h"

/* Whether one that is not there is made. */
enum gg_hostfile_how { GG_HOSTFILE_MAKE, GG_HOSTFILE_FIND };

/*
 * Opens it for reading and writing. It must be a regular file of our own, with one name and no
 * rights for others, and no symbolic link: nothing else is ever written to. Close with close(2).
 */
GG_MUST bool gg_hostfile_open(const char *path, enum gg_hostfile_how how, int *fd,
                              struct gg_err *err);

/* "PATH WHY", for whoever finds something else wrong with it. */
bool gg_hostfile_fail(const char *path, const char *why, struct gg_err *err);

#endif
