/* SPDX-License-Identifier: MIT */
#include "gg/base/hostfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_MASK 077

bool gg_hostfile_fail(const char *path, const char *why, struct gg_err *err)
{
    return gg_fail(err, GG_EINTERNAL, "%s %s", path, why);
}

static bool check(const char *path, int fd, struct gg_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return gg_hostfile_fail(path, strerror(errno), err);
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return gg_hostfile_fail(path, "is not a regular file with one name", err);
    if (st.st_uid != geteuid() || (st.st_mode & MODE_MASK) != 0)
        return gg_hostfile_fail(path, "is another user's, or others have rights on it", err);
    return true;
}

bool gg_hostfile_open(const char *path, enum gg_hostfile_how how, int *fd, struct gg_err *err)
{
    *fd = open(path,
               O_RDWR | (how == GG_HOSTFILE_MAKE ? O_CREAT : 0) | O_NOFOLLOW | O_CLOEXEC |
                   O_NOCTTY | O_NONBLOCK,
               0600);
    if (*fd < 0)
        return gg_hostfile_fail(path, strerror(errno), err);
    if (check(path, *fd, err))
        return true;
    (void)close(*fd);
    return false;
}
