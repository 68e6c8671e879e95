/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/hostfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/gg-hostfile-XXXXXX";
static char path[64];
static char other[64];

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/gg-hostfile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/file", folder);
    (void)snprintf(other, sizeof other, "%s/other", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)unlink(other);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void check_opens(enum gg_hostfile_how how)
{
    struct gg_err err;
    int fd;

    ck_assert_msg(gg_hostfile_open(path, how, &fd, &err), "%s", err.log);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(close(fd), 0);
}

static void check_refused(const char *words)
{
    struct gg_err err;
    int fd;

    ck_assert(!gg_hostfile_open(path, GG_HOSTFILE_MAKE, &fd, &err));
    ck_assert_msg(strstr(err.log, words) != NULL && strstr(err.log, path) == err.log, "%s",
                  err.log);
}

START_TEST(found_or_made)
{
    struct gg_err err;
    struct stat st;
    int fd;

    set_up();
    ck_assert(!gg_hostfile_open(path, GG_HOSTFILE_FIND, &fd, &err));
    check_opens(GG_HOSTFILE_MAKE);
    check_opens(GG_HOSTFILE_MAKE);
    check_opens(GG_HOSTFILE_FIND);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(st.st_size, 1);
    tear_down();
}
END_TEST

/* mutant: src/base/hostfile.c: O_NOFOLLOW | => 0 | */
/* mutant: src/base/hostfile.c: st.st_nlink != 1 => false */
/* mutant: src/base/hostfile.c: (st.st_mode & MODE_MASK) != 0 => false */
/* mutant: src/base/hostfile.c: st.st_uid != geteuid() => false */
START_TEST(no_file_but_our_own)
{
    set_up();
    check_opens(GG_HOSTFILE_MAKE);
    ck_assert_int_eq(link(path, other), 0);
    check_refused("is not a regular file with one name");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    check_refused("symbolic links");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_refused("is not a regular file");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(chmod(path, 0640), 0);
    check_refused("others have rights");
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_int_eq(chown(path, 1, 1), 0);
        check_refused("is another user's");
    }
    tear_down();
}
END_TEST

GG_UNIT_MAIN("base/hostfile", found_or_made, no_file_but_our_own)
