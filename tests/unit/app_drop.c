/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/drop.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Accounts that every machine has by one of these names. */
static struct passwd *find_nobody(void)
{
    struct passwd *user = getpwnam("nobody");

    ck_assert_ptr_nonnull(user);
    return user;
}

START_TEST(accounts)
{
    static const char *const bad[] = {
        "", ":", "root", "no-such-user-here", "nobody:no-such-group-here", "nobody:root", "nobody:",
    };
    struct gg_drop account;
    struct gg_err err;
    char longest[400];

    ck_assert(gg_drop_find("nobody", &account, &err));
    ck_assert_uint_eq(account.uid, find_nobody()->pw_uid);
    ck_assert_uint_eq(account.gid, find_nobody()->pw_gid);
    ck_assert_str_eq(account.name, "nobody");
    ck_assert(gg_drop_find("nobody:daemon", &account, &err));
    ck_assert_uint_eq(account.gid, getgrnam("daemon")->gr_gid);
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gg_drop_find(bad[i], &account, &err), "%s", bad[i]);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert(!gg_drop_find(longest, &account, &err));
}
END_TEST

/* In a child, since there is no way back: 0 when all of it is gone, or when it rightly refuses. */
static int drop_in_child(void)
{
    struct gg_drop account;
    struct gg_err err;
    bool was_root = geteuid() == 0;

    if (!gg_drop_find("nobody:daemon", &account, &err))
        return 1;
    if (gg_drop_to(&account, &err) != was_root)
        return 2;
    if (was_root && (geteuid() != account.uid || getegid() != account.gid || setuid(0) == 0))
        return 3;
    /* Who is that account already stays it. */
    return was_root && !gg_drop_to(&account, &err) ? 4 : 0;
}

START_TEST(for_good)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(drop_in_child());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

GG_UNIT_MAIN("app/drop", accounts, for_good)
