/* SPDX-License-Identifier: MIT */
#include "gg/app/drop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

bool gg_drop_find(const char *text, struct gg_drop *out, struct gg_err *err)
{
    const char *colon = strchr(text, ':');
    size_t n = colon == NULL ? strlen(text) : (size_t)(colon - text);

    *out = (struct gg_drop){.uid = 0};
    if (n >= sizeof out->name)
        return gg_fail(err, GG_EINTERNAL, "there is no such user");
    memcpy(out->name, text, n);
    const struct passwd *user = getpwnam(out->name);
    if (user == NULL)
        return gg_fail(err, GG_EINTERNAL, "there is no such user");
    out->uid = user->pw_uid;
    out->gid = user->pw_gid;
    if (colon != NULL) {
        const struct group *group = getgrnam(colon + 1);
        if (group == NULL)
            return gg_fail(err, GG_EINTERNAL, "there is no such group");
        out->gid = group->gr_gid;
    }
    if (out->uid == 0 || out->gid == 0)
        return gg_fail(err, GG_EINTERNAL, "root is what it must not run as");
    return true;
}

/* Each of the ways back must fail; a group of root's left over is one too. */
static bool is_for_good(const struct gg_drop *account)
{
    gid_t groups[256];
    int count = getgroups((int)(sizeof groups / sizeof groups[0]), groups);

    for (int i = 0; i < count; i++)
        if (groups[i] == 0)
            return false;
    return count >= 0 && getuid() == account->uid && geteuid() == account->uid &&
           getgid() == account->gid && getegid() == account->gid && setuid(0) != 0 &&
           seteuid(0) != 0 && setgid(0) != 0;
}

bool gg_drop_to(const struct gg_drop *account, struct gg_err *err)
{
    if (geteuid() == account->uid && getuid() == account->uid && getegid() == account->gid)
        return true;
    if (geteuid() != 0)
        return gg_fail(err, GG_EINTERNAL, "only root may become somebody else");
    /* The groups first: without root's rights they could not be given up any more. */
    if (initgroups(account->name, account->gid) != 0 ||
        setresgid(account->gid, account->gid, account->gid) != 0 ||
        setresuid(account->uid, account->uid, account->uid) != 0)
        return gg_fail(err, GG_EINTERNAL, "%s", strerror(errno));
    return is_for_good(account) || gg_fail(err, GG_EINTERNAL, "the way back to root is open");
}
