/* SPDX-License-Identifier: MIT */
/* The part of `maintain` that refreshes idle connections, four at a time. */
#include "gg/flow/idle.h"
#include "ctl.h"
#include "gg/app/setup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_A_TIME 4
/* Cron starts the next run within the hour. */
#define RUN_S 1800

struct work {
    const struct gg_token_key *keys;
    size_t count;
    struct gg_idle_page *page;
};

static _Noreturn void run_child(struct gg_ctl *c, const struct work *w, pid_t parent)
{
    struct gg_ctx ctx = c->ctx;
    struct gg_call call = c->call;

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(GG_CTL_FAILED);
    gg_setup_reopen(&ctx);
    call.ctx = &ctx;
    gg_idle_work(&call, w->keys, w->count, w->page);
    _exit(GG_CTL_DONE);
}

/* True when every child ended well. */
static bool run_children(struct gg_ctl *c, const struct work *w)
{
    pid_t parent = getpid();
    pid_t pids[AT_A_TIME];
    size_t count = 0;
    bool ok = true;

    /* Else each child would print it as well. */
    (void)fflush(stdout);
    while (count < AT_A_TIME && count < w->count) {
        pid_t pid = fork();
        if (pid == 0)
            run_child(c, w, parent);
        if (pid < 0)
            break;
        pids[count++] = pid;
    }
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
            ;
        ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == GG_CTL_DONE;
    }
    return ok && count > 0;
}

static int report(const struct work *w)
{
    static const char *const why[] = {
        [GG_IDLE_THROTTLED] = "Microsoft asks for fewer calls; the next run goes on",
        [GG_IDLE_REJECTED] = "Microsoft rejects the application: graphgatectl check says why",
        [GG_IDLE_LATE] = "the time of this run is over; the next one goes on",
        [GG_IDLE_NO_DATABASE] = "the database fails",
    };
    struct gg_idle_page *page = w->page;
    size_t done = atomic_load(&page->next);
    int stop = atomic_load(&page->stop);

    (void)printf("idle connections: %d refreshed, %d refused for good, %d failed, %d skipped, "
                 "%zu left\n",
                 atomic_load(&page->refreshed), atomic_load(&page->refused),
                 atomic_load(&page->failed), atomic_load(&page->skipped),
                 done < w->count ? w->count - done : 0);
    if (stop == GG_IDLE_GOES_ON)
        return GG_CTL_DONE;
    if (stop == GG_IDLE_REJECTED || stop == GG_IDLE_NO_DATABASE)
        return gg_ctl_fail("idle connections: stopped: %s", why[stop]);
    (void)printf("idle connections: stopped: %s\n", why[stop]);
    return GG_CTL_DONE;
}

int gg_ctl_refresh_idle(struct gg_ctl *c, int64_t limit)
{
    struct gg_token_key *keys;
    struct work w = {0};
    struct gg_err err;

    if (c->loaded.conf.refresh_idle_days == 0) {
        (void)puts("idle connections: not refreshed, since REFRESH_IDLE_DAYS is 0");
        return GG_CTL_DONE;
    }
    if (!c->ctx.is_configured) {
        (void)printf("idle connections: not refreshed: that needs the worker's whole configuration "
                     "(%s is missing)\n",
                     c->loaded.missing != NULL ? c->loaded.missing->field : "a key");
        return GG_CTL_DONE;
    }
    c->call.deadline = gg_deadline_in(RUN_S * 1000LL);
    if (!gg_idle_find(&c->call, limit, &keys, &w.count, &err))
        return gg_ctl_fail("idle connections: %s", err.log);
    w.keys = keys;
    w.page = mmap(NULL, sizeof *w.page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w.page == MAP_FAILED)
        return gg_ctl_fail("idle connections: %s", strerror(errno));
    bool ok = w.count == 0 || run_children(c, &w);
    int status = report(&w);
    (void)munmap(w.page, sizeof *w.page);
    return ok ? status : gg_ctl_fail("idle connections: a process of this run was lost");
}
