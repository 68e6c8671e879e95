/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/app/setup.h"
#include "gg/base/log.h"
#include "gg/flow/settler.h"
#include "gg/store/family.h"
#include "gg/store/login.h"
#include "gg/store/rate.h"
#include "gg/store/roster.h"
#include "gg/store/session.h"

#include <stdio.h>

static const struct {
    const char *name;
    bool (*sweep)(struct gg_db *db, struct gg_arena *a, uint64_t *count, struct gg_err *err);
} sweeps[] = {
    {"states", gg_login_sweep},
    {"session codes", gg_session_sweep},
    {"refresh tokens", gg_family_sweep},
    {"rate-limit rows", gg_rate_sweep},
};

/* Of workers that were killed and of which none came back. */
static bool settle_audit(struct gg_ctl *c)
{
    gg_setup_open_journal(c->arena, GG_HOSTFILE_FIND, &c->ctx);
    bool ok = gg_settler_run_left(&c->ctx, c->arena);
    gg_journal_close(c->ctx.journal);
    c->ctx.journal = NULL;
    return ok;
}

static int run(struct gg_ctl *c)
{
    int64_t limit = GG_ROSTER_ROWS_MAX;
    const struct gg_ctl_flag flags[] = {
        {"limit", .number = &limit, .min = 1, .max = GG_ROSTER_ROWS_MAX}};
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, 1) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --limit alone");
    /* It works alone: what a worker would warn of and count is told here as well. */
    if (!gg_log_open("stderr", GG_WARNING, &err))
        return gg_ctl_fail("%s", err.log);
    gg_setup_find_metrics(c->arena, &c->ctx);
    for (size_t i = 0; i < sizeof sweeps / sizeof sweeps[0]; i++) {
        uint64_t all = 0;
        uint64_t count = 0;
        /* In small steps, so that no step locks much for long. */
        do {
            if (!sweeps[i].sweep(c->ctx.db, c->arena, &count, &err))
                return gg_ctl_fail("%s: %s", sweeps[i].name, err.log);
            all += count;
        } while (count > 0);
        (void)printf("%s: %llu deleted\n", sweeps[i].name, (unsigned long long)all);
    }
    int refreshed = gg_ctl_refresh_idle(c, limit);
    bool is_settled = settle_audit(c);
    int sealed = gg_ctl_seal_audit(c);
    if (!is_settled)
        return gg_ctl_fail("rows of the audit wait in the journal, and could not be written");
    return refreshed != GG_CTL_DONE ? refreshed : sealed;
}

const struct gg_ctl_command gg_ctl_maintain = {
    .name = "maintain",
    .usage = "[--limit N]",
    .help = "deletes what has expired (states, session codes, refresh tokens, rate-limit rows), "
            "refreshes idle connections, at most N of each realm, and seals the audit; for cron",
    .need = GG_CTL_NEEDS_DB,
    .run = run,
};
